import {errorCode} from "@strata/base";
import {DELETION_MARK_FILE, META_FILE} from "@strata/block";
import {type Cache, LruCache} from "@strata/cache";
import {
  type Bucket,
  isNotFound,
  notFound,
  type ObjectAttributes,
  type ObjectEntry,
  readObject,
  throwIfAborted,
} from "@strata/objstore";
import type {Registry} from "@strata/telemetry";
import {type CachingBucketMetrics, cachingBucketMetrics} from "./caching-bucket-metrics.ts";
import {mergeSpans, type Span, subrangesOf} from "./subranges.ts";

/** Times to live are ms, sizes bytes. */
export type CachingBucketOptions = {
  readonly cache: Cache;
  readonly registry: Registry;
  /** In keys of listings, so that buckets that share a cache keep apart. */
  readonly configHash: string;
  readonly subrangeBytes: number;
  /** Reads of the bucket that one range may take; 0 is no limit. */
  readonly maxSubrangeReads: number;
  readonly maxMetaBytes: number;
  readonly attributesTtl: number;
  readonly subrangeTtl: number;
  readonly listTtl: number;
  readonly existsTtl: number;
  readonly missingTtl: number;
  readonly contentTtl: number;
};

const CHUNKS = "chunks";
const METAS = "meta.jsons";
const ROOT = "blocks-iter";

/** Sizes of chunk files, which never change, kept so that not every range costs two questions. */
const SIZES_BYTES = 4 << 20;

const isChunkFile = (key: string): boolean => /^.*\/chunks\/\d+$/.test(key);
const isMetaFile = (key: string): boolean => key.endsWith(`/${META_FILE}`) || key.endsWith(`/${DELETION_MARK_FILE}`);

/**
 * A bucket behind a cache: the root's listing, metas and deletion marks, and aligned pieces of chunk files. Keys and
 * values are Thanos's. Values that cannot be what they should are counted, read anew and replaced.
 */
export class CachingBucket implements Bucket {
  readonly name: string;
  readonly provider: string;
  readonly #inner: Bucket;
  readonly #o: CachingBucketOptions;
  readonly #metrics: CachingBucketMetrics;
  readonly #sizes = new LruCache({name: "chunk-sizes", maxBytes: SIZES_BYTES, maxItemBytes: 4096});
  readonly #reads = new Map<string, Promise<Uint8Array>>();

  /** `inner` is not closed by it; the cache is. */
  constructor(inner: Bucket, options: CachingBucketOptions) {
    this.#inner = inner;
    this.#o = options;
    this.name = inner.name;
    this.provider = inner.provider;
    this.#metrics = cachingBucketMetrics(options.registry);
  }

  async *list(
    dir: string,
    options: {recursive?: boolean | undefined},
    signal: AbortSignal,
  ): AsyncGenerator<ObjectEntry> {
    throwIfAborted(signal, `list ${dir}`);
    // Recursive listings say when objects changed, which the cached form has no room for.
    if (dir !== "" || options.recursive === true) {
      yield* this.#inner.list(dir, options, signal);
      return;
    }
    const key = `iter:${dir}:${this.#o.configHash}`;
    const cached = await this.#cached("iter", ROOT, key, namesOf, signal);
    if (cached !== undefined) {
      for (const name of cached) yield {name};
      return;
    }
    const begun = Date.now();
    const names: string[] = [];
    for await (const entry of this.#inner.list(dir, options, signal)) {
      names.push(entry.name);
      yield entry;
    }
    const ttl = this.#o.listTtl - (Date.now() - begun);
    if (ttl > 0) this.#o.cache.set(key, Buffer.from(JSON.stringify(names)), ttl);
  }

  async get(key: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    throwIfAborted(signal, `read ${key}`);
    if (!isMetaFile(key)) return this.#inner.get(key, signal);
    const contentKey = `content:${key}`;
    const existsKey = `exists:${key}`;
    const content = await this.#cached("get", METAS, contentKey, jsonOf, signal);
    if (content !== undefined) return streamOf(content);
    const exists = await this.#value("exists", existsKey, flagOf, signal);
    if (exists === false) {
      this.#metrics.hits.with({operation: "get", config: METAS}).inc();
      throw notFound(this.name, key);
    }
    try {
      const {maxMetaBytes, contentTtl} = this.#o;
      const bytes = await readObject(this.#inner, key, maxMetaBytes, signal);
      this.#setExists(existsKey, true);
      if (jsonOf(bytes) !== undefined) this.#o.cache.set(contentKey, bytes, contentTtl);
      return streamOf(bytes);
    } catch (err) {
      if (isNotFound(err)) this.#setExists(existsKey, false);
      if (errorCode(err) === "limit") return this.#inner.get(key, signal);
      throw err;
    }
  }

  async exists(key: string, signal: AbortSignal): Promise<boolean> {
    throwIfAborted(signal, `stat ${key}`);
    if (!isMetaFile(key)) return this.#inner.exists(key, signal);
    const existsKey = `exists:${key}`;
    const cached = await this.#cached("exists", METAS, existsKey, flagOf, signal);
    if (cached !== undefined) return cached;
    const exists = await this.#inner.exists(key, signal);
    this.#setExists(existsKey, exists);
    return exists;
  }

  #setExists(key: string, exists: boolean): void {
    const {cache, existsTtl, missingTtl} = this.#o;
    cache.set(key, Buffer.from(String(exists)), exists ? existsTtl : missingTtl);
  }

