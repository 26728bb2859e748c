import {BitWriter} from "@strata/bytes";
import {
  type AppendDecision,
  decideAppend,
  decodeHistograms,
  EMPTY_LAYOUT,
  ENCODING,
  type Encoding,
  type HistogramLayout,
  rowFor,
  writeLayout,
} from "@strata/chunkenc";
import {kernel, xor2Encode} from "@strata/kernels";
import {type Histogram, RESET_HINT, type ResetHint, spanBuckets} from "@strata/model";

/** The open chunk of a series where it is no XOR chunk: those are too many to be objects. */
export type OpenChunk = Xor2Chunk | HistogramChunk;

/** An open chunk of floats with start times. Kept as columns and encoded when its bytes are asked for. */
export class Xor2Chunk {
  readonly encoding = ENCODING.xor2;
  readonly kind = "floats";
  count = 0;
  mint = 0;
  maxt = 0;
  #t = new Float64Array(128);
  #v = new Float64Array(128);
  #st = new Float64Array(128);
  #words = new Uint32Array(this.#v.buffer);
  #data: Uint8Array | undefined;

  append(t: number, low: number, high: number, st: number): void {
    const n = this.count;
    if (n === this.#t.length) this.#grow();
    this.#t[n] = t;
    this.#words[2 * n] = low;
    this.#words[2 * n + 1] = high;
    this.#st[n] = st;
    if (n === 0) this.mint = t;
    this.maxt = t;
    this.count = n + 1;
    this.#data = undefined;
  }

  data(): Uint8Array {
    this.#data ??= xor2Encode(this.#t, this.#v, this.#st, 0, this.count);
    return this.#data;
  }

  #grow(): void {
    const [t, v, st] = [this.#t, this.#v, this.#st].map((column) => {
      const grown = new Float64Array(column.length * 2);
      grown.set(column);
      return grown;
    }) as [Float64Array<ArrayBuffer>, Float64Array<ArrayBuffer>, Float64Array<ArrayBuffer>];
    this.#t = t;
    this.#v = v;
    this.#st = st;
    this.#words = new Uint32Array(v.buffer);
  }
}

const HEADER_BITS: Readonly<Record<ResetHint, number>> = {
  [RESET_HINT.unknown]: 0x00,
  [RESET_HINT.counterReset]: 0x80,
  [RESET_HINT.notCounterReset]: 0x40,
  [RESET_HINT.gauge]: 0xc0,
};
const STALE_HIGH = 0x7ff00000;
const STALE_LOW = 2;

/** An open chunk of histograms of one kind, which grows by a sample at a time. */
export class HistogramChunk {
  readonly kind: Histogram["kind"];
  readonly encoding: Encoding;
  readonly header: ResetHint;
  readonly mint: number;
  count = 0;
  maxt = 0;
  #layout: HistogramLayout;
  /** In the layout's spans. */
  #last: Histogram;
  #data: Uint8Array = new Uint8Array(0);
  #length = 0;
  #state: Uint8Array = new Uint8Array(0);
  readonly #withStart: boolean;

  /** Begins a chunk with its first sample. */
  constructor(header: ResetHint, t: number, h: Histogram, st: number, withStart: boolean) {
    this.kind = h.kind;
    this.header = header;
    this.mint = t;
    this.#withStart = withStart;
    if (h.kind === "float") this.encoding = withStart ? ENCODING.floatHistogramST : ENCODING.floatHistogram;
    else this.encoding = withStart ? ENCODING.histogramST : ENCODING.histogram;
    this.#layout = h.stale ? EMPTY_LAYOUT : h;
    this.#last = h;
    this.#begin();
    this.#put([t], [h], [st]);
    this.maxt = t;
  }

  /** What all its samples share so far. */
  get layout(): HistogramLayout {
    return this.#layout;
  }

  get bytes(): number {
    return this.#length;
  }

  /** A view, good until the next append. */
  data(): Uint8Array {
    return this.#data.subarray(0, this.#length);
  }

