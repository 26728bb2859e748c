import {errorText, StrataError} from "@strata/base";
import {type AnyValue, MAX_DEPTH, valueText} from "./any-value.ts";
import type {AttributeCache} from "./attribute-cache.ts";
import {NO_RECORDED_VALUE} from "./decode-protobuf.ts";
import type {Attribute, Buckets, Exemplar, Metric, MetricData, Resource, Scope} from "./otlp-metrics.ts";

type Json = Readonly<Record<string, unknown>>;

/** Reads an ExportMetricsServiceRequest in OTLP's JSON form (ids in hexadecimal, 64 bits as text or number). Throws `bad_data`. */
export function decodeOtlpJson(bytes: Uint8Array, cache: AttributeCache): Resource[] {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder("utf-8", {fatal: true}).decode(bytes));
  } catch (err) {
    throw new StrataError("bad_data", `cannot read OTLP request: ${errorText(err)}`, {cause: err});
  }
  return objects(object(document, "the request"), "resourceMetrics").map((json) => readResource(json, cache));
}

const readResource = (json: Json, cache: AttributeCache): Resource => ({
  attributes: attributes(object(json.resource, "resource")),
  scopes: objects(json, "scopeMetrics").map((scope) => readScope(scope, cache)),
});

function readScope(json: Json, cache: AttributeCache): Scope {
  const scope = object(json.scope, "scope");
  return {
    name: text(scope, "name"),
    version: text(scope, "version"),
    schemaUrl: text(json, "schemaUrl"),
    attributes: attributes(scope),
    metrics: objects(json, "metrics").map((metric) => readMetric(metric, cache)),
  };
}

const readMetric = (json: Json, cache: AttributeCache): Metric => ({
  name: text(json, "name"),
  unit: text(json, "unit"),
  data: readData(json, cache),
});

