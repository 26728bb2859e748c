import {type Cache, LruCache} from "@strata/cache";
import type {Registry} from "@strata/telemetry";
import {type IndexItem, ITEM_TYPES, type ItemType, keyBytes, localKey, sharedKey} from "./cache-keys.ts";
import {DEFAULT_TENANT} from "./store-metrics.ts";

/** Parts of blocks' indexes that were read before, as bytes in Thanos's form of each item type. */
export interface IndexCache {
  /** Whether items of the type are kept at all; asking spares making keys in vain. */
  enabled(type: ItemType): boolean;
  /** Values of items of one type, undefined where there is none. Never throws. */
  fetch(ulid: string, items: readonly IndexItem[], signal: AbortSignal): Promise<readonly (Uint8Array | undefined)[]>;
  /** Counts a value that could not be what it should; whoever finds one stores what is right. */
  corrupt(type: ItemType): void;
  /** The caller gives `value` away. */
  store(ulid: string, item: IndexItem, value: Uint8Array): void;
  close(): Promise<void>;
}

export type IndexCacheOptions = {
  readonly registry: Registry;
  /** Item types that are kept; all when left out. */
  readonly enabled?: readonly ItemType[] | undefined;
};

/** Defaults of Thanos: bytes of the whole cache, and of one item. */
export const DEFAULT_CACHE_BYTES = 250 << 20;
export const DEFAULT_CACHE_ITEM_BYTES = 125 << 20;

/** The index cache in this process's memory. */
export function memoryIndexCache(
  options: IndexCacheOptions & {readonly maxBytes: number; readonly maxItemBytes: number},
): IndexCache {
  const metrics = indexCacheMetrics(options.registry);
  metrics.maxBytes.set(options.maxBytes);
  metrics.maxItemBytes.set(options.maxItemBytes);
  // Keys start with the type's letters, and what an item counts is told with it.
  const of = (key: string): ItemType => (key[0] === "S" ? "Series" : key[0] === "P" ? "Postings" : "ExpandedPostings");
  const cache = new LruCache({
    name: "index-cache",
    maxBytes: options.maxBytes,
    maxItemBytes: options.maxItemBytes,
    events: {
      added(key, bytes) {
        const labels = {item_type: of(key)};
        metrics.added.with(labels).inc();
        metrics.items.with(labels).inc();
        metrics.itemsBytes.with(labels).inc(bytes);
        metrics.totalBytes.with(labels).inc(bytes);
      },
      evicted(key, bytes) {
        const labels = {item_type: of(key)};
        metrics.evicted.with(labels).inc();
        metrics.items.with(labels).dec();
        metrics.itemsBytes.with(labels).dec(bytes);
        metrics.totalBytes.with(labels).dec(bytes);
      },
      overflowed: (key) => metrics.overflowed.with({item_type: of(key)}).inc(),
    },
  });
  return new MeteredIndexCache(cache, localKey, 0, options, metrics);
}

/** The index cache in a cache that several gateways share, Go's among them; closed with it. */
export function remoteIndexCache(cache: Cache, options: IndexCacheOptions & {readonly ttlMs: number}): IndexCache {
  return new MeteredIndexCache(cache, sharedKey, options.ttlMs, options, indexCacheMetrics(options.registry));
}

/** An index cache over any cache: counts, and makes keys. */
class MeteredIndexCache implements IndexCache {
  readonly #cache: Cache;
  readonly #key: (ulid: string, item: IndexItem) => string;
  readonly #ttlMs: number;
  readonly #enabled: ReadonlySet<ItemType>;
  readonly #metrics: IndexCacheMetrics;

  constructor(
    cache: Cache,
    key: (ulid: string, item: IndexItem) => string,
    ttlMs: number,
    options: IndexCacheOptions,
    metrics: IndexCacheMetrics,
  ) {
    this.#cache = cache;
    this.#key = key;
    this.#ttlMs = ttlMs;
    this.#enabled = new Set(options.enabled ?? ITEM_TYPES);
    this.#metrics = metrics;
  }

