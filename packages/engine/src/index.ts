export {fromModel} from "./decode-chunk.ts";
export type {QueryParams} from "./evaluation.ts";
export {execute} from "./execute.ts";
export {explain, type OperatorCost, type PlanNode} from "./explain.ts";
export {
  CUSTOM_SCHEMA,
  type FloatHistogram,
  HINT,
  type Hint,
} from "./histogram/float-histogram.ts";
export {histogramText, integerHistogramText} from "./histogram/text.ts";
export {DEFAULT_OPTIONS, type DedupOptions, type EngineOptions, type Features} from "./options.ts";
export type {QueryResult, QueryStats} from "./query-result.ts";
export {writeResultJson} from "./result-json.ts";
