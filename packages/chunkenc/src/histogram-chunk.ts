import {BitReader} from "@strata/bytes";
import {type HistogramBody, type HistogramSamples, histogramDecode} from "@strata/kernels";
import {
  EXPONENTIAL_SCHEMA_MAX,
  type FloatHistogram,
  type Histogram,
  type IntHistogram,
  RESET_HINT,
  type ResetHint,
  reduceSpans,
  spanBuckets,
} from "@strata/model";
import {type ChunkPlace, corruptChunk, UNKNOWN_PLACE} from "./chunk-error.ts";
import {ENCODING, type Encoding, isHistogramEncoding} from "./encoding.ts";
import {EMPTY_LAYOUT, type HistogramLayout, readLayout} from "./histogram-layout.ts";

// Layout of a histogram chunk's data:
//
//   BE u16: sample count                     | u8: reset header in the top two bits     encodings 2, 3
//   BE u16: reset header, 14-bit count       | u8: start time header                    encodings 5, 6
//   then bits: layout | samples
const HEADER_BYTES = 3;

/** Reset headers by the top two bits of their byte. */
const HINTS: readonly ResetHint[] = [
  RESET_HINT.unknown,
  RESET_HINT.notCounterReset,
  RESET_HINT.counterReset,
  RESET_HINT.gauge,
];

type ChunkHead = {
  readonly layout: HistogramLayout;
  /** What the chunk's header says of its first sample, or that all are gauges. */
  readonly resetHeader: ResetHint;
  /** Numbers of positive and negative buckets: a row is the former, then the latter. */
  readonly positive: number;
  readonly negative: number;
  readonly n: number;
  /** Samples [live, n) are stale markers and have no row. */
  readonly live: number;
  /** ms. */
  readonly t: Float64Array;
  /** Bit patterns kept. */
  readonly sum: Float64Array;
  /** Start timestamps (ms, 0 for none), only where the encoding carries them. */
  readonly st: Float64Array | undefined;
};

/** A chunk's histograms as float columns; `rows` are absolute counts, live × (positive + negative). */
export type FloatHistogramColumns = ChunkHead & {
  readonly kind: "float";
  readonly count: Float64Array;
  readonly zeroCount: Float64Array;
  readonly rows: Float64Array;
};

/** The same of whole observations, exact to 64 bits; `rows` are differences between neighbouring buckets. */
export type IntHistogramColumns = ChunkHead & {
  readonly kind: "int";
  readonly count: BigUint64Array;
  readonly zeroCount: BigUint64Array;
  readonly rows: BigInt64Array;
};

export type HistogramColumns = FloatHistogramColumns | IntHistogramColumns;

const isFloat = (encoding: number): boolean =>
  encoding === ENCODING.floatHistogram || encoding === ENCODING.floatHistogramST;

/** The number of samples that the histogram chunk at data[from] states. */
export function histogramCount(encoding: number, data: Uint8Array, from: number): number {
  const stated = ((data[from] as number) << 8) | (data[from + 1] as number);
  return encoding === ENCODING.histogramST || encoding === ENCODING.floatHistogramST ? stated & 0x3fff : stated;
}

/** Decodes a histogram chunk in its own form. Throws `corrupt`. */
export function decodeHistograms(
  encoding: Encoding,
  data: Uint8Array,
  from: number,
  length: number,
  place: ChunkPlace = UNKNOWN_PLACE,
): HistogramColumns {
  return decode(encoding, data, from, length, place, isFloat(encoding));
}

/** Decodes a histogram chunk of either form with float counts. Throws `corrupt`. */
export function decodeFloatHistograms(
  encoding: Encoding,
  data: Uint8Array,
  from: number,
  length: number,
  place: ChunkPlace = UNKNOWN_PLACE,
): FloatHistogramColumns {
  return decode(encoding, data, from, length, place, true) as FloatHistogramColumns;
}

function decode(
  encoding: Encoding,
  data: Uint8Array,
  from: number,
  length: number,
  place: ChunkPlace,
  asFloat: boolean,
): HistogramColumns {
  const {layout, resetHeader, body} = readHead(encoding, data, from, length, place);
  const samples = histogramDecode(data, from, length, body, asFloat);
  if (typeof samples === "number") {
    throw corruptChunk(encoding, length, place, `it does not hold the ${body.samples} histograms it states`);
  }
  return columns({layout, resetHeader, positive: body.positive, negative: body.negative}, samples, asFloat);
}

/** Header and layout of a histogram chunk, and where its samples begin. Throws `corrupt`. */
export function readHead(
  encoding: Encoding,
  data: Uint8Array,
  from: number,
  length: number,
  place: ChunkPlace,
): {layout: HistogramLayout; resetHeader: ResetHint; body: HistogramBody} {
  if (!isHistogramEncoding(encoding)) throw corruptChunk(encoding, length, place, "it holds no histograms");
  if (length < HEADER_BYTES || from + length > data.length) throw corruptChunk(encoding, length, place, "too short");
  const withST = encoding === ENCODING.histogramST || encoding === ENCODING.floatHistogramST;
  const samples = histogramCount(encoding, data, from);
  const r = new BitReader(data, place.name, from, from + length, place.offset - from);
  r.skip(8 * HEADER_BYTES);
  const layout = samples === 0 ? EMPTY_LAYOUT : readLayout(r);
  return {
    layout,
    resetHeader: HINTS[(data[withST ? from : from + 2] as number) >>> 6] as ResetHint,
    body: {
      float: isFloat(encoding),
      startBit: r.pos,
      samples,
      positive: spanBuckets(layout.positiveSpans),
      negative: spanBuckets(layout.negativeSpans),
      stHeader: withST ? (data[from + 2] as number) : -1,
    },
  };
}

