import {createHash} from "node:crypto";
import {errorText} from "@strata/base";
import type {Cache} from "@strata/cache";
import type {Logger, Registry} from "@strata/telemetry";
import type {Extent, ExtentCodec} from "./cache-codec.ts";
import {type Compression, compressed, uncompressed} from "./value-compression.ts";

/** What the cache has to know of a kind of request. `R` is a request for [start, end], ms, both inclusive. */
export type Cacheable<R, A> = {
  /** Keys in the order in which they are tried; only the first is written. */
  keys(request: R): readonly string[];
  readonly codec: ExtentCodec<A>;
  /** Distance at which two extents still touch, ms. */
  step(request: R): number;
  /** The part of an extent's answer in [start, end]; for a key after the first, made to fit the request. */
  slice(answer: A, request: R, start: number, end: number, key: number): A;
  merge(answers: readonly A[]): A;
  /** Whether an answer may be kept, the request's own text and times considered. */
  mayKeep(request: R, answer: A, freshUntil: number): boolean;
};

export type Ranged = {readonly start: number; readonly end: number};

/** What of a request says whether it may be answered from a cache. */
type CacheQuestion = Ranged & {
  readonly noStore: boolean;
  readonly dedup: boolean;
  readonly storeMatch: readonly string[];
};

export type ResultsCacheOptions = {
  readonly cache: Cache;
  /** Whether values come back as they were given: those of another program may be damaged. */
  readonly isInProcess: boolean;
  /** `--….response-cache-max-freshness`, ms: what is newer is not kept. */
  readonly freshnessMs: number;
  readonly ttlMs: number;
  /** `--cache-compression-type`. */
  readonly compression: Compression;
  readonly now: () => number;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Label `tripperware` of the metrics. */
  readonly name: string;
};

/** Extents shorter than this are passed over by longer requests: many small pieces cost more than they save. */
const SHORT_MS = 5 * 60_000;

/**
 * The answer to a request, through `cache` where it may have a part in it. `intervalMs`, by which the request was split, is
 * a part of keys; 0: it was not, and nothing is kept.
 */
export async function cachedAnswer<R extends CacheQuestion, A>(
  cache: ResultsCache | undefined,
  request: R,
  intervalMs: number,
  kind: Cacheable<R, A>,
  ask: (request: R) => Promise<A>,
  signal: AbortSignal,
): Promise<A> {
  const asksCache =
    cache !== undefined &&
    intervalMs > 0 &&
    !request.noStore &&
    request.dedup &&
    request.storeMatch.length === 0 &&
    request.start <= cache.freshUntil;
  if (!asksCache) return ask(request);
  return cache.answer(request, kind, (start, end) => ask({...request, start, end}), signal);
}

/** Keeps answers by time range and asks only for what is missing. A cache that is down or broken is an empty one. */
export class ResultsCache {
  readonly #o: ResultsCacheOptions;
  readonly #metrics: ReturnType<typeof cacheMetrics>;

  constructor(options: ResultsCacheOptions) {
    this.#o = options;
    this.#metrics = cacheMetrics(options.registry, options.name);
  }

  /** Gives up what the cache holds. */
  close(): Promise<void> {
    return this.#o.cache.close();
  }

  /** Up to here answers may be kept, ms. */
  get freshUntil(): number {
    return this.#o.now() - this.#o.freshnessMs;
  }

  /** The answer to `request`, made of what is kept and of what `ask` gives for the rest. */
  async answer<R extends Ranged, A>(
    request: R,
    kind: Cacheable<R, A>,
    ask: (start: number, end: number) => Promise<A>,
    signal: AbortSignal,
  ): Promise<A> {
    const keys = kind.keys(request);
    const found = await this.#find(keys, kind, signal);
    if (found === undefined) {
      const answer = await ask(request.start, request.end);
      this.#keep(keys[0] as string, request, kind, [{start: request.start, end: request.end, answer}]);
      return answer;
    }
    const {parts, gaps} = this.#cover(request, kind, found.extents, found.key);
    const asked = await Promise.all(gaps.map(async ({start, end}) => ({start, end, answer: await ask(start, end)})));
    if (asked.length > 0 && found.key === 0) {
      const kept = asked.filter(({answer}) => kind.mayKeep(request, answer, this.freshUntil));
      if (kept.length > 0) this.#keep(keys[0] as string, request, kind, [...found.extents, ...kept]);
    }
    if (asked.length === 0 && parts.length === 1) return (parts[0] as Extent<A>).answer;
    const all = [...parts, ...asked].sort((a, b) => a.start - b.start);
    return kind.merge(all.map(({answer}) => answer));
  }