  async attributes(key: string, signal: AbortSignal): Promise<ObjectAttributes> {
    throwIfAborted(signal, `stat ${key}`);
    if (!isChunkFile(key)) return this.#inner.attributes(key, signal);
    const cacheKey = `attrs:${key}`;
    const cached = await this.#cached("attributes", CHUNKS, cacheKey, attributesOf, signal);
    if (cached !== undefined) return cached;
    const attributes = await this.#inner.attributes(key, signal);
    const value = {size: attributes.size, last_modified: attributes.lastModified.toISOString()};
    this.#o.cache.set(cacheKey, Buffer.from(JSON.stringify(value)), this.#o.attributesTtl);
    return attributes;
  }

  async getRange(key: string, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    throwIfAborted(signal, `read ${key}`);
    if (!isChunkFile(key) || length <= 0) return this.#inner.getRange(key, offset, length, signal);
    this.#metrics.requests.with({operation: "get_range", config: CHUNKS}).inc();
    this.#metrics.requestedBytes.with({config: CHUNKS}).inc(length);
    const size = await this.#size(key, signal);
    const end = Math.min(offset + length, size);
    if (offset >= end) return new Uint8Array(0);
    const spans = subrangesOf(offset, end, this.#o.subrangeBytes, size);
    const pieces = await this.#cachedPieces(key, spans, signal);
    const missing = spans.filter((_, i) => pieces[i] === undefined);
    if (missing.length > 0) await this.#readPieces(key, spans, missing, pieces, signal);
    return cut(pieces as Uint8Array[], (spans[0] as Span).start, offset, end);
  }

  /**
   * The bytes past the cache, which then holds them: for whoever finds that what the cache gave cannot be right, which is
   * counted.
   */
  async readAnew(key: string, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    this.#metrics.corrupt.with({operation: "get_range"}).inc();
    if (!isChunkFile(key)) return this.#inner.getRange(key, offset, length, signal);
    // The size may be what was wrong.
    const {size} = await this.#inner.attributes(key, signal);
    this.#keepSize(key, size);
    const end = Math.min(offset + length, size);
    if (offset >= end) return new Uint8Array(0);
    const spans = subrangesOf(offset, end, this.#o.subrangeBytes, size);
    const pieces: (Uint8Array | undefined)[] = spans.map(() => undefined);
    await this.#readPieces(key, spans, spans, pieces, signal);
    return cut(pieces as Uint8Array[], (spans[0] as Span).start, offset, end);
  }

  async #size(key: string, signal: AbortSignal): Promise<number> {
    const known = this.#sizes.get(key);
    if (known !== undefined) return Number(Buffer.from(known).toString());
    const {size} = await this.attributes(key, signal);
    this.#keepSize(key, size);
    return size;
  }

  #keepSize(key: string, size: number): void {
    this.#sizes.set(key, Buffer.from(String(size)), this.#o.attributesTtl);
  }

  async #cachedPieces(key: string, spans: readonly Span[], signal: AbortSignal): Promise<(Uint8Array | undefined)[]> {
    const {metrics, cache} = {metrics: this.#metrics, cache: this.#o.cache};
    const found = await cache.getMany(
      spans.map((span) => pieceKey(key, span)),
      signal,
    );
    let bytes = 0;
    let hits = 0;
    const pieces = spans.map(({start, end}, i) => {
      const piece = found[i];
      if (piece === undefined) return undefined;
      if (piece.length !== end - start) {
        metrics.corrupt.with({operation: "get_range"}).inc();
        return undefined;
      }
      bytes += piece.length;
      hits++;
      return piece;
    });
    metrics.fetchedBytes.with({origin: "cache", config: CHUNKS}).inc(bytes);
    // Compat: a range of which half was there is half a hit.
    metrics.hits.with({operation: "get_range", config: CHUNKS}).inc(hits / spans.length);
    return pieces;
  }