function columns(
  head: Pick<ChunkHead, "layout" | "resetHeader" | "positive" | "negative">,
  samples: HistogramSamples,
  asFloat: boolean,
): HistogramColumns {
  const {n, live, t, sum, st, count, zeroCount, rows} = samples;
  const {layout, resetHeader, positive, negative} = head;
  const result: HistogramColumns = asFloat
    ? {kind: "float", layout, resetHeader, positive, negative, n, live, t, sum, st, count, zeroCount, rows}
    : {
        kind: "int",
        layout,
        resetHeader,
        positive,
        negative,
        n,
        live,
        t,
        sum,
        st,
        count: new BigUint64Array(count.buffer, count.byteOffset, count.length),
        zeroCount: new BigUint64Array(zeroCount.buffer, zeroCount.byteOffset, zeroCount.length),
        rows: new BigInt64Array(rows.buffer, rows.byteOffset, rows.length),
      };
  return layout.schema > EXPONENTIAL_SCHEMA_MAX ? reduced(result) : result;
}

/** The same histograms in the finest schema that may be written. */
function reduced(columns: HistogramColumns): HistogramColumns {
  const {layout} = columns;
  const positive = reduceSpans(layout.positiveSpans, layout.schema, EXPONENTIAL_SCHEMA_MAX);
  const negative = reduceSpans(layout.negativeSpans, layout.schema, EXPONENTIAL_SCHEMA_MAX);
  const head = {
    layout: {
      ...layout,
      schema: EXPONENTIAL_SCHEMA_MAX,
      positiveSpans: positive.spans,
      negativeSpans: negative.spans,
    },
    positive: spanBuckets(positive.spans),
    negative: spanBuckets(negative.spans),
  };
  const width = head.positive + head.negative;
  const sides = [
    {from: 0, to: 0, target: positive.target, width: head.positive},
    {from: columns.positive, to: head.positive, target: negative.target, width: head.negative},
  ];
  const oldWidth = columns.positive + columns.negative;
  if (columns.kind === "float") {
    const rows = new Float64Array(columns.live * width);
    for (let i = 0; i < columns.live; i++) {
      for (const side of sides) {
        side.target.forEach((to, b) => {
          const at = i * width + side.to + to;
          rows[at] = (rows[at] as number) + (columns.rows[i * oldWidth + side.from + b] as number);
        });
      }
    }
    return {...columns, ...head, rows};
  }
  const rows = new BigInt64Array(columns.live * width);
  for (let i = 0; i < columns.live; i++) {
    for (const side of sides) {
      const start = i * width + side.to;
      let value = 0n;
      side.target.forEach((to, b) => {
        value += columns.rows[i * oldWidth + side.from + b] as bigint;
        rows[start + to] = (rows[start + to] as bigint) + value;
      });
      // Back to differences, from the right.
      for (let b = side.width - 1; b > 0; b--) {
        rows[start + b] = (rows[start + b] as bigint) - (rows[start + b - 1] as bigint);
      }
    }
  }
  return {...columns, ...head, rows};
}

/**
 * What a reader of a single chunk says of sample i: gauge if the chunk is of gauges, not reset from the second sample
 * on, and never more than unknown of the first.
 */
export function resetHintAt(columns: HistogramColumns, i: number): ResetHint {
  if (i >= columns.live) return RESET_HINT.unknown;
  if (columns.resetHeader === RESET_HINT.gauge) return RESET_HINT.gauge;
  return i > 0 ? RESET_HINT.notCounterReset : RESET_HINT.unknown;
}

/** Sample i as an object; bucket arrays are views on the columns. */
export function histogramAt(columns: FloatHistogramColumns, i: number): FloatHistogram;
export function histogramAt(columns: HistogramColumns, i: number): Histogram;
export function histogramAt(columns: HistogramColumns, i: number): Histogram {
  const stale = i >= columns.live;
  const layout = stale ? EMPTY_LAYOUT : columns.layout;
  const base = {
    resetHint: resetHintAt(columns, i),
    schema: layout.schema,
    zeroThreshold: layout.zeroThreshold,
    sum: columns.sum[i] as number,
    stale,
    positiveSpans: layout.positiveSpans,
    negativeSpans: layout.negativeSpans,
    customValues: layout.customValues,
  };
  const width = columns.positive + columns.negative;
  const start = stale ? 0 : i * width;
  const middle = stale ? 0 : start + columns.positive;
  const end = stale ? 0 : start + width;
  if (columns.kind === "float") {
    return {
      kind: "float",
      ...base,
      count: columns.count[i] as number,
      zeroCount: columns.zeroCount[i] as number,
      positiveBuckets: columns.rows.subarray(start, middle),
      negativeBuckets: columns.rows.subarray(middle, end),
    } satisfies FloatHistogram;
  }
  return {
    kind: "int",
    ...base,
    count: columns.count[i] as bigint,
    zeroCount: columns.zeroCount[i] as bigint,
    positiveBuckets: columns.rows.subarray(start, middle),
    negativeBuckets: columns.rows.subarray(middle, end),
  } satisfies IntHistogram;
}
