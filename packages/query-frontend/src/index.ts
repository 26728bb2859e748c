export {type CacheSettings, resultsCacheFromConfig} from "./cache-config.ts";
export {Downstream} from "./downstream.ts";
export {type DownstreamConfig, parseDownstreamConfig} from "./downstream-config.ts";
export {FairQueue, type FairQueueOptions} from "./fair-queue.ts";
export {Frontend, type FrontendOptions} from "./frontend.ts";
export {ResultsCache, type ResultsCacheOptions} from "./results-cache.ts";
export type {Compression} from "./value-compression.ts";
