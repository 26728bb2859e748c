export {batchOf, collect, type PlainChunk, type PlainSeries, plain, streamOf} from "./batches.ts";
