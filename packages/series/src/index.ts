export {chunkColumnArrays} from "./chunk-columns.ts";
export {type DedupFunc, dedupLanes, type Lane, splitLanes} from "./dedup.ts";
export {type FrameParserOptions, SeriesFrameParser} from "./frame-parser.ts";
export {type FrameWriterOptions, hintsFrame, SeriesFrameWriter, warningFrame} from "./frame-writer.ts";
export {joinSeries, type SeriesPart, SourceMap} from "./join-series.ts";
export {LabelReorder} from "./label-reorder.ts";
export {LoserTree} from "./loser-tree.ts";
export {type MergeOptions, mergeBatches, sortWithout} from "./merge.ts";
export {plainChunks} from "./plain-chunks.ts";
export type {Caller, LabelAnswer, LabelQuery, Queryable, Select, Selectable, Shard} from "./queryable.ts";
export {
  AGGREGATE,
  type Aggregate,
  BATCH_BYTES,
  BATCH_SERIES,
  type SeriesBatch,
  SeriesBatchBuilder,
} from "./series-batch.ts";
export {settleOrder} from "./settle-order.ts";
