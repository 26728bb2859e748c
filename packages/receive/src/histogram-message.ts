import {
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
} from "@strata/model";
import {WireReader} from "@strata/proto";

/** A native histogram of a request. */
export type HistogramSample = {readonly t: number; readonly st: number; readonly histogram: Histogram};

/** Exponential schemas that are understood: those above the finest that is stored are reduced to it. */
const MAX_KNOWN_SCHEMA = 52;
const STALE_BITS = 0x7ff0_0000_0000_0002n;
/** Buckets of one side; a histogram of 160 is large. */
const MAX_BUCKETS = 1 << 16;

const bits = new DataView(new ArrayBuffer(8));

type Fields = {
  countInt: bigint;
  countFloat: number | undefined;
  sum: number;
  stale: boolean;
  schema: number;
  zeroThreshold: number;
  zeroInt: bigint;
  zeroFloat: number | undefined;
  negativeSpans: Span[];
  negativeDeltas: bigint[];
  negativeCounts: number[];
  positiveSpans: Span[];
  positiveDeltas: bigint[];
  positiveCounts: number[];
  hint: number;
  t: number;
  custom: number[];
  st: number;
};

/** Reads a Histogram message of remote write 1.0 or 2.0. Throws `corrupt`. */
export function readHistogram(bytes: Uint8Array): HistogramSample {
  const f: Fields = {
    countInt: 0n,
    countFloat: undefined,
    sum: 0,
    stale: false,
    schema: 0,
    zeroThreshold: 0,
    zeroInt: 0n,
    zeroFloat: undefined,
    negativeSpans: [],
    negativeDeltas: [],
    negativeCounts: [],
    positiveSpans: [],
    positiveDeltas: [],
    positiveCounts: [],
    hint: 0,
    t: 0,
    custom: [],
    st: 0,
  };
  const r = new WireReader(bytes, "histogram");
  while (r.pos < r.end) readField(r, f);
  return {t: f.t, st: f.st, histogram: f.countFloat === undefined ? intHistogram(f) : floatHistogram(f)};
}

function readField(r: WireReader, f: Fields): void {
  const tag = r.uint32();
  switch (tag >>> 3) {
    case 1:
      f.countInt = r.uint64Exact();
      f.countFloat = undefined;
      return;
    case 2:
      f.countFloat = r.double();
      return;
    case 3:
      f.sum = r.double();
      bits.setFloat64(0, f.sum);
      f.stale = bits.getBigUint64(0) === STALE_BITS;
      return;
    case 4:
      f.schema = r.sint32();
      return;
    case 5:
      f.zeroThreshold = r.double();
      return;
    case 6:
      f.zeroInt = r.uint64Exact();
      return;
    case 7:
      f.zeroFloat = r.double();
      return;
    case 8:
      f.negativeSpans.push(readSpan(r));
      return;
    case 9:
      repeated(r, tag, f.negativeDeltas, sint64);
      return;
    case 10:
      repeated(r, tag, f.negativeCounts, double);
      return;
    case 11:
      f.positiveSpans.push(readSpan(r));
      return;
    case 12:
      repeated(r, tag, f.positiveDeltas, sint64);
      return;
    case 13:
      repeated(r, tag, f.positiveCounts, double);
      return;
    case 14:
      f.hint = r.uint32();
      return;
    case 15:
      f.t = r.int64();
      return;
    case 16:
      repeated(r, tag, f.custom, double);
      return;
    case 17:
      f.st = r.int64();
      return;
    default:
      r.skip(tag);
  }
}

const double = (r: WireReader): number => r.double();

const sint64 = (r: WireReader): bigint => {
  const raw = r.uint64Exact();
  return (raw >> 1n) ^ -(raw & 1n);
};

/** A repeated number, packed or not. */
function repeated<T>(r: WireReader, tag: number, into: T[], read: (r: WireReader) => T): void {
  if ((tag & 7) !== 2) {
    into.push(read(r));
    return;
  }
  const outer = r.enter();
  while (r.pos < r.end) into.push(read(r));
  r.leave(outer);
}

function readSpan(r: WireReader): Span {
  const outer = r.enter();
  let offset = 0;
  let length = 0;
  while (r.pos < r.end) {
    const tag = r.uint32();
    if (tag === 0x08) offset = r.sint32();
    else if (tag === 0x10) length = r.uint32();
    else r.skip(tag);
  }
  r.leave(outer);
  return {offset, length};
}

const base = (f: Fields) => ({
  resetHint: (f.hint <= RESET_HINT.gauge ? f.hint : RESET_HINT.unknown) as ResetHint,
  schema: f.schema,
  zeroThreshold: f.zeroThreshold,
  sum: f.sum,
  stale: f.stale,
  positiveSpans: f.positiveSpans,
  negativeSpans: f.negativeSpans,
  customValues: Float64Array.from(f.custom),
});

const intHistogram = (f: Fields): IntHistogram => ({
  kind: "int",
  ...base(f),
  count: f.countInt,
  zeroCount: f.zeroInt,
  positiveBuckets: BigInt64Array.from(f.positiveDeltas),
  negativeBuckets: BigInt64Array.from(f.negativeDeltas),
});

