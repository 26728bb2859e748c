import {StrataError} from "@strata/base";
import {type FloatHistogram, HINT} from "@strata/engine";
import {compareUtf8, Labels} from "@strata/model";
import {emptyVector, type ForState, type RuleVector} from "@strata/rules";

type JsonHistogram = {count: string; sum: string; buckets?: [number, string, string, string][]};
type JsonSeries = {
  metric: Record<string, string>;
  value?: [number, string];
  values?: [number, string][];
  histogram?: [number, JsonHistogram];
};

/** The answer of a query API. */
export type QueryAnswer<T> = {readonly result: T; readonly warnings: readonly string[]};

/**
 * Label sets of answers, kept from one answer to the next by their text, so that a rule whose result has the same series
 * every time meets the same objects.
 */
export class LabelCache {
  #now = new Map<string, Labels>();
  #before = new Map<string, Labels>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(metric: Readonly<Record<string, string>>): Labels {
    const names = Object.keys(metric).sort(compareUtf8);
    const pairs: string[] = [];
    for (const name of names) {
      const value = metric[name] as string;
      if (value !== "") pairs.push(name, value);
    }
    const key = pairs.join("\u0000");
    let labels = this.#now.get(key);
    if (labels !== undefined) return labels;
    labels = this.#before.get(key) ?? new Labels(pairs);
    if (this.#now.size >= this.#limit) {
      this.#before = this.#now;
      this.#now = new Map();
    }
    this.#now.set(key, labels);
    return labels;
  }
}

/** Reads the answer to an instant query. Throws StrataError for anything but a vector or a scalar. */
export function readVector(body: string, labels: LabelCache): QueryAnswer<RuleVector> {
  const {data, warnings} = readEnvelope(body);
  if (data.resultType === "scalar") {
    const [, value] = data.result as [number, string];
    const values = Float64Array.of(parseFloatText(value));
    return {result: {labels: [Labels.EMPTY], values, histograms: undefined}, warnings};
  }
  if (data.resultType !== "vector") {
    throw new StrataError("execution", "rule result is not a vector or scalar");
  }
  const series = (data.result ?? []) as readonly JsonSeries[];
  if (series.length === 0) return {result: emptyVector, warnings};
  const values = new Float64Array(series.length);
  let histograms: Map<number, FloatHistogram> | undefined;
  const sets = series.map(({metric, value, histogram}, i) => {
    if (histogram !== undefined) {
      histograms ??= new Map();
      histograms.set(i, readHistogram(histogram[1]));
    } else values[i] = parseFloatText(value?.[1] ?? "NaN");
    return labels.get(metric);
  });
  return {result: {labels: sets, values, histograms}, warnings};
}

/** The last sample of each series in the answer to a range query. */
export function readLast(body: string): QueryAnswer<readonly ForState[]> {
  const {data, warnings} = readEnvelope(body);
  if (data.resultType !== "matrix") throw new StrataError("execution", `want a matrix, got ${data.resultType}`);
  const result = ((data.result ?? []) as readonly JsonSeries[]).flatMap(({metric, values = []}) => {
    const last = values.at(-1);
    if (last === undefined) return [];
    return [{labels: Labels.fromObject(metric), t: Math.round(last[0] * 1000), v: parseFloatText(last[1])}];
  });
  return {result, warnings};
}

type Envelope = {
  readonly data: {readonly resultType: string; readonly result: unknown};
  readonly warnings: readonly string[];
};

function readEnvelope(body: string): Envelope {
  let answer: {status?: string; error?: string; data?: Envelope["data"]; warnings?: string[]};
  try {
    answer = JSON.parse(body) as typeof answer;
  } catch {
    throw new StrataError("unavailable", `cannot read the answer to a query: ${body.slice(0, 200)}`);
  }
  if (answer.status !== "success" || typeof answer.data?.resultType !== "string") {
    throw new StrataError("execution", answer.error ?? "the answer to a query has no data");
  }
  return {data: answer.data, warnings: answer.warnings ?? []};
}

