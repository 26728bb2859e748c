export {endpointBackend} from "./endpoint-backend.ts";
export type {ClientSettings, EndpointEntry} from "./endpoint-config.ts";
export {EndpointSource, type EndpointSourceOptions} from "./endpoint-source.ts";
export {featuresFrom} from "./features.ts";
export {Querier, type QuerierOptions} from "./querier.ts";
export {type QueryServiceDefaults, queryService} from "./query-service.ts";
export {queryInfo, storeStatuses} from "./store-status.ts";
export {warmUp} from "./warm-up.ts";
export {WorkerPool} from "./worker-pool.ts";

/** Where the query workers of a pool begin. */
export const QUERY_WORKER = new URL("./worker-entry.ts", import.meta.url);