  enabled(type: ItemType): boolean {
    return this.#enabled.has(type);
  }

  async fetch(
    ulid: string,
    items: readonly IndexItem[],
    signal: AbortSignal,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    const type = items[0]?.type;
    if (type === undefined || !this.#enabled.has(type)) return items.map(() => undefined);
    const labels = {item_type: type, tenant: DEFAULT_TENANT};
    this.#metrics.requests.with(labels).inc(items.length);
    const stop = this.#metrics.seconds.with(labels).startTimer();
    const found = await this.#cache.getMany(
      items.map((item) => this.#key(ulid, item)),
      signal,
    );
    stop();
    let hits = 0;
    for (const value of found) if (value !== undefined) hits++;
    this.#metrics.hits.with(labels).inc(hits);
    return found;
  }

  corrupt(type: ItemType): void {
    this.#metrics.corrupt.with({item_type: type}).inc();
  }

  store(ulid: string, item: IndexItem, value: Uint8Array): void {
    if (!this.#enabled.has(item.type)) return;
    this.#metrics.stored.with({item_type: item.type, tenant: DEFAULT_TENANT}).observe(value.length + keyBytes(item));
    this.#cache.set(this.#key(ulid, item), value, this.#ttlMs);
  }

  async close(): Promise<void> {
    await this.#cache.close();
  }
}

const name = (rest: string): string => `thanos_store_index_cache_${rest}`;
const TYPE = ["item_type"] as const;
const TYPE_TENANT = ["item_type", "tenant"] as const;
const types = ITEM_TYPES.map((type) => ({item_type: type}));
const typesOfTenant = ITEM_TYPES.map((type) => ({item_type: type, tenant: DEFAULT_TENANT}));

const indexCacheMetrics = (r: Registry) => ({
  requests: r.counter({
    name: name("requests_total"),
    help: "Items asked of the index cache.",
    labels: TYPE_TENANT,
    preset: typesOfTenant,
  }),
  hits: r.counter({
    name: name("hits_total"),
    help: "Items that the index cache had.",
    labels: TYPE_TENANT,
    preset: typesOfTenant,
  }),
  added: r.counter({name: name("items_added_total"), help: "Items put into the cache.", labels: TYPE, preset: types}),
  evicted: r.counter({name: name("items_evicted_total"), help: "Items that had to go.", labels: TYPE, preset: types}),
  overflowed: r.counter({
    name: name("items_overflowed_total"),
    help: "Items too large to be kept.",
    labels: TYPE,
    preset: types,
  }),
  items: r.gauge({name: name("items"), help: "Items in the cache.", labels: TYPE, preset: types}),
  itemsBytes: r.gauge({name: name("items_size_bytes"), help: "Bytes of items.", labels: TYPE, preset: types}),
  totalBytes: r.gauge({
    name: name("total_size_bytes"),
    help: "Bytes of items with their keys.",
    labels: TYPE,
    preset: types,
  }),
  maxBytes: r.gauge({name: name("max_size_bytes"), help: "Bytes that the cache may hold."}),
  maxItemBytes: r.gauge({name: name("max_item_size_bytes"), help: "Bytes that one item may have."}),
  seconds: r.histogram({
    name: name("fetch_duration_seconds"),
    help: "How long it took to get items from the index cache.",
    labels: TYPE_TENANT,
    buckets: [0.001, 0.01, 0.1, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 45, 60, 90, 120],
  }),
  /** Not in Thanos. */
  corrupt: r.counter({
    name: "strata_store_index_cache_corrupt_values_total",
    help: "Cached values that could not be what they should, and were read anew.",
    labels: TYPE,
    preset: types,
  }),
  stored: r.histogram({
    name: name("stored_data_size_bytes"),
    help: "Bytes of items when they were put into the cache.",
    labels: TYPE_TENANT,
    buckets: [32, 256, 512, 1024, 32 << 10, 256 << 10, 512 << 10, 1 << 20, 32 << 20, 64 << 20, 128 << 20],
  }),
});

type IndexCacheMetrics = ReturnType<typeof indexCacheMetrics>;
