import {errorCode, errorText} from "@strata/base";
import type {Logger} from "@strata/telemetry";
import {Breaker, type BreakerOptions} from "./breaker.ts";
import type {Cache} from "./cache.ts";
import type {CacheClient, CacheEntry} from "./client.ts";
import type {RemoteCacheMetrics} from "./remote-metrics.ts";

export type RemoteCacheOptions = {
  readonly name: string;
  readonly client: CacheClient;
  readonly metrics: RemoteCacheMetrics;
  readonly logger: Logger;
  /** The longest that a caller waits for values, ms. */
  readonly getTimeoutMs: number;
  /** Larger values are neither kept nor believed; 0 is no limit. */
  readonly maxItemBytes: number;
  /** Values that wait to be sent; beyond it they are dropped. */
  readonly maxQueued: number;
  /** Batches of values being sent at once, and the values of one batch. */
  readonly setConcurrency: number;
  readonly setBatch: number;
  /** Undefined: the breaker of reading decides alone. */
  readonly setBreaker?: BreakerOptions | undefined;
};

/** Reading has a breaker whatever the configuration says: three slow answers are all that a dead server may cost. */
const GET_BREAKER: BreakerOptions = {
  consecutiveFailures: 3,
  failureRatio: 0,
  minRequests: 0,
  openMs: 5000,
  halfOpenRequests: 1,
};

/** Values that wait to be sent may hold so many bytes, whatever their number. */
const MAX_QUEUED_BYTES = 64 << 20;

type Pending = Promise<ReadonlyMap<string, Uint8Array> | undefined>;

/**
 * Caches elsewhere as a Cache: values are sent in the background, and a server that is down, slow or wrong costs its
 * callers a bounded wait and then nothing at all. Keys that somebody asks for already are not asked for twice.
 */
export class RemoteCache implements Cache {
  readonly name: string;
  readonly #o: RemoteCacheOptions;
  readonly #getBreaker = new Breaker(GET_BREAKER);
  readonly #setBreaker: Breaker | undefined;
  readonly #pending = new Map<string, Pending>();
  readonly #queue: CacheEntry[] = [];
  readonly #sending = new Set<Promise<void>>();
  #queuedBytes = 0;
  #scheduled = false;
  #closed = false;
  #down = false;

  constructor(options: RemoteCacheOptions) {
    this.#o = options;
    this.name = options.name;
    this.#setBreaker = options.setBreaker === undefined ? undefined : new Breaker(options.setBreaker);
  }

