import {StrataError} from "@strata/base";
import {
  AGGREGATES,
  type AggregatePart,
  type AggregateParts,
  chunkSamples,
  decodeFloatHistograms,
  ENCODING,
  type Encoding,
  histogramAt,
  isFloatEncoding,
  isHistogramEncoding,
  joinAggregates,
  splitAggregates,
} from "@strata/chunkenc";
import {KernelArena, kernel, WINDOW_OP, xorMaxLength} from "@strata/kernels";
import {aggregateHistograms, encodeColumn} from "./histogram-aggregator.ts";
import {type LaidHistogram, laid} from "./laid-histogram.ts";
import type {EmitAggregate} from "./raw-series.ts";
import {targetChunks} from "./resolution.ts";

/** A chunk of aggregates of a series, split into its columns. */
export type AggregateChunk = {
  readonly mint: number;
  readonly maxt: number;
  readonly data: Uint8Array;
  readonly parts: AggregateParts;
  readonly samples: number;
};

const COUNT = AGGREGATES.indexOf("count");
const SUM = AGGREGATES.indexOf("sum");
const MIN = AGGREGATES.indexOf("min");
const MAX = AGGREGATES.indexOf("max");
const COUNTER = AGGREGATES.indexOf("counter");

/** How many columns are worked on at once: samples and windows of one. */
const COLUMNS = 4;

/** The columns of data[from, from + length). Throws `corrupt`. */
export function aggregateChunk(
  mint: number,
  maxt: number,
  data: Uint8Array,
  from: number,
  length: number,
): AggregateChunk {
  const parts = splitAggregates(data, from, length);
  const count = parts[COUNT];
  const samples = count === undefined ? 0 : chunkSamples(count.encoding, data, count.from, count.length);
  return {mint, maxt, data, parts, samples};
}

const isHistogram = ({parts}: AggregateChunk): boolean =>
  isHistogramEncoding((parts[COUNTER] ?? parts[SUM])?.encoding ?? ENCODING.none);

/**
 * Downsamples aggregate chunks of a series, ascending, from one resolution to a coarser one. Chunks are taken whole,
 * because the ends of a counter are only true at the ends of a chunk.
 */
export function downsampleAggregates(
  chunks: readonly AggregateChunk[],
  from: number,
  to: number,
  emit: EmitAggregate,
): void {
  for (let at = 0; at < chunks.length; ) {
    const histograms = isHistogram(chunks[at] as AggregateChunk);
    let end = at + 1;
    while (end < chunks.length && isHistogram(chunks[end] as AggregateChunk) === histograms) end++;
    const run = chunks.slice(at, end);
    const {mint} = run[0] as AggregateChunk;
    const {maxt} = run.at(-1) as AggregateChunk;
    const samples = run.reduce((sum, chunk) => sum + chunk.samples, 0);
    const size = Math.max(1, Math.trunc(run.length / targetChunks(mint, maxt, from, to, samples)));
    for (let i = 0; i < run.length; i += size) {
      const batch = run.slice(i, i + size);
      if (histograms) aggregateHistogramChunks(batch, to, emit);
      else aggregateFloatChunks(batch, to, emit);
    }
    at = end;
  }
}

type Column = {readonly encoding: number; readonly data: Uint8Array; readonly mint: number; readonly maxt: number};

function aggregateFloatChunks(batch: readonly AggregateChunk[], resolution: number, emit: EmitAggregate): void {
  using columns = new Columns(batch, resolution);
  // Counts add up.
  const count = columns.window(COUNT, WINDOW_OP.sum);
  const sum = columns.window(SUM, WINDOW_OP.sum);
  const min = columns.window(MIN, WINDOW_OP.min);
  const max = columns.window(MAX, WINDOW_OP.max);
  emitColumns([count, sum, min, max, columns.counter()], emit);
}

function aggregateHistogramChunks(batch: readonly AggregateChunk[], resolution: number, emit: EmitAggregate): void {
  const counter = histogramColumn(batch, COUNTER, resolution);
  const sum = histogramColumn(batch, SUM, resolution);
  if (counter === "cut" || sum === "cut") {
    // Within one input chunk there is one layout, so halving ends.
    if (batch.length === 1) throw new StrataError("internal", "BUG: layouts change inside a histogram chunk");
    const middle = Math.ceil(batch.length / 2);
    aggregateHistogramChunks(batch.slice(0, middle), resolution, emit);
    aggregateHistogramChunks(batch.slice(middle), resolution, emit);
    return;
  }
  using columns = new Columns(batch, resolution);
  emitColumns([columns.window(COUNT, WINDOW_OP.sum), sum, undefined, undefined, counter], emit);
}

function emitColumns(columns: readonly (Column | undefined)[], emit: EmitAggregate): void {
  const present = columns.filter((column) => column !== undefined);
  if (present.length === 0) return;
  const mint = Math.min(...present.map((column) => column.mint));
  const maxt = Math.max(...present.map((column) => column.maxt));
  emit(mint, maxt, joinAggregates(columns));
}

