import {kernel} from "./kernel.ts";

/** What the layout of a histogram chunk decides about the samples after it. */
export type HistogramBody = {
  /** Whether counts are floats (encodings 3 and 6). */
  readonly float: boolean;
  /** First bit of the samples, counted from the chunk's data. */
  readonly startBit: number;
  readonly samples: number;
  readonly positive: number;
  readonly negative: number;
  /** The header byte of start times, or -1 where the encoding has none. */
  readonly stHeader: number;
};

/**
 * Samples of a histogram chunk. The first `live` are histograms, the rest stale markers. Counts are unsigned 64-bit
 * numbers and rows differences between buckets, unless the chunk is of floats or float output was asked for: then all
 * are floats and rows absolute. All views lie on one buffer that the caller owns.
 */
export type HistogramSamples = {
  readonly n: number;
  readonly live: number;
  readonly t: Float64Array<ArrayBuffer>;
  readonly count: Float64Array<ArrayBuffer>;
  readonly zeroCount: Float64Array<ArrayBuffer>;
  readonly sum: Float64Array<ArrayBuffer>;
  /** live × (positive + negative) values, sample after sample. */
  readonly rows: Float64Array<ArrayBuffer>;
  readonly st: Float64Array<ArrayBuffer> | undefined;
};

/** Decodes the samples of the histogram chunk data[from, from + length). A negative number when they are corrupt. */
export function histogramDecode(
  data: Uint8Array,
  from: number,
  length: number,
  body: HistogramBody,
  asFloat: boolean,
): HistogramSamples | number {
  const {samples: n, positive, negative, startBit, stHeader} = body;
  const buckets = positive + negative;
  const bits = length * 8 - startBit;
  // Every bucket of every sample takes a bit, so what cannot be there needs no room.
  if (bits < 0 || buckets > bits) return -1;
  const room = buckets === 0 ? n : Math.min(n, Math.floor(bits / buckets));
  const columns = (stHeader >= 0 ? 5 : 4) * n;
  const cells = columns + room * buckets;
  const k = kernel();
  const base = k.scratch(8 * (cells + buckets + 2) + length);
  const column = (i: number): number => base + 8 * n * i;
  const rows = base + 8 * columns;
  const state = base + 8 * cells;
  const src = state + 8 * (buckets + 2);
  k.u8().set(data.subarray(from, from + length), src);
  const st = stHeader >= 0 ? column(4) : 0;
  const got = body.float
    ? k.exports.histogramFloatDecode(
        src,
        length,
        startBit,
        n,
        buckets,
        column(0),
        column(1),
        column(2),
        column(3),
        rows,
        room,
        state,
        stHeader,
        st,
      )
    : k.exports.histogramIntDecode(
        src,
        length,
        startBit,
        n,
        positive,
        negative,
        asFloat ? 1 : 0,
        column(0),
        column(1),
        column(2),
        column(3),
        rows,
        room,
        state,
        stHeader,
        st,
      );
  if (got < 0) return got;
  const live = k.exports.histogramLive() >>> 0;
  const all = k.f64().slice(base >>> 3, (base >>> 3) + columns + live * buckets);
  return {
    n,
    live,
    t: all.subarray(0, n),
    count: all.subarray(n, 2 * n),
    zeroCount: all.subarray(2 * n, 3 * n),
    sum: all.subarray(3 * n, 4 * n),
    rows: all.subarray(columns),
    st: stHeader >= 0 ? all.subarray(4 * n, 5 * n) : undefined,
  };
}

/** Samples to encode; all columns hold n entries, `rows` one row for each sample that is not stale. */
export type HistogramInput = {
  readonly n: number;
  readonly t: Float64Array;
  /** Floats, or unsigned 64-bit numbers in the same place. */
  readonly count: Float64Array;
  readonly zeroCount: Float64Array;
  readonly sum: Float64Array;
  /** Absolute floats, or signed 64-bit differences in the same place. */
  readonly rows: Float64Array;
  /** Start times in ms, 0 for none; undefined for encodings without. */
  readonly st: Float64Array | undefined;
};

/**
 * Encodes all samples of a histogram chunk after `head`, its header and layout, which ends at bit `headBits`. Returns the
 * chunk's data, owned by the caller, and the header byte of start times, which is not yet in the data.
 */
export function histogramEncode(
  float: boolean,
  head: Uint8Array,
  headBits: number,
  buckets: number,
  input: HistogramInput,
): {data: Uint8Array<ArrayBuffer>; startHeader: number} {
  const {n} = input;
  const k = kernel();
  const stateBytes = k.exports.histogramStateSize(buckets);
  const room = head.length + 64 + n * k.exports.histogramSampleSize(buckets);
  const columns = [input.t, input.count, input.zeroCount, input.sum, input.rows];
  if (input.st !== undefined) columns.push(input.st);
  const base = k.scratch(8 * columns.reduce((sum, column) => sum + column.length, 0) + stateBytes + 8 + room);
  const f64 = k.f64();
  let at = base;
  const [t, count, zeroCount, sum, rows, st = 0] = columns.map((column) => {
    const start = at;
    f64.set(column, start >>> 3);
    at += 8 * column.length;
    return start;
  }) as [number, number, number, number, number, number?];
  const state = at;
  const dst = state + stateBytes;
  k.u8().set(head, dst);
  k.exports.histogramBegin(state, headBits, buckets);
  const kind = float ? 1 : 0;
  const length = k.exports.histogramAppend(kind, state, dst, room, 0, n, buckets, t, count, zeroCount, sum, rows, st);
  return {data: k.read(dst, length), startHeader: k.exports.histogramStartHeader(state)};
}
