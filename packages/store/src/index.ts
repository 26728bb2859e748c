export {BucketStore, type BucketStoreOptions} from "./bucket-store.ts";
export {CachingBucket} from "./caching-bucket.ts";
export {cachingBucketFromConfig} from "./caching-bucket-config.ts";
export {type IndexCache, memoryIndexCache} from "./index-cache.ts";
export {indexCacheFromConfig} from "./index-cache-config.ts";
export {LOCAL_TUNING, REMOTE_TUNING, type ReadTuning} from "./read-context.ts";
export {type LimitOptions, NO_LIMITS} from "./request-limits.ts";
export {Store, type StoreOptions} from "./store-component.ts";
export type {BucketStoreInfo, CoveredRange} from "./store-info.ts";