function parseFloatText(text: string): number {
  if (text === "+Inf" || text === "Inf") return Number.POSITIVE_INFINITY;
  return text === "-Inf" ? Number.NEGATIVE_INFINITY : Number(text);
}

/**
 * A native histogram out of its buckets. The API gives their bounds, from which schema and indexes follow: bounds of a
 * schema s are powers of 2^(2^-s). Bounds that are none are custom ones.
 */
export function readHistogram({count, sum, buckets = []}: JsonHistogram): FloatHistogram {
  const parsed = buckets.map(([kind, low, high, n]) => ({
    kind,
    low: parseFloatText(low),
    high: parseFloatText(high),
    n: parseFloatText(n),
  }));
  const shared = {hint: HINT.gauge, count: parseFloatText(count), sum: parseFloatText(sum)};
  const zero = parsed.find(({kind, low, high}) => kind === 3 && low === -high);
  const others = parsed.filter((b) => b !== zero);
  const schema = schemaOf(others, zero?.high ?? 0);
  if (schema === undefined) return {...shared, ...customBuckets(parsed)};
  const positive = others.filter(({high}) => high > 0);
  const negative = others.filter(({high}) => high <= 0).reverse();
  return {
    ...shared,
    schema,
    zeroThreshold: zero?.high ?? 0,
    zeroCount: zero?.n ?? 0,
    pi: positive.map(({high}) => bucketIndex(high, schema)),
    pv: positive.map(({n}) => n),
    ni: negative.map(({low}) => bucketIndex(-low, schema)),
    nv: negative.map(({n}) => n),
    custom: [],
  };
}

type JsonBucket = {readonly kind: number; readonly low: number; readonly high: number; readonly n: number};

const MIN_SCHEMA = -4;
const MAX_SCHEMA = 8;

/** The schema whose bounds these are; undefined where they are bounds of none. `zero` is the zero bucket's end. */
function schemaOf(buckets: readonly JsonBucket[], zero: number): number | undefined {
  if (buckets.length === 0) return 0;
  for (let schema = MIN_SCHEMA; schema <= MAX_SCHEMA; schema++) {
    if (buckets.every((bucket) => isBucketOf(bucket, schema, zero))) return schema;
  }
  return undefined;
}

function isBucketOf({low, high}: JsonBucket, schema: number, zero: number): boolean {
  if (low < 0 && high > 0) return false;
  const width = 2 ** -schema;
  const [near, far] = [Math.min(Math.abs(low), Math.abs(high)), Math.max(Math.abs(low), Math.abs(high))];
  const end = Math.log2(far) / width;
  if (!Number.isFinite(end) || Math.abs(end - Math.round(end)) > GRID_TOLERANCE) return false;
  const span = end - Math.log2(near) / width;
  // A bucket into which the zero bucket reaches begins where that ends.
  return Math.abs(span - 1) < GRID_TOLERANCE || (near === zero && span < 1);
}

/** How far a bound's logarithm may be from a multiple of its schema's width, which is 1/256 at the least. */
const GRID_TOLERANCE = 1e-6;

const bucketIndex = (bound: number, schema: number): number => Math.round(Math.log2(bound) * 2 ** schema);

function customBuckets(
  buckets: readonly JsonBucket[],
): Pick<FloatHistogram, "schema" | "zeroThreshold" | "zeroCount" | "pi" | "pv" | "ni" | "nv" | "custom"> {
  const finite = (v: number): boolean => Number.isFinite(v);
  const custom = [...new Set(buckets.flatMap(({low, high}) => [low, high]).filter(finite))].sort((a, b) => a - b);
  const index = ({high}: JsonBucket): number => (finite(high) ? custom.indexOf(high) : custom.length);
  return {
    schema: -53,
    zeroThreshold: 0,
    zeroCount: 0,
    pi: buckets.map(index),
    pv: buckets.map(({n}) => n),
    ni: [],
    nv: [],
    custom,
  };
}