  async #find<R, A>(
    keys: readonly string[],
    {codec}: Cacheable<R, A>,
    signal: AbortSignal,
  ): Promise<{extents: readonly Extent<A>[]; key: number} | undefined> {
    const stored = await this.#o.cache.getMany(keys.map(hashed), signal);
    this.#metrics.fetched.inc(keys.length);
    for (const [key, bytes] of stored.entries()) {
      if (bytes === undefined) continue;
      try {
        const extents = codec.decode(keys[key] as string, await uncompressed(bytes), this.#o.isInProcess);
        if (extents === undefined || extents.length === 0) continue;
        this.#metrics.hits.inc();
        return {extents, key};
      } catch (err) {
        this.#metrics.broken.inc();
        this.#o.logger.warn("cached answer is damaged, asking again", {err: errorText(err)});
      }
    }
    return undefined;
  }

  /** What the extents hold of the request, and what they do not. */
  #cover<R extends Ranged, A>(
    request: R,
    kind: Cacheable<R, A>,
    extents: readonly Extent<A>[],
    key: number,
  ): {parts: Extent<A>[]; gaps: Ranged[]} {
    const parts: Extent<A>[] = [];
    const gaps: Ranged[] = [];
    const step = Math.max(1, kind.step(request));
    let at = request.start;
    let covered = Number.NEGATIVE_INFINITY;
    for (const extent of [...extents].sort((a, b) => a.start - b.start)) {
      if (extent.end < at || extent.start > request.end) continue;
      const isLong = request.start !== request.end && request.end - request.start > SHORT_MS;
      if (isLong && extent.end - extent.start < SHORT_MS) continue;
      if (at < extent.start) gaps.push({start: at, end: extent.start});
      parts.push({start: at, end: extent.end, answer: kind.slice(extent.answer, request, at, request.end, key)});
      covered = extent.end;
      // An extent of a finer step may end between two of the request's own.
      at = request.start + Math.ceil((extent.end - request.start) / step) * step;
    }
    if (covered < request.end && at <= request.end) gaps.push({start: at, end: request.end});
    return {parts, gaps};
  }

  /** Stores extents, neighbours made one, the newest end cut off. */
  #keep<R extends Ranged, A>(key: string, request: R, kind: Cacheable<R, A>, extents: readonly Extent<A>[]): void {
    const until = this.freshUntil;
    if (extents.length === 1 && !kind.mayKeep(request, (extents[0] as Extent<A>).answer, until)) return;
    const step = Math.max(1, kind.step(request));
    const last = Math.floor(until / step) * step;
    const whole: Extent<A>[] = [];
    for (const extent of [...extents].sort((a, b) => a.start - b.start || b.end - a.end)) {
      const end = Math.min(extent.end, last);
      if (end < extent.start) continue;
      const cut =
        end === extent.end
          ? extent
          : {...extent, end, answer: kind.slice(extent.answer, request, extent.start, end, 0)};
      const before = whole.at(-1);
      if (before === undefined || before.end + step < cut.start) whole.push(cut);
      else if (cut.end > before.end) {
        whole[whole.length - 1] = {start: before.start, end: cut.end, answer: kind.merge([before.answer, cut.answer])};
      }
    }
    if (whole.length === 0) return;
    const {cache, compression, ttlMs, logger} = this.#o;
    compressed(kind.codec.encode(key, whole), compression).then(
      (bytes) => cache.set(hashed(key), bytes, ttlMs),
      (err: unknown) => logger.warn("cannot keep an answer", {err: errorText(err)}),
    );
  }
}

/** Keys are long; what they are stored under is not. */
const hashed = (key: string): string => createHash("sha256").update(key).digest("base64url");

const cacheMetrics = (r: Registry, tripperware: string) => {
  const labels = ["name", "tripperware"] as const;
  const values = {name: `${tripperware}-results`, tripperware};
  return {
    fetched: r
      .counter({name: "cortex_cache_fetched_keys_total", help: "Keys asked of the results cache.", labels})
      .with(values),
    hits: r.counter({name: "cortex_cache_hits_total", help: "Keys that the results cache had.", labels}).with(values),
    broken: r
      .counter({
        name: "strata_frontend_cache_damaged_total",
        help: "Values of the results cache that could not be read.",
        labels,
      })
      .with(values),
  };
};
