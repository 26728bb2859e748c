import {
  CUSTOM_BUCKETS_SCHEMA,
  type Histogram,
  RESET_HINT,
  type ResetHint,
  type Span,
  spanIndexes,
  spansOf,
} from "@strata/model";
import type {HistogramLayout} from "./histogram-layout.ts";

/** The open chunk, as far as the next sample's fate depends on it. */
export type OpenChunk = {
  readonly header: ResetHint;
  readonly layout: HistogramLayout;
  readonly last: Histogram;
};

/**
 * What to do with a sample: begin a chunk with a header, or append it, the chunk having (from now on, for all its
 * samples) this layout.
 */
export type AppendDecision =
  | {readonly kind: "cut"; readonly header: ResetHint}
  | {readonly kind: "append"; readonly layout: HistogramLayout};

const {unknown, counterReset, notCounterReset, gauge} = RESET_HINT;

/**
 * Whether `h` may follow in the open chunk. Compat: the order of the checks decides the new chunk's header, and is that of
 * the Go original.
 */
export function decideAppend(chunk: OpenChunk, h: Histogram): AppendDecision {
  return h.resetHint === gauge ? decideGauge(chunk, h) : decideCounter(chunk, h);
}

function decideCounter({header, layout, last}: OpenChunk, h: Histogram): AppendDecision {
  // Compat: after gauges, an integer histogram begins a chunk "not reset", a float one "unknown".
  if (header === gauge) return cut(h.kind === "int" ? notCounterReset : unknown);
  if (h.resetHint === counterReset) return cut(counterReset);
  if (h.stale) return {kind: "append", layout};
  if (last.stale) return cut(unknown);
  if (h.count < last.count) return cut(counterReset);
  if (h.schema !== layout.schema || h.zeroThreshold !== layout.zeroThreshold) return cut(unknown);
  if (boundsDiffer(layout, h)) return cut(counterReset);
  if (h.zeroCount < last.zeroCount) return cut(counterReset);
  const positive = compareSide(layout.positiveSpans, last, h, "positive");
  if (positive === undefined) return cut(counterReset);
  const negative = compareSide(layout.negativeSpans, last, h, "negative");
  if (negative === undefined) return cut(counterReset);
  if (!positive.chunkGrows && !negative.chunkGrows) return {kind: "append", layout};
  return {
    kind: "append",
    layout: {
      ...layout,
      positiveSpans: positive.sampleGrows ? spansOf(positive.union) : h.positiveSpans,
      negativeSpans: negative.sampleGrows ? spansOf(negative.union) : h.negativeSpans,
    },
  };
}

function decideGauge({header, layout, last}: OpenChunk, h: Histogram): AppendDecision {
  if (header !== gauge) return cut(gauge);
  if (h.stale) return {kind: "append", layout};
  if (last.stale) return cut(gauge);
  if (h.schema !== layout.schema || h.zeroThreshold !== layout.zeroThreshold || boundsDiffer(layout, h))
    return cut(gauge);
  const positive = union(layout.positiveSpans, h.positiveSpans);
  const negative = union(layout.negativeSpans, h.negativeSpans);
  if (!positive.chunkGrows && !negative.chunkGrows) return {kind: "append", layout};
  const sampleGrows = positive.sampleGrows || negative.sampleGrows;
  return {
    kind: "append",
    layout: {
      ...layout,
      positiveSpans: sampleGrows ? spansOf(positive.union) : h.positiveSpans,
      negativeSpans: sampleGrows ? spansOf(negative.union) : h.negativeSpans,
    },
  };
}

const cut = (header: ResetHint): AppendDecision => ({kind: "cut", header});

function boundsDiffer(layout: HistogramLayout, h: Histogram): boolean {
  if (h.schema !== CUSTOM_BUCKETS_SCHEMA) return false;
  const a = layout.customValues;
  const b = h.customValues;
  return a.length !== b.length || a.some((bound, i) => bound !== b[i]);
}

type Union = {
  /** All bucket indexes of both, ascending. */
  readonly union: number[];
  /** The sample has buckets that the chunk lacks. */
  readonly chunkGrows: boolean;
  /** The chunk has buckets that the sample lacks. */
  readonly sampleGrows: boolean;
};

const UNCHANGED: Union = {union: [], chunkGrows: false, sampleGrows: false};

/** `compare` of one side of the last histogram, which has the chunk's spans, and the next. */
function compareSide(
  spans: readonly Span[],
  last: Histogram,
  h: Histogram,
  side: "positive" | "negative",
): Union | undefined {
  const own = side === "positive" ? h.positiveSpans : h.negativeSpans;
  if (!sameSpans(spans, own)) return compare(spans, own, absolute(last, side), absolute(h, side));
  // PERF: nearly always nothing about the buckets changes but their counts.
  const a = side === "positive" ? last.positiveBuckets : last.negativeBuckets;
  const b = side === "positive" ? h.positiveBuckets : h.negativeBuckets;
  return grows(a, b) ? UNCHANGED : undefined;
}

