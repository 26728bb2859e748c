import type {Registry} from "@strata/telemetry";
import type {Cache} from "./cache.ts";
import {LruCache} from "./lru-cache.ts";

export type MemoryCacheOptions = {
  readonly name: string;
  readonly registry: Registry;
  readonly maxBytes: number;
  readonly maxItemBytes: number;
};

/** An LRU cache that is counted as `thanos_cache_inmemory_*`. */
export function memoryCache({name, registry, maxBytes, maxItemBytes}: MemoryCacheOptions): Cache {
  const metrics = memoryCacheMetrics(registry, name);
  metrics.maxBytes.set(maxBytes);
  metrics.maxItemBytes.set(maxItemBytes);
  const lru = new LruCache({
    name,
    maxBytes,
    maxItemBytes,
    events: {
      added(_, bytes) {
        metrics.added.inc();
        metrics.items.inc();
        metrics.itemsBytes.inc(bytes);
        metrics.totalBytes.inc(bytes);
      },
      evicted(_, bytes) {
        metrics.evicted.inc();
        metrics.items.dec();
        metrics.itemsBytes.dec(bytes);
        metrics.totalBytes.dec(bytes);
      },
      overflowed: () => metrics.overflowed.inc(),
    },
  });
  return {
    name,
    async getMany(keys) {
      const values = await lru.getMany(keys);
      metrics.requests.inc(keys.length);
      metrics.hits.inc(values.filter((value) => value !== undefined).length);
      return values;
    },
    set: (key, value, ttlMs) => lru.set(key, value, ttlMs),
    close: () => lru.close(),
  };
}

const memoryCacheMetrics = (registry: Registry, cache: string) => {
  const r = registry.sub({name: cache});
  const name = (rest: string) => `thanos_cache_inmemory_${rest}`;
  return {
    requests: r.counter({name: name("requests_total"), help: "Items asked of the cache."}),
    hits: r.counter({name: name("hits_total"), help: "Items that the cache had."}),
    added: r.counter({name: name("items_added_total"), help: "Items put into the cache."}),
    evicted: r.counter({name: name("items_evicted_total"), help: "Items that had to go."}),
    overflowed: r.counter({name: name("items_overflowed_total"), help: "Items too large to be kept."}),
    items: r.gauge({name: name("items"), help: "Items in the cache."}),
    itemsBytes: r.gauge({name: name("items_size_bytes"), help: "Bytes of items."}),
    totalBytes: r.gauge({name: name("total_size_bytes"), help: "Bytes of items with their keys."}),
    maxBytes: r.gauge({name: name("max_size_bytes"), help: "Bytes that the cache may hold."}),
    maxItemBytes: r.gauge({name: name("max_item_size_bytes"), help: "Bytes that one item may have."}),
  };
};
