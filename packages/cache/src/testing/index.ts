export {type CacheServer, startCacheServer} from "./servers.ts";
export {spoilCache} from "./spoil.ts";