  async getMany(keys: readonly string[], signal: AbortSignal): Promise<readonly (Uint8Array | undefined)[]> {
    const {metrics} = this.#o;
    metrics.requests.inc(keys.length);
    const out: (Uint8Array | undefined)[] = new Array(keys.length).fill(undefined);
    if (keys.length === 0 || this.#closed) return out;
    const asked = this.#ask(keys);
    if (asked.size === 0) return out;
    await leaveWith(signal, Promise.all(asked));
    if (signal.aborted) return out;
    let hits = 0;
    for (const pending of asked) {
      const found = await pending;
      if (found === undefined) continue;
      for (let i = 0; i < keys.length; i++) {
        const value = found.get(keys[i] as string);
        if (value !== undefined && out[i] === undefined) hits++;
        out[i] ??= value;
      }
    }
    metrics.hits.inc(hits);
    return out;
  }

  /** The requests that will answer for the keys: those under way, and one for all others. */
  #ask(keys: readonly string[]): Set<Pending> {
    const asked = new Set<Pending>();
    const missing = new Set<string>();
    for (const key of keys) {
      const pending = this.#pending.get(key);
      if (pending === undefined) missing.add(key);
      else asked.add(pending);
    }
    if (missing.size === 0) return asked;
    if (!this.#getBreaker.allow()) {
      this.#o.metrics.skipped.with({operation: "getmulti", reason: "circuit-open"}).inc(missing.size);
      return asked;
    }
    const own = [...missing];
    const request = this.#fetch(own).finally(() => {
      for (const key of own) this.#pending.delete(key);
    });
    for (const key of own) this.#pending.set(key, request);
    return asked.add(request);
  }

  /** Never throws; undefined for a failure. */
  async #fetch(keys: readonly string[]): Pending {
    const {metrics, client, getTimeoutMs, maxItemBytes} = this.#o;
    metrics.operations.with({operation: "getmulti"}).inc();
    const begun = performance.now();
    try {
      const values = await withDeadline(client.getMany(keys), getTimeoutMs);
      const found = new Map<string, Uint8Array>();
      let bytes = 0;
      for (let i = 0; i < keys.length; i++) {
        const value = values[i];
        if (value === undefined || (maxItemBytes > 0 && value.length > maxItemBytes)) continue;
        bytes += value.length;
        found.set(keys[i] as string, value);
      }
      metrics.seconds.with({operation: "getmulti"}).observe((performance.now() - begun) / 1000);
      metrics.dataBytes.with({operation: "getmulti"}).observe(bytes);
      this.#getBreaker.succeeded();
      this.#report(undefined);
      return found;
    } catch (err) {
      metrics.failures.with({operation: "getmulti", reason: reasonOf(err)}).inc();
      this.#getBreaker.failed();
      this.#report(err);
      return undefined;
    }
  }

  set(key: string, value: Uint8Array, ttlMs: number): void {
    const {metrics, maxItemBytes, maxQueued} = this.#o;
    if (this.#closed) return;
    const tooLarge = maxItemBytes > 0 && value.length > maxItemBytes;
    const full = this.#queue.length >= maxQueued || this.#queuedBytes + value.length > MAX_QUEUED_BYTES;
    if (tooLarge || full) {
      metrics.skipped.with({operation: "set", reason: tooLarge ? "max-item-size" : "async-buffer-full"}).inc();
      return;
    }
    this.#queue.push({key, value, ttlMs});
    this.#queuedBytes += value.length;
    // One turn later, so that what is set together is sent together.
    if (!this.#scheduled) setImmediate(() => this.#send());
    this.#scheduled = true;
  }

  #send(): void {
    this.#scheduled = false;
    while (this.#queue.length > 0 && this.#sending.size < this.#o.setConcurrency) {
      const batch = this.#queue.splice(0, this.#o.setBatch);
      for (const {value} of batch) this.#queuedBytes -= value.length;
      const sent: Promise<void> = this.#sendBatch(batch).finally(() => {
        this.#sending.delete(sent);
        this.#send();
      });
      this.#sending.add(sent);
    }
  }

  async #sendBatch(batch: readonly CacheEntry[]): Promise<void> {
    const {metrics, client} = this.#o;
    if (this.#setBreaker?.allow() === false || this.#down) {
      metrics.skipped.with({operation: "set", reason: "circuit-open"}).inc(batch.length);
      return;
    }
    metrics.operations.with({operation: "set"}).inc(batch.length);
    const begun = performance.now();
    try {
      await withDeadline(client.setMany(batch), SET_TIMEOUT_MS);
      metrics.seconds.with({operation: "set"}).observe((performance.now() - begun) / 1000);
      for (const {value} of batch) metrics.dataBytes.with({operation: "set"}).observe(value.length);
      this.#setBreaker?.succeeded();
    } catch (err) {
      metrics.failures.with({operation: "set", reason: reasonOf(err)}).inc(batch.length);
      this.#setBreaker?.failed();
      this.#report(err);
    }
  }

  /** Says once that a cache fails, and once that it is back. */
  #report(err: unknown): void {
    const down = err !== undefined;
    if (down === this.#down) return;
    this.#down = down;
    if (down)
      this.#o.logger.warn("cache does not answer, going on without it", {cache: this.name, err: errorText(err)});
    else this.#o.logger.info("cache answers again", {cache: this.name});
  }

  /** What waits to be sent is dropped. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.length = 0;
    await this.#o.client.close();
    await Promise.all(this.#sending);
  }
}

/** Values are sent in the background: this only keeps a dead connection from holding them for ever. */
const SET_TIMEOUT_MS = 5000;

/** Resolves with `work` or when the caller leaves; the work goes on for others. `work` must not reject. */
async function leaveWith(signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  if (signal.aborted) return;
  let leave: () => void = () => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
    signal.addEventListener("abort", leave, {once: true});
  });
  await Promise.race([work, left]);
  signal.removeEventListener("abort", leave);
}

async function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DOMException(`no answer within ${ms} ms`, "TimeoutError")), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Compat: reasons as Thanos counts them. */
function reasonOf(err: unknown): string {
  const code = errorCode(err);
  if (code === "timeout") return "timeout";
  if (code === "bad_data") return "malformed-key";
  if (code === "unavailable") return "network-error";
  if (code === "corrupt" || code === "execution") return "server-error";
  return "other";
}
