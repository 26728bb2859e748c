export type {Cache} from "./cache.ts";
export {type CacheContext, REMOTE_CACHES, remoteCache, unsupportedCache} from "./cache-config.ts";
export {ITEM_OVERHEAD_BYTES, LruCache, type LruEvents, type LruOptions} from "./lru-cache.ts";
export type {ResolveAddresses} from "./memcached-client.ts";
export {memoryCache} from "./memory-cache.ts";