/** One aggregate of histogram chunks over windows; "cut" where one chunk cannot hold it. */
function histogramColumn(
  batch: readonly AggregateChunk[],
  part: typeof SUM | typeof COUNTER,
  resolution: number,
): Column | undefined | "cut" {
  const t: number[] = [];
  const h: LaidHistogram[] = [];
  for (const {data, parts} of batch) {
    const own = parts[part];
    if (own === undefined) continue;
    const columns = decodeFloatHistograms(own.encoding as Encoding, data, own.from, own.length);
    for (let i = 0; i < columns.live; i++) {
      if ((columns.t[i] as number) < (t.at(-1) ?? Number.NEGATIVE_INFINITY)) continue;
      t.push(columns.t[i] as number);
      h.push(laid(histogramAt(columns, i)));
    }
  }
  if (t.length === 0) return undefined;
  const out = aggregateHistograms({t, h}, 0, t.length, resolution, t.at(-1) as number);
  const values = part === SUM ? out.sum : out.counter;
  const {rows, encoding, data} = encodeColumn(out.t, values);
  return rows < out.t.length ? "cut" : {encoding, data, mint: out.t[0] as number, maxt: out.t.at(-1) as number};
}

/** Float columns of a batch of chunks in linear memory. */
class Columns implements Disposable {
  readonly #batch: readonly AggregateChunk[];
  readonly #resolution: number;
  readonly #arena = new KernelArena("columns of aggregates");
  readonly #t: number;
  readonly #v: number;
  readonly #tOut: number;
  readonly #vOut: number;
  readonly #room: number;
  #bytes = 0;

  constructor(batch: readonly AggregateChunk[], resolution: number) {
    this.#batch = batch;
    this.#resolution = resolution;
    // A counter has two samples more than its chunk has windows.
    this.#room = batch.reduce((sum, {parts, data}) => sum + longest(parts, data), 0) + 2;
    const column = 8 * this.#room;
    this.#t = this.#arena.alloc(COLUMNS * column);
    this.#v = this.#t + column;
    this.#tOut = this.#v + column;
    this.#vOut = this.#tOut + column;
  }

  [Symbol.dispose](): void {
    this.#arena.close();
  }

  /** One aggregate over windows; undefined when no chunk has it. */
  window(part: number, op: number): Column | undefined {
    const n = this.#load(part);
    if (n === 0) return undefined;
    const {exports} = kernel();
    return this.#encode(0, exports.windowColumn(this.#t, this.#v, n, this.#resolution, op, this.#tOut, this.#vOut));
  }

  /** The counter over windows, between the first value as it was and the last one. */
  counter(): Column | undefined {
    const all = this.#load(COUNTER);
    if (all === 0) return undefined;
    const k = kernel();
    const last = this.#tOut;
    const n = k.exports.applyCounterResets(this.#t, this.#v, all, last);
    if (n === 0) return undefined;
    const lastV = k.f64()[last / 8] as number;
    const {exports} = k;
    const windows = exports.windowColumn(
      this.#t,
      this.#v,
      n,
      this.#resolution,
      WINDOW_OP.counter,
      this.#tOut + 8,
      this.#vOut + 8,
    );
    const f64 = k.f64();
    f64[this.#tOut / 8] = f64[this.#t / 8] as number;
    f64[this.#vOut / 8] = f64[this.#v / 8] as number;
    f64[this.#tOut / 8 + windows + 1] = f64[this.#tOut / 8 + windows] as number;
    f64[this.#vOut / 8 + windows + 1] = lastV;
    return this.#encode(1, windows + 2);
  }

  /** The samples of one aggregate of all chunks, one behind the other, without stale markers. */
  #load(part: number): number {
    const k = kernel();
    let n = 0;
    let last = Number.NEGATIVE_INFINITY;
    for (const {data, parts} of this.#batch) {
      const own = parts[part];
      if (own === undefined) continue;
      if (!isFloatEncoding(own.encoding)) throw notFloats(own);
      const source = k.scratch(own.length + 64);
      k.write(source, data, own.from, own.from + own.length);
      const at = 8 * n;
      const {exports} = k;
      const room = this.#room - n;
      const got = exports.floatDecode(own.encoding, source, own.length, this.#t + at, this.#v + at, room);
      if (got < 0) throw notFloats(own);
      n += exports.downsampleClean(this.#t + at, this.#v + at, got, last);
      if (n > 0) last = k.f64()[this.#t / 8 + n - 1] as number;
    }
    return n;
  }

  /** Rows [0, n) of the output columns; meta times are those from row `skip` on. */
  #encode(skip: number, n: number): Column {
    const k = kernel();
    this.#bytes = xorMaxLength(n);
    const out = k.scratch(this.#bytes);
    const length = k.exports.xorEncode(this.#tOut, this.#vOut, n, out, this.#bytes);
    const f64 = k.f64();
    const mint = f64[this.#tOut / 8 + skip] as number;
    const maxt = f64[this.#tOut / 8 + n - 1] as number;
    return {encoding: ENCODING.xor, data: k.read(out, length), mint, maxt};
  }
}

const longest = (parts: AggregateParts, data: Uint8Array): number =>
  parts.reduce((most, part) => {
    if (part === undefined || !isFloatEncoding(part.encoding)) return most;
    return Math.max(most, chunkSamples(part.encoding, data, part.from, part.length));
  }, 0);

const notFloats = (part: AggregatePart): StrataError =>
  new StrataError("corrupt", `cannot read an aggregate of encoding ${part.encoding}: it holds no floats`, {
    fields: {class: "chunk-unreadable"},
  });
