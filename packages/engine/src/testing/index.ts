export {bitsOf, expression, storedSeries} from "./arbitraries.ts";
export {type DatasetLine, datasetSeries} from "./golden-dataset.ts";
export {answer, difference, type Envelope, type GoldenQuery, type Server} from "./golden-queries.ts";
export {KnownFailures} from "./known-failures.ts";
export {MemoryStore, type StoredSample, type StoredSeries} from "./memory-store.ts";
export {runScript, type ScriptOutcome} from "./script-runner.ts";
export {asRead, fromScript} from "./script-storage.ts";
