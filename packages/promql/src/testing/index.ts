export {type AtVariants, atVariants} from "./at-variants.ts";
export {
  type EvalCommand,
  type ExpectedSeries,
  type Grid,
  type LoadCommand,
  type LoadSeries,
  parseScript,
  type ScriptCommand,
  type TextPattern,
  textMatches,
} from "./script.ts";
export {parseSeriesDescription, type SequenceValue, type SeriesDescription} from "./series-description.ts";
export type {CounterResetHint, TestBuckets, TestHistogram} from "./test-histogram.ts";
