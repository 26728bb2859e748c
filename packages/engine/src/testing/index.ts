export {type DatasetLine, datasetSeries} from "./golden-dataset.ts";
export {MemoryStore, type StoredSample, type StoredSeries} from "./memory-store.ts";
