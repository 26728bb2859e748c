export type {Cache} from "./cache.ts";
export {ITEM_OVERHEAD_BYTES, LruCache, type LruEvents, type LruOptions} from "./lru-cache.ts";
