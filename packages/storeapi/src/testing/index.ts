export {type MemorySeries, MemoryStore} from "./memory-store.ts";
export {type SampleSeries, SampleStore} from "./sample-store.ts";
export {connect, connectStore, selectAll, startStore, storeInfo, type TestStore} from "./servers.ts";