function readData(json: Json, cache: AttributeCache): MetricData {
  const {gauge, sum, histogram, exponentialHistogram, summary} = json;
  if (isThere(gauge)) return {kind: "gauge", points: points(gauge, cache, readNumber)};
  if (isThere(sum)) {
    const data = object(sum, "sum");
    const monotonic = data.isMonotonic === true;
    return {kind: "sum", points: points(sum, cache, readNumber), temporality: temporality(data), monotonic};
  }
  if (isThere(histogram)) {
    const data = object(histogram, "histogram");
    return {kind: "histogram", points: points(histogram, cache, readHistogram), temporality: temporality(data)};
  }
  if (isThere(exponentialHistogram)) {
    const data = object(exponentialHistogram, "exponentialHistogram");
    return {kind: "exponential", points: points(data, cache, readExponential), temporality: temporality(data)};
  }
  if (isThere(summary)) return {kind: "summary", points: points(summary, cache, readSummary)};
  return {kind: "empty"};
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null;

function points<P>(data: unknown, cache: AttributeCache, read: (json: Json, cache: AttributeCache) => P): P[] {
  return objects(object(data, "data"), "dataPoints").map((json) => read(json, cache));
}

const TEMPORALITIES: Readonly<Record<string, number>> = {
  AGGREGATION_TEMPORALITY_UNSPECIFIED: 0,
  AGGREGATION_TEMPORALITY_DELTA: 1,
  AGGREGATION_TEMPORALITY_CUMULATIVE: 2,
};

function temporality(json: Json): number {
  const value = json.aggregationTemporality;
  return typeof value === "string" ? (TEMPORALITIES[value] ?? 0) : number(json, "aggregationTemporality");
}

const common = (json: Json, cache: AttributeCache) => ({
  attributes: pointAttributes(json, cache),
  t: time(json, "timeUnixNano"),
  start: time(json, "startTimeUnixNano"),
  stale: (number(json, "flags") & NO_RECORDED_VALUE) !== 0,
  exemplars: objects(json, "exemplars").map(readExemplar),
});

const readNumber = (json: Json, cache: AttributeCache) => ({...common(json, cache), value: numberValue(json)});

const readHistogram = (json: Json, cache: AttributeCache) => ({
  ...common(json, cache),
  count: number(json, "count"),
  sum: isThere(json.sum) ? number(json, "sum") : undefined,
  counts: numbers(json, "bucketCounts"),
  bounds: numbers(json, "explicitBounds"),
});

const readExponential = (json: Json, cache: AttributeCache) => ({
  ...common(json, cache),
  count: number(json, "count"),
  sum: isThere(json.sum) ? number(json, "sum") : undefined,
  scale: number(json, "scale"),
  zeroCount: number(json, "zeroCount"),
  positive: buckets(json.positive),
  negative: buckets(json.negative),
});

const readSummary = (json: Json, cache: AttributeCache) => ({
  ...common(json, cache),
  count: number(json, "count"),
  sum: number(json, "sum"),
  quantiles: objects(json, "quantileValues").map((q) => [number(q, "quantile"), number(q, "value")] as const),
});

function buckets(value: unknown): Buckets {
  const json = object(value, "buckets");
  return {offset: number(json, "offset"), counts: numbers(json, "bucketCounts")};
}

const readExemplar = (json: Json): Exemplar => ({
  attributes: attributes(json, "filteredAttributes"),
  t: time(json, "timeUnixNano"),
  value: numberValue(json),
  traceId: text(json, "traceId").toLowerCase(),
  spanId: text(json, "spanId").toLowerCase(),
});

const numberValue = (json: Json): number => number(json, isThere(json.asInt) ? "asInt" : "asDouble");

/** Attributes of a point. Where all are texts, as most are, the list is that of equal ones before. */
function pointAttributes(json: Json, cache: AttributeCache): readonly Attribute[] {
  let key = "";
  for (const entry of objects(json, "attributes")) {
    const value = (entry.value as Json | null | undefined)?.stringValue;
    if (typeof entry.key !== "string" || typeof value !== "string") return attributes(json);
    key += `${entry.key.length} ${value.length} ${entry.key}${value}`;
  }
  return cache.of(key, () => attributes(json));
}

function attributes(json: Json, name = "attributes"): Attribute[] {
  return objects(json, name).map((entry) => ({
    key: text(entry, "key"),
    value: valueText(anyValue(entry.value, 0)),
  }));
}

function anyValue(value: unknown, depth: number): AnyValue {
  if (depth > MAX_DEPTH) throw bad(`values nest deeper than ${MAX_DEPTH}`);
  const json = object(value, "a value");
  if (isThere(json.stringValue)) return {kind: "text", text: text(json, "stringValue")};
  if (isThere(json.boolValue)) return {kind: "bool", value: json.boolValue === true};
  if (isThere(json.intValue)) return {kind: "int", digits: digits(json.intValue)};
  if (isThere(json.doubleValue)) return {kind: "double", value: number(json, "doubleValue")};
  if (isThere(json.bytesValue)) return {kind: "bytes", text: text(json, "bytesValue")};
  if (isThere(json.arrayValue)) {
    const values = objects(object(json.arrayValue, "arrayValue"), "values");
    return {kind: "list", values: values.map((v) => anyValue(v, depth + 1))};
  }
  if (isThere(json.kvlistValue)) {
    const entries = objects(object(json.kvlistValue, "kvlistValue"), "values");
    return {kind: "map", entries: entries.map((e) => [text(e, "key"), anyValue(e.value, depth + 1)] as const)};
  }
  return {kind: "none"};
}

function digits(value: unknown): string {
  const shown = String(value);
  if (!/^-?\d{1,20}$/.test(shown)) throw bad("a whole number is none");
  return BigInt.asIntN(64, BigInt(shown)).toString();
}

const NANOSECONDS = /^[1-9]\d{9,17}$/;

function time(json: Json, name: string): number {
  const value = json[name];
  if (!isThere(value)) return 0;
  // The last six digits gone, what is left is short enough to be exact.
  if (typeof value === "string" && NANOSECONDS.test(value)) return Number(value.slice(0, -6));
  return Number(BigInt(digits(value)) / 1_000_000n);
}

function object(value: unknown, what: string): Json {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw bad(`${what} is no object`);
  return value as Json;
}

function list(json: Json, name: string): readonly unknown[] {
  const value = json[name];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw bad(`${name} is no list`);
  return value;
}

const objects = (json: Json, name: string): Json[] => list(json, name).map((v) => object(v, `an entry of ${name}`));
const numbers = (json: Json, name: string): number[] => list(json, name).map((v) => toNumber(v, name));
const number = (json: Json, name: string): number => (isThere(json[name]) ? toNumber(json[name], name) : 0);

const SPECIAL: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

function toNumber(value: unknown, name: string): number {
  if (typeof value === "number") return value;
  if (typeof value === "string" && value in SPECIAL) return SPECIAL[value] as number;
  if (typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value))) return Number(value);
  throw bad(`${name} is no number`);
}

function text(json: Json, name: string): string {
  const value = json[name];
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw bad(`${name} is no text`);
  return value;
}

const bad = (problem: string): StrataError => new StrataError("bad_data", `cannot read OTLP request: ${problem}`);
