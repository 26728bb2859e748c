/** A value on its way into a cache. `ttlMs` 0: as long as there is room. */
export type CacheEntry = {readonly key: string; readonly value: Uint8Array; readonly ttlMs: number};

/** A connection to caches elsewhere. It may fail: `RemoteCache` turns that into misses. */
export interface CacheClient {
  /** Values of distinct keys in their order, undefined where there is none. Ends by its own time-outs. */
  getMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;
  setMany(entries: readonly CacheEntry[]): Promise<void>;
  close(): Promise<void>;
}
