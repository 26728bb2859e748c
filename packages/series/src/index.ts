export type {LabelAnswer, LabelQuery, Queryable, Select, Shard} from "./queryable.ts";
export {AGGREGATE, type Aggregate, BATCH_SERIES, type SeriesBatch, SeriesBatchBuilder} from "./series-batch.ts";
