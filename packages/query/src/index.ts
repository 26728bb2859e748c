export {endpointBackend} from "./endpoint-backend.ts";
export type {ClientSettings, EndpointEntry} from "./endpoint-config.ts";
export {EndpointSource, type EndpointSourceOptions} from "./endpoint-source.ts";
export type {Tenancy} from "./enforce-tenancy.ts";
export {featuresFrom} from "./features.ts";
export {Querier, type QuerierOptions} from "./querier.ts";
export {QueryRunner, type QueryRunnerOptions} from "./query-runner.ts";
export {type QueryServiceDefaults, queryService} from "./query-service.ts";
export {queryInfo, storeStatuses} from "./store-status.ts";
