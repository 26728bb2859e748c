/** What is known of a counter reset between a histogram and the one before it in its series. */
export const RESET_HINT = {unknown: 0, counterReset: 1, notCounterReset: 2, gauge: 3} as const;
export type ResetHint = (typeof RESET_HINT)[keyof typeof RESET_HINT];

/** Schema of histograms whose bucket bounds are listed (`customValues`) rather than exponential. */
export const CUSTOM_BUCKETS_SCHEMA = -53;
/** Range of exponential schemas that may be written; readers take up to 52 and reduce what is above 8. */
export const EXPONENTIAL_SCHEMA_MIN = -4;
export const EXPONENTIAL_SCHEMA_MAX = 8;

/** `length` buckets in a row; `offset` counts from index 0 for the first span, else from the end of the span before. */
export type Span = {readonly offset: number; readonly length: number};

type HistogramBase = {
  readonly resetHint: ResetHint;
  readonly schema: number;
  readonly zeroThreshold: number;
  /** The sum of a stale marker is a NaN; only `stale` tells it from others. */
  readonly sum: number;
  /** A marker that the series ended: all else is empty. */
  readonly stale: boolean;
  readonly positiveSpans: readonly Span[];
  readonly negativeSpans: readonly Span[];
  /** Upper bounds, ascending, only with the custom buckets schema; the last bucket (+Inf) is implied. */
  readonly customValues: Float64Array;
};

/** A histogram whose counts are floats: bucket counts are absolute. */
export type FloatHistogram = HistogramBase & {
  readonly kind: "float";
  readonly count: number;
  readonly zeroCount: number;
  readonly positiveBuckets: Float64Array;
  readonly negativeBuckets: Float64Array;
};

/** A histogram of whole observations, exact to 64 bits: each bucket is the difference to the one before it. */
export type IntHistogram = HistogramBase & {
  readonly kind: "int";
  readonly count: bigint;
  readonly zeroCount: bigint;
  readonly positiveBuckets: BigInt64Array;
  readonly negativeBuckets: BigInt64Array;
};

export type Histogram = FloatHistogram | IntHistogram;

/** The same histogram with float counts: itself when it is one. */
export function toFloatHistogram(h: Histogram): FloatHistogram {
  if (h.kind === "float") return h;
  return {
    kind: "float",
    resetHint: h.resetHint,
    schema: h.schema,
    zeroThreshold: h.zeroThreshold,
    sum: h.sum,
    stale: h.stale,
    positiveSpans: h.positiveSpans,
    negativeSpans: h.negativeSpans,
    customValues: h.customValues,
    count: Number(h.count),
    zeroCount: Number(h.zeroCount),
    positiveBuckets: undelta(h.positiveBuckets),
    negativeBuckets: undelta(h.negativeBuckets),
  };
}

function undelta(deltas: BigInt64Array): Float64Array {
  const out = new Float64Array(deltas.length);
  let value = 0n;
  for (let i = 0; i < deltas.length; i++) {
    value += deltas[i] as bigint;
    out[i] = Number(BigInt.asIntN(64, value));
  }
  return out;
}

/** How many buckets the spans hold. */
export function spanBuckets(spans: readonly Span[]): number {
  let total = 0;
  for (const {length} of spans) total += length;
  return total;
}

/** The bucket index of every bucket the spans hold, in order. */
export function spanIndexes(spans: readonly Span[]): number[] {
  const indexes: number[] = [];
  let at = 0;
  for (const {offset, length} of spans) {
    at += offset;
    for (let i = 0; i < length; i++) indexes.push(at++);
  }
  return indexes;
}

/** The spans that hold exactly the given bucket indexes (ascending, unique). */
export function spansOf(indexes: readonly number[]): Span[] {
  const spans: {offset: number; length: number}[] = [];
  let end = 0;
  for (const index of indexes) {
    const last = spans.at(-1);
    if (last !== undefined && index === end) last.length++;
    else spans.push({offset: index - end, length: 1});
    end = index + 1;
  }
  return spans;
}

/**
 * Where buckets of an exponential schema `from` go in the coarser schema `to`: the new spans and, for each old bucket,
 * the position of its new one. Counts that go to one position are added up.
 */
export function reduceSpans(spans: readonly Span[], from: number, to: number): {spans: Span[]; target: number[]} {
  const shift = from - to;
  const indexes: number[] = [];
  const target: number[] = [];
  for (const index of spanIndexes(spans)) {
    // Bucket i covers (base^(i-1), base^i]; 2^shift of them make one. Shifts above 31 leave only the sign.
    const coarse = shift > 31 ? (index > 0 ? 1 : 0) : ((index - 1) >> shift) + 1;
    if (indexes.at(-1) !== coarse) indexes.push(coarse);
    target.push(indexes.length - 1);
  }
  return {spans: spansOf(indexes), target};
}