  /** Fills the missing pieces from the bucket, near ones in one read, and keeps them. */
  async #readPieces(
    key: string,
    spans: readonly Span[],
    missing: readonly Span[],
    pieces: (Uint8Array | undefined)[],
    signal: AbortSignal,
  ): Promise<void> {
    const {cache, subrangeBytes, subrangeTtl, maxSubrangeReads} = this.#o;
    const wanted = new Set(missing.map(({start}) => start));
    const first = (spans[0] as Span).start;
    const read = async ({start, end}: Span) => {
      const bytes = await this.#readOnce(key, start, end, signal);
      for (let at = start; at < end; at += subrangeBytes) {
        const to = Math.min(at + subrangeBytes, end);
        if (start + bytes.length < to) break;
        const piece = bytes.subarray(at - start, to - start);
        pieces[(at - first) / subrangeBytes] = piece;
        const {fetchedBytes, refetchedBytes} = this.#metrics;
        (wanted.has(at) ? fetchedBytes : refetchedBytes).with({origin: "bucket", config: CHUNKS}).inc(piece.length);
        if (wanted.has(at)) cache.set(pieceKey(key, {start: at, end: to}), piece.slice(), subrangeTtl);
      }
    };
    await Promise.all(mergeSpans(missing, maxSubrangeReads, subrangeBytes).map(read));
    // An object that is shorter than it was said to be: what is there, up to the first piece that is not.
    const short = pieces.indexOf(undefined);
    if (short >= 0) pieces.fill(new Uint8Array(0), short);
  }

  /** A read that somebody else has under way is shared; where that one's caller leaves, it is done again. */
  async #readOnce(key: string, start: number, end: number, signal: AbortSignal): Promise<Uint8Array> {
    const id = `${key}:${start}:${end}`;
    const under = this.#reads.get(id);
    if (under !== undefined) {
      try {
        return await under;
      } catch (err) {
        if (errorCode(err) !== "canceled" || signal.aborted) throw err;
      }
    }
    const read = this.#inner.getRange(key, start, end - start, signal);
    this.#reads.set(id, read);
    try {
      return await read;
    } finally {
      if (this.#reads.get(id) === read) this.#reads.delete(id);
    }
  }

  /** A counted look into the cache. */
  async #cached<T>(
    operation: string,
    config: string,
    key: string,
    decode: (bytes: Uint8Array) => T | undefined,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    this.#metrics.requests.with({operation, config}).inc();
    const value = await this.#value(operation, key, decode, signal);
    if (value !== undefined) this.#metrics.hits.with({operation, config}).inc();
    return value;
  }

  async #value<T>(
    operation: string,
    key: string,
    decode: (bytes: Uint8Array) => T | undefined,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    const [bytes] = await this.#o.cache.getMany([key], signal);
    if (bytes === undefined) return undefined;
    const value = decode(bytes);
    if (value === undefined) this.#metrics.corrupt.with({operation}).inc();
    return value;
  }

  async upload(
    key: string,
    body: AsyncIterable<Uint8Array>,
    size: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#inner.upload(key, body, size, signal);
    if (isMetaFile(key)) this.#setExists(`exists:${key}`, true);
  }

  async delete(key: string, signal: AbortSignal): Promise<void> {
    await this.#inner.delete(key, signal);
    if (isMetaFile(key)) this.#setExists(`exists:${key}`, false);
  }

  async close(): Promise<void> {
    await this.#o.cache.close();
  }
}

const pieceKey = (key: string, {start, end}: Span): string => `subrange:${key}:${start}:${end}`;

/** Bytes [from, to) out of pieces that lie end to end from `base` on. */
function cut(pieces: readonly Uint8Array[], base: number, from: number, to: number): Uint8Array {
  const whole = pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);
  return whole.subarray(from - base, to - base);
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch {
    return undefined;
  }
}

/** The bytes themselves when they are a JSON object, as metas and marks are. */
function jsonOf(bytes: Uint8Array): Uint8Array | undefined {
  const value = parsed(bytes);
  return typeof value === "object" && value !== null ? bytes : undefined;
}

function namesOf(bytes: Uint8Array): readonly string[] | undefined {
  const value = parsed(bytes);
  return Array.isArray(value) && value.every((name) => typeof name === "string") ? value : undefined;
}

function flagOf(bytes: Uint8Array): boolean | undefined {
  const value = parsed(bytes);
  return typeof value === "boolean" ? value : undefined;
}

function attributesOf(bytes: Uint8Array): ObjectAttributes | undefined {
  const {size, last_modified} = (parsed(bytes) ?? {}) as {size?: unknown; last_modified?: unknown};
  const lastModified = new Date(typeof last_modified === "string" ? last_modified : Number.NaN);
  if (!Number.isSafeInteger(size) || (size as number) < 0 || Number.isNaN(lastModified.getTime())) return undefined;
  return {size: size as number, lastModified};
}
