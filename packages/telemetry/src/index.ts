export {type ExpositionFormat, exposition, negotiate} from "./exposition.ts";
export {goFloat} from "./go-float.ts";
export {
  LOG_FORMATS,
  LOG_LEVELS,
  type LogFields,
  type LogFormat,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  newLogger,
  nullLogger,
} from "./logger.ts";
export type {
  Counter,
  Family,
  Gauge,
  GaugeSpec,
  Histogram,
  HistogramSpec,
  LabelledGaugeSpec,
  LabelledHistogramSpec,
  LabelledSpec,
  LabelsOf,
  MetricFamily,
  MetricSample,
  MetricSpec,
  Registry,
  SubRegistry,
  Summary,
} from "./metric-types.ts";
export {DEFAULT_BUCKETS, newRegistry} from "./registry.ts";
export {type BuildInfo, registerRuntimeMetrics} from "./runtime-metrics.ts";
export {formatTraceparent, parseTraceparent, type SpanContext, TRACEPARENT} from "./trace-context.ts";
export {
  type AttributeValue,
  nullTracer,
  type Span,
  type SpanKind,
  type SpanOptions,
  type Tracer,
  tracerFromConfig,
} from "./tracer.ts";
