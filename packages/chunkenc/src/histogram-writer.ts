import {assert} from "@strata/base";
import {BitWriter} from "@strata/bytes";
import {type HistogramInput, histogramEncode} from "@strata/kernels";
import {type Histogram, RESET_HINT, type ResetHint, spanBuckets} from "@strata/model";
import {ENCODING} from "./encoding.ts";
import {type EncodedChunk, SAMPLES_PER_CHUNK} from "./float-chunk.ts";
import {decideAppend, rowFor, sameSpans} from "./histogram-append.ts";
import type {HistogramColumns} from "./histogram-chunk.ts";
import {EMPTY_LAYOUT, type HistogramLayout, writeLayout} from "./histogram-layout.ts";

/** The top two bits of a chunk's header byte, by reset hint. */
const HEADER_BITS: Readonly<Record<ResetHint, number>> = {
  [RESET_HINT.unknown]: 0x00,
  [RESET_HINT.counterReset]: 0x80,
  [RESET_HINT.notCounterReset]: 0x40,
  [RESET_HINT.gauge]: 0xc0,
};
/** The count of an encoding with start times has 14 bits. */
const MAX_SAMPLES = 65535;
const MAX_SAMPLES_ST = 0x3fff;
/** The stale marker as two words. */
const STALE_HI = 0x7ff00000;
const STALE_LO = 2;

/** Samples of one chunk to be, before encoding. */
type Pending = {
  header: ResetHint;
  layout: HistogramLayout;
  readonly t: number[];
  readonly st: number[];
  readonly histograms: Histogram[];
};

/**
 * Encodes native histograms, ascending by time, as chunks, cutting where Prometheus does when it re-encodes: after
 * `perChunk` samples, at counter resets and changes of schema or bounds; new buckets widen the whole chunk. The first
 * chunk's header is what the first sample's hint says, as if no chunk were known before it.
 */
export class HistogramChunkWriter {
  readonly #kind: Histogram["kind"];
  readonly #perChunk: number;
  readonly #withStart: boolean;
  readonly #silentHeader: ResetHint;
  #open: Pending | undefined;
  #done: EncodedChunk[] = [];

  /**
   * All histograms must be of `kind`. With `startTimes`, chunks are of the encodings that carry them. `silentHeader` is
   * the header of a chunk after `perChunk` samples, or the first, whose first sample says neither reset nor gauge.
   */
  constructor(
    kind: Histogram["kind"],
    options: {perChunk?: number; startTimes?: boolean; silentHeader?: ResetHint} = {},
  ) {
    this.#kind = kind;
    this.#silentHeader = options.silentHeader ?? RESET_HINT.unknown;
    this.#withStart = options.startTimes === true;
    this.#perChunk = Math.min(options.perChunk ?? SAMPLES_PER_CHUNK, this.#withStart ? MAX_SAMPLES_ST : MAX_SAMPLES);
  }

  /** Adds a sample; `st` is its start time (ms, 0 for none). Keeps the histogram until its chunk is done. */
  append(t: number, h: Histogram, st = 0): void {
    assert(h.kind === this.#kind, `${h.kind} histogram in a writer of ${this.#kind} ones`);
    const open = this.#open;
    if (open === undefined || open.t.length >= this.#perChunk) {
      this.#start(firstHeader(h, this.#silentHeader), h);
    } else {
      const last = open.histograms.at(-1) as Histogram;
      const decision = decideAppend({header: open.header, layout: open.layout, last: widest(open, last)}, h);
      if (decision.kind === "cut") this.#start(decision.header, h);
      else open.layout = decision.layout;
    }
    const target = this.#open as Pending;
    target.t.push(t);
    target.st.push(st);
    target.histograms.push(h);
  }

  /** All chunks of the samples added so far; the writer starts afresh. */
  finish(): EncodedChunk[] {
    this.#flush();
    const done = this.#done;
    this.#done = [];
    return done;
  }

  #start(header: ResetHint, h: Histogram): void {
    this.#flush();
    const layout = h.stale ? EMPTY_LAYOUT : h;
    this.#open = {header, layout, t: [], st: [], histograms: []};
  }

  #flush(): void {
    if (this.#open === undefined) return;
    this.#done.push(encode(this.#open, this.#kind === "float", this.#withStart));
    this.#open = undefined;
  }
}

