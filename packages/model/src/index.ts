export {
  formatGoDuration,
  formatPrometheusDuration,
  formatRfc3339,
  parseGoDuration,
  parsePrometheusDuration,
  parseRfc3339,
  parseTimeOrDuration,
  resolveTime,
  type TimeOrDuration,
} from "./durations.ts";
export {goQuote, goUnquote, isLegacyLabelName, quoteLabelName} from "./go-quote.ts";
export {
  CUSTOM_BUCKETS_SCHEMA,
  EXPONENTIAL_SCHEMA_MAX,
  EXPONENTIAL_SCHEMA_MIN,
  type FloatHistogram,
  type Histogram,
  type IntHistogram,
  RESET_HINT,
  type ResetHint,
  reduceSpans,
  type Span,
  spanBuckets,
  spanIndexes,
  spansOf,
  toFloatHistogram,
} from "./histogram.ts";
export {compareLabels, Labels, METRIC_NAME} from "./labels.ts";
export {labelsHash, type ShardLabels, shardOf} from "./labels-hash.ts";
export {type Matcher, type MatchOp, matcher, matcherText, quoteRegex} from "./matcher.ts";
export {compileRegex, compileSearch, type Regex, type RegexGroups, type SearchRegex} from "./re2.ts";
export {
  hashMod,
  type RelabelAction,
  type RelabelConfig,
  type RelabelConfigInput,
  relabel,
  relabelConfig,
  relabelConfigs,
} from "./relabel.ts";
export {formatTimestamp, parseTimestamp, type Timestamp, ZERO_TIME} from "./timestamp.ts";
export {newUlid, parseUlid, ulidTime, ZERO_ULID} from "./ulid.ts";
export {compareUtf8} from "./utf8-order.ts";