  /** What to do with `h` as the next sample. */
  decide(h: Histogram): AppendDecision {
    return decideAppend({header: this.header, layout: this.#layout, last: this.#last}, h);
  }

  /** In the layout's spans, whatever those of the sample were. */
  get last(): Histogram {
    return this.#last;
  }

  /** Whether the last sample is a stale marker. */
  get endsStale(): boolean {
    return this.#last.stale;
  }

  /** Whether `h` equals the last sample; how spans cut up the same buckets does not matter. */
  isLast(h: Histogram): boolean {
    const last = this.#last;
    if (h.kind !== last.kind || h.stale !== last.stale) return false;
    if (h.stale) return true;
    if (h.count !== last.count || h.zeroCount !== last.zeroCount || !Object.is(h.sum, last.sum)) return false;
    const resetHint = this.header === RESET_HINT.gauge ? RESET_HINT.gauge : RESET_HINT.unknown;
    const decision = this.decide({...h, resetHint});
    if (decision.kind !== "append" || decision.layout !== this.#layout) return false;
    const [row, lastRow] = [rowFor(this.#layout, h), rowFor(this.#layout, last)];
    return row.every((value, i) => value === lastRow[i]);
  }

  /** The header of the next chunk when this one is cut for its size or time. */
  headerAfter(h: Histogram): ResetHint {
    if (h.resetHint === RESET_HINT.gauge || h.resetHint === RESET_HINT.counterReset) return h.resetHint;
    const decision = this.decide(h);
    if (decision.kind === "append") return RESET_HINT.notCounterReset;
    // Compat: float chunks know only two outcomes.
    if (h.kind === "float" && decision.header !== RESET_HINT.counterReset) return RESET_HINT.notCounterReset;
    return decision.header;
  }

  /** Appends a sample that `decide` lets in, with the layout it gave. */
  append(t: number, h: Histogram, st: number, layout: HistogramLayout): void {
    if (layout !== this.#layout) this.#widen(layout);
    this.#put([t], [h], [st]);
    this.#last = inLayout(this.#layout, h);
    this.maxt = t;
  }

  /** All samples so far encoded anew in a layout that has more buckets. */
  #widen(layout: HistogramLayout): void {
    const columns = decodeHistograms(this.encoding, this.#data, 0, this.#length);
    const old = this.#layout;
    this.#layout = layout;
    const n = this.count;
    this.count = 0;
    this.#begin();
    const width = columns.positive + columns.negative;
    const histograms: Histogram[] = [];
    for (let i = 0; i < n; i++) {
      const at = i * width;
      const row = columns.rows.subarray(at, at + width);
      histograms.push({
        ...this.#last,
        kind: columns.kind,
        stale: false,
        sum: columns.sum[i] as number,
        count: columns.count[i],
        zeroCount: columns.zeroCount[i],
        positiveSpans: old.positiveSpans,
        negativeSpans: old.negativeSpans,
        positiveBuckets: row.subarray(0, columns.positive),
        negativeBuckets: row.subarray(columns.positive),
      } as Histogram);
    }
    this.#put([...columns.t], histograms, columns.st === undefined ? new Array<number>(n).fill(0) : [...columns.st]);
  }

  #begin(): void {
    const w = new BitWriter();
    const flags = HEADER_BITS[this.header];
    w.byte(this.#withStart ? flags : 0);
    w.byte(0);
    w.byte(this.#withStart ? 0 : flags);
    writeLayout(w, this.#layout);
    const k = kernel();
    const buckets = this.#buckets;
    this.#data = new Uint8Array(512);
    const head = w.view();
    this.#reserve(head.length);
    this.#data.set(head);
    this.#length = head.length;
    const size = k.exports.histogramStateSize(buckets);
    const at = k.scratch(size);
    k.exports.histogramBegin(at, w.bitLength, buckets);
    this.#state = k.read(at, size);
  }

  get #buckets(): number {
    return spanBuckets(this.#layout.positiveSpans) + spanBuckets(this.#layout.negativeSpans);
  }

  #put(t: readonly number[], histograms: readonly Histogram[], st: readonly number[]): void {
    const n = histograms.length;
    const buckets = this.#buckets;
    const k = kernel();
    const room = this.#length + 32 + n * k.exports.histogramSampleSize(buckets);
    const stateBytes = (this.#state.length + 7) & ~7;
    const base = k.scratch(8 * n * (5 + buckets) + stateBytes + room);
    const columns = base >>> 3;
    const rowsAt = columns + 5 * n;
    const state = base + 8 * n * (5 + buckets);
    const dst = state + stateBytes;
    const f64 = k.f64();
    const u32 = k.u32();
    const u64 = k.u64();
    const i64 = new BigInt64Array(u64.buffer);
    let row = rowsAt;
    for (let i = 0; i < n; i++) {
      const h = histograms[i] as Histogram;
      f64[columns + i] = t[i] as number;
      f64[columns + 4 * n + i] = st[i] as number;
      if (h.stale) {
        f64[columns + n + i] = 0;
        f64[columns + 2 * n + i] = 0;
        u32[2 * (columns + 3 * n + i)] = STALE_LOW;
        u32[2 * (columns + 3 * n + i) + 1] = STALE_HIGH;
        continue;
      }
      f64[columns + 3 * n + i] = h.sum;
      if (h.kind === "float") {
        f64[columns + n + i] = h.count;
        f64[columns + 2 * n + i] = h.zeroCount;
        f64.set(rowFor(this.#layout, h) as Float64Array, row);
      } else {
        u64[columns + n + i] = h.count;
        u64[columns + 2 * n + i] = h.zeroCount;
        i64.set(rowFor(this.#layout, h) as BigInt64Array, row);
      }
      row += buckets;
    }
    const u8 = k.u8();
    u8.set(this.#state, state);
    u8.set(this.data(), dst);
    u8.fill(0, dst + this.#length, dst + room);
    const column = (i: number): number => base + 8 * n * i;
    const length = k.exports.histogramAppend(
      this.kind === "float" ? 1 : 0,
      state,
      dst,
      room,
      this.count,
      n,
      buckets,
      column(0),
      column(1),
      column(2),
      column(3),
      8 * rowsAt,
      this.#withStart ? column(4) : 0,
    );
    this.#reserve(length);
    this.#data.set(u8.subarray(dst, dst + length));
    this.#length = length;
    this.#state.set(u8.subarray(state, state + this.#state.length));
    this.count += n;
    const data = this.#data;
    data[0] = (this.#withStart ? (data[0] as number) & 0xc0 : 0) | (this.count >>> 8);
    data[1] = this.count;
    if (this.#withStart) data[2] = k.exports.histogramStartHeader(state);
  }

  #reserve(length: number): void {
    if (length <= this.#data.length) return;
    const grown = new Uint8Array(Math.max(length, this.#data.length * 2));
    grown.set(this.#data);
    this.#data = grown;
  }
}

/** The histogram with the layout's spans, so that its counts lie beside the chunk's buckets. */
function inLayout(layout: HistogramLayout, h: Histogram): Histogram {
  if (h.stale) return h;
  const {positiveSpans, negativeSpans} = layout;
  const row = rowFor(layout, h);
  const middle = spanBuckets(positiveSpans);
  return {
    ...h,
    positiveSpans,
    negativeSpans,
    positiveBuckets: row.subarray(0, middle),
    negativeBuckets: row.subarray(middle),
  } as Histogram;
}