/** The last sample in the chunk's layout, so that its counts lie beside the chunk's buckets. */
function widest(open: Pending, last: Histogram): Histogram {
  const {positiveSpans, negativeSpans} = open.layout;
  if (last.stale || (sameSpans(last.positiveSpans, positiveSpans) && sameSpans(last.negativeSpans, negativeSpans))) {
    return last;
  }
  const row = rowFor(open.layout, last);
  const middle = spanBuckets(positiveSpans);
  const positiveBuckets = row.subarray(0, middle);
  const negativeBuckets = row.subarray(middle);
  return {...last, positiveSpans, negativeSpans, positiveBuckets, negativeBuckets} as Histogram;
}

/** The header of a chunk whose first sample this is. */
function firstHeader(h: Histogram, silent: ResetHint): ResetHint {
  return h.resetHint === RESET_HINT.gauge || h.resetHint === RESET_HINT.counterReset ? h.resetHint : silent;
}

function encode(pending: Pending, float: boolean, withStart: boolean): EncodedChunk {
  const {t, st, histograms, layout, header} = pending;
  const n = t.length;
  const buckets = spanBuckets(layout.positiveSpans) + spanBuckets(layout.negativeSpans);
  const input = columnsOf(histograms, layout, buckets, t, withStart ? st : undefined);
  const data = encodeSamples(header, layout, float, input);
  return {encoding: encodingOf(float, withStart), mint: t[0] as number, maxt: t[n - 1] as number, samples: n, data};
}

function encodeSamples(
  header: ResetHint,
  layout: HistogramLayout,
  float: boolean,
  input: HistogramInput,
): Uint8Array<ArrayBuffer> {
  const withStart = input.st !== undefined;
  const w = new BitWriter();
  const flags = HEADER_BITS[header];
  w.byte((input.n >>> 8) | (withStart ? flags : 0));
  w.byte(input.n);
  w.byte(withStart ? 0 : flags);
  writeLayout(w, layout);
  const buckets = spanBuckets(layout.positiveSpans) + spanBuckets(layout.negativeSpans);
  const {data, startHeader} = histogramEncode(float, w.view(), w.bitLength, buckets, input);
  if (withStart) data[2] = startHeader;
  return data;
}

/** Encodes the columns of one chunk as one chunk, with their header and layout. At least one sample. */
export function encodeHistograms(columns: HistogramColumns): EncodedChunk {
  const {n, t, sum, st, layout, resetHeader} = columns;
  const float = columns.kind === "float";
  const asFloats = (column: Float64Array | BigUint64Array | BigInt64Array): Float64Array =>
    new Float64Array(column.buffer, column.byteOffset, column.length);
  const count = asFloats(columns.count);
  const zeroCount = asFloats(columns.zeroCount);
  const input = {n, t, count, zeroCount, sum, rows: asFloats(columns.rows), st};
  const data = encodeSamples(resetHeader, layout, float, input);
  const encoding = encodingOf(float, st !== undefined);
  return {encoding, mint: t[0] as number, maxt: t[n - 1] as number, samples: n, data};
}

const encodingOf = (float: boolean, withStart: boolean): number => {
  if (float) return withStart ? ENCODING.floatHistogramST : ENCODING.floatHistogram;
  return withStart ? ENCODING.histogramST : ENCODING.histogram;
};

/** Columns for the encoder: integers lie in the float columns as they are, 64 bits each. */
function columnsOf(
  histograms: readonly Histogram[],
  layout: HistogramLayout,
  buckets: number,
  t: readonly number[],
  st: readonly number[] | undefined,
): HistogramInput {
  const n = histograms.length;
  const live = histograms.filter((h) => !h.stale).length;
  const count = new Float64Array(n);
  const zeroCount = new Float64Array(n);
  const sum = new Float64Array(n);
  const rows = new Float64Array(live * buckets);
  const counts = new BigUint64Array(count.buffer);
  const zeroCounts = new BigUint64Array(zeroCount.buffer);
  const sumWords = new Uint32Array(sum.buffer);
  const integerRows = new BigInt64Array(rows.buffer);
  let row = 0;
  histograms.forEach((h, i) => {
    if (h.stale) {
      sumWords[2 * i] = STALE_LO;
      sumWords[2 * i + 1] = STALE_HI;
      return;
    }
    sum[i] = h.sum;
    if (h.kind === "float") {
      count[i] = h.count;
      zeroCount[i] = h.zeroCount;
      rows.set(rowFor(layout, h) as Float64Array, row);
    } else {
      counts[i] = h.count;
      zeroCounts[i] = h.zeroCount;
      integerRows.set(rowFor(layout, h) as BigInt64Array, row);
    }
    row += buckets;
  });
  return {n, t: Float64Array.from(t), count, zeroCount, sum, rows, st: st && Float64Array.from(st)};
}