/** Whether no bucket counts less in `b` than in `a`. */
function grows(a: Float64Array | BigInt64Array, b: Float64Array | BigInt64Array): boolean {
  if (a instanceof Float64Array) {
    for (let i = 0; i < a.length; i++) if ((a[i] as number) > (b[i] as number)) return false;
    return true;
  }
  let more = 0n;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as bigint;
    const y = b[i] as bigint;
    if (x !== y) more += y - x;
    if (more < 0n) return false;
  }
  return true;
}

/** Both sides' buckets; undefined when a count went down, or a bucket that held something is gone. */
function compare(
  chunkSpans: readonly Span[],
  sampleSpans: readonly Span[],
  chunkCounts: ArrayLike<number | bigint>,
  sampleCounts: ArrayLike<number | bigint>,
): Union | undefined {
  const a = spanIndexes(chunkSpans);
  const b = spanIndexes(sampleSpans);
  const all: number[] = [];
  let chunkGrows = false;
  let sampleGrows = false;
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const x = i < a.length ? (a[i] as number) : Number.POSITIVE_INFINITY;
    const y = j < b.length ? (b[j] as number) : Number.POSITIVE_INFINITY;
    all.push(Math.min(x, y));
    if (x === y) {
      if ((chunkCounts[i] as number) > (sampleCounts[j] as number)) return undefined;
      i++;
      j++;
    } else if (x < y) {
      // The last sample's own spans may be narrower than the chunk's, but then the counts given here are 0.
      if (Number(chunkCounts[i]) !== 0) return undefined;
      sampleGrows = true;
      i++;
    } else {
      chunkGrows = true;
      j++;
    }
  }
  return {union: all, chunkGrows, sampleGrows};
}

function union(chunkSpans: readonly Span[], sampleSpans: readonly Span[]): Union {
  const a = new Set(spanIndexes(chunkSpans));
  const b = new Set(spanIndexes(sampleSpans));
  const all = [...new Set([...a, ...b])].sort((x, y) => x - y);
  return {union: all, chunkGrows: all.length > a.size, sampleGrows: all.length > b.size};
}

/** Absolute bucket counts of one side. */
function absolute(h: Histogram, side: "positive" | "negative"): ArrayLike<number | bigint> {
  if (h.kind === "float") return side === "positive" ? h.positiveBuckets : h.negativeBuckets;
  const deltas = side === "positive" ? h.positiveBuckets : h.negativeBuckets;
  const counts = new BigInt64Array(deltas.length);
  let value = 0n;
  for (let i = 0; i < deltas.length; i++) {
    value += deltas[i] as bigint;
    counts[i] = value;
  }
  return counts;
}

/**
 * The values of `h` for every bucket of a layout that has all of its buckets, positive ones first: absolute for floats,
 * differences for integers.
 */
export function rowFor(layout: HistogramLayout, h: Histogram): Float64Array | BigInt64Array {
  if (h.kind === "float") {
    const positive = widen(layout.positiveSpans, h.positiveSpans, h.positiveBuckets);
    const negative = widen(layout.negativeSpans, h.negativeSpans, h.negativeBuckets);
    const row = new Float64Array(positive.length + negative.length);
    row.set(positive);
    row.set(negative, positive.length);
    return row;
  }
  const positive = widen(layout.positiveSpans, h.positiveSpans, h.positiveBuckets);
  const negative = widen(layout.negativeSpans, h.negativeSpans, h.negativeBuckets);
  const row = new BigInt64Array(positive.length + negative.length);
  row.set(positive);
  row.set(negative, positive.length);
  return row;
}

function widen<T extends Float64Array | BigInt64Array>(spans: readonly Span[], own: readonly Span[], values: T): T;
function widen(
  spans: readonly Span[],
  own: readonly Span[],
  values: Float64Array | BigInt64Array,
): Float64Array | BigInt64Array {
  if (sameSpans(spans, own)) return values;
  const positions = new Map(spanIndexes(spans).map((index, at) => [index, at]));
  const target = spanIndexes(own).map((index) => positions.get(index) as number);
  if (values instanceof Float64Array) {
    const row = new Float64Array(positions.size);
    target.forEach((at, i) => {
      row[at] = values[i] as number;
    });
    return row;
  }
  const row = new BigInt64Array(positions.size);
  let value = 0n;
  target.forEach((at, i) => {
    value += values[i] as bigint;
    row[at] = value;
  });
  for (let at = row.length - 1; at > 0; at--) row[at] = (row[at] as bigint) - (row[at - 1] as bigint);
  return row;
}

export const sameSpans = (a: readonly Span[], b: readonly Span[]): boolean =>
  a === b ||
  (a.length === b.length &&
    a.every((span, i) => span.offset === (b[i] as Span).offset && span.length === (b[i] as Span).length));