const floatHistogram = (f: Fields): FloatHistogram => ({
  kind: "float",
  ...base(f),
  count: f.countFloat ?? 0,
  zeroCount: f.zeroFloat ?? 0,
  positiveBuckets: Float64Array.from(f.positiveCounts),
  negativeBuckets: Float64Array.from(f.negativeCounts),
});

/** Why the histogram cannot be stored; undefined when it can. */
export function histogramFault(h: Histogram): string | undefined {
  if (h.stale) return undefined;
  const buckets = Math.max(h.positiveBuckets.length, h.negativeBuckets.length, h.customValues.length);
  if (buckets > MAX_BUCKETS) return `${buckets} buckets are too many`;
  if (h.schema === CUSTOM_BUCKETS_SCHEMA) {
    const fault = customFault(h);
    if (fault !== undefined) return fault;
  } else if (h.schema >= EXPONENTIAL_SCHEMA_MIN && h.schema <= MAX_KNOWN_SCHEMA) {
    const fault = exponentialFault(h);
    if (fault !== undefined) return fault;
  } else return `schema ${h.schema} is unknown`;
  return countFault(h);
}

function customFault(h: Histogram): string | undefined {
  const {customValues: bounds, positiveSpans} = h;
  for (let i = 0; i < bounds.length; i++) {
    const bound = bounds[i] as number;
    if (Number.isNaN(bound)) return "a custom bound is NaN";
    if (i > 0 && bound <= (bounds[i - 1] as number)) return "custom bounds do not ascend";
  }
  if (bounds.at(-1) === Number.POSITIVE_INFINITY) return "the last custom bound is +Inf";
  if (positiveSpans.some((span) => span.offset < 0)) return "a span has a negative offset";
  if (spanBuckets(positiveSpans) !== h.positiveBuckets.length) return "spans and buckets differ in number";
  const width = positiveSpans.reduce((sum, span) => sum + span.length + span.offset, 0);
  if (bounds.length + 1 < width) return `${bounds.length} custom bounds are too few`;
  if (Number(h.zeroCount) !== 0 || h.zeroThreshold !== 0) return "custom buckets with a zero bucket";
  if (h.negativeSpans.length > 0 || h.negativeBuckets.length > 0) return "custom buckets with negative buckets";
  return undefined;
}

function exponentialFault(h: Histogram): string | undefined {
  for (const [spans, buckets] of [
    [h.positiveSpans, h.positiveBuckets.length],
    [h.negativeSpans, h.negativeBuckets.length],
  ] as const) {
    if (spans.some((span, i) => i > 0 && span.offset < 0)) return "a span has a negative offset";
    if (spanBuckets(spans) !== buckets) return "spans and buckets differ in number";
  }
  return h.customValues.length > 0 ? "custom bounds with an exponential schema" : undefined;
}

function countFault(h: Histogram): string | undefined {
  if (h.kind === "float") {
    if (h.count < 0 || h.zeroCount < 0) return "a negative count";
    for (const counts of [h.positiveBuckets, h.negativeBuckets])
      if (counts.some((n) => n < 0)) return "a negative bucket";
    return undefined;
  }
  let sum = h.zeroCount;
  for (const deltas of [h.positiveBuckets, h.negativeBuckets]) {
    let count = 0n;
    for (const delta of deltas) {
      count += delta;
      if (count < 0n) return "a negative bucket";
      sum += count;
    }
  }
  const fits = Number.isNaN(h.sum) ? sum <= h.count : sum === h.count;
  return fits ? undefined : `the buckets hold ${sum} observations, the count is ${h.count}`;
}

/** The histogram in the finest schema that is stored. */
export function storable(h: Histogram): Histogram {
  if (h.stale || h.schema <= EXPONENTIAL_SCHEMA_MAX) return h;
  const to = EXPONENTIAL_SCHEMA_MAX;
  const positive = reduceSpans(h.positiveSpans, h.schema, to);
  const negative = reduceSpans(h.negativeSpans, h.schema, to);
  const common = {schema: to, positiveSpans: positive.spans, negativeSpans: negative.spans};
  if (h.kind === "float") {
    return {
      ...h,
      ...common,
      positiveBuckets: addFloats(h.positiveBuckets, positive.target),
      negativeBuckets: addFloats(h.negativeBuckets, negative.target),
    };
  }
  return {
    ...h,
    ...common,
    positiveBuckets: addDeltas(h.positiveBuckets, positive.target),
    negativeBuckets: addDeltas(h.negativeBuckets, negative.target),
  };
}

function addFloats(counts: Float64Array, target: readonly number[]): Float64Array {
  const out = new Float64Array((target.at(-1) ?? -1) + 1);
  for (let i = 0; i < counts.length; i++) {
    const at = target[i] as number;
    out[at] = (out[at] as number) + (counts[i] as number);
  }
  return out;
}

function addDeltas(deltas: BigInt64Array, target: readonly number[]): BigInt64Array {
  const out = new BigInt64Array((target.at(-1) ?? -1) + 1);
  let count = 0n;
  for (let i = 0; i < deltas.length; i++) {
    count += deltas[i] as bigint;
    const at = target[i] as number;
    out[at] = (out[at] as bigint) + count;
  }
  for (let i = out.length - 1; i > 0; i--) out[i] = (out[i] as bigint) - (out[i - 1] as bigint);
  return out;
}
