import {decodeFloatHistograms, type Encoding, histogramAt, isFloatEncoding, joinAggregates} from "@strata/chunkenc";
import {isCustom} from "@strata/engine/histogram";
import {FloatDownsampler, type KernelArena, kernel, windowEnd, xorEncode} from "@strata/kernels";
import {offsetOf, type StoredChunks, segmentOf} from "@strata/tsdb/blocks";
import {FloatLoader} from "./float-loader.ts";
import {aggregateHistograms, encodeColumn, type HistogramSamples} from "./histogram-aggregator.ts";
import {type LaidHistogram, laid} from "./laid-histogram.ts";
import {RESOLUTION, targetChunks} from "./resolution.ts";

/** Gets a finished aggregate chunk: first and last time, ms, both inclusive. */
export type EmitAggregate = (mint: number, maxt: number, data: Uint8Array) => void;

const XOR = 1;

/** Downsamples the raw chunks of a series, rows of `StoredChunks`; series one after the other. */
export class RawSeries {
  readonly #resolution: number;
  readonly #loader: FloatLoader;
  readonly #floats: FloatDownsampler;

  /** Memory is the arena's, which the caller closes. */
  constructor(resolution: number, arena: KernelArena) {
    this.#resolution = resolution;
    this.#loader = new FloatLoader(arena);
    this.#floats = new FloatDownsampler(kernel(), arena, resolution);
  }

  /** Aggregates rows [from, to); floats and histograms that take turns make chunks of their own. */
  downsample(chunks: StoredChunks, from: number, to: number, emit: EmitAggregate): void {
    for (let at = from; at < to; ) {
      const floats = isFloatEncoding(encodingAt(chunks, at));
      let end = at + 1;
      while (end < to && isFloatEncoding(encodingAt(chunks, end)) === floats) end++;
      if (floats) this.#downsampleFloats(chunks, at, end, emit);
      else downsampleHistograms(chunks, at, end, this.#resolution, emit);
      at = end;
    }
  }

  #downsampleFloats(chunks: StoredChunks, from: number, to: number, emit: EmitAggregate): void {
    const {t, v} = this.#loader;
    const k = kernel();
    let count = 0;
    let first = 0;
    let last = Number.NEGATIVE_INFINITY;
    // Batches depend on how many samples there are. PERF: only series of more than one piece are decoded twice.
    for (let at = from; at < to; ) {
      const end = this.#loader.pieceEnd(chunks, at, to);
      const n = this.#loader.load(chunks, at, end, last);
      if (n > 0 && count === 0) first = k.f64()[t / 8] as number;
      if (n > 0) last = k.f64()[t / 8 + n - 1] as number;
      count += n;
      at = end;
    }
    if (count === 0) return;
    const chunksWanted = targetChunks(first, last, RESOLUTION.raw, this.#resolution, count);
    const push = (mint: number, maxt: number, _: number, data: Uint8Array): void => emit(mint, maxt, data);
    this.#floats.begin(Math.trunc(count / chunksWanted) + 1);
    if (this.#loader.pieceEnd(chunks, from, to) === to) this.#floats.push(t, v, count, push);
    else {
      let lastT = Number.NEGATIVE_INFINITY;
      for (let at = from; at < to; ) {
        const end = this.#loader.pieceEnd(chunks, at, to);
        const n = this.#loader.load(chunks, at, end, lastT);
        if (n > 0) lastT = k.f64()[t / 8 + n - 1] as number;
        this.#floats.push(t, v, n, push);
        at = end;
      }
    }
    this.#floats.end(push);
  }
}

const encodingAt = (chunks: StoredChunks, i: number): number =>
  (chunks.buffer[i] as Uint8Array)[chunks.at[i] as number] as number;

type Histograms = {readonly t: number[]; readonly h: LaidHistogram[]};

/** Aggregates histogram rows [from, to): a first pass counts, a second one holds a batch at a time. */
function downsampleHistograms(
  chunks: StoredChunks,
  from: number,
  to: number,
  resolution: number,
  emit: EmitAggregate,
): void {
  let count = 0;
  let first = 0;
  let last = 0;
  eachHistogram(chunks, from, to, (t) => {
    if (count++ === 0) first = t;
    last = t;
  });
  if (count === 0) return;
  const wanted = targetChunks(first, last, RESOLUTION.raw, resolution, count);
  const batchSize = Math.trunc(count / wanted) + 1;
  let batch: Histograms = {t: [], h: []};
  let taken = 0;
  let batchEnd = 0;
  const flush = (): void => {
    if (batch.t.length > 0) emitHistograms(batch, 0, batch.t.length, resolution, emit);
    batch = {t: [], h: []};
  };
  eachHistogram(chunks, from, to, (t, sample) => {
    if (taken >= batchSize && t > batchEnd) {
      flush();
      taken = 0;
    }
    if (++taken === batchSize) batchEnd = windowEnd(t, resolution);
    const h = sample();
    if (Number.isNaN(h.h.sum)) return;
    // Custom and exponential buckets cannot be added up: each kind has chunks of its own.
    const before = batch.h.at(-1);
    if (before !== undefined && isCustom(before.h) !== isCustom(h.h)) flush();
    batch.t.push(t);
    batch.h.push(h);
  });
  flush();
}

/** Calls `visit` with every histogram that is neither stale nor behind one before it. */
function eachHistogram(
  chunks: StoredChunks,
  from: number,
  to: number,
  visit: (t: number, sample: () => LaidHistogram) => void,
): void {
  let lastT = Number.NEGATIVE_INFINITY;
  for (let i = from; i < to; i++) {
    const data = chunks.buffer[i] as Uint8Array;
    const at = chunks.at[i] as number;
    const ref = chunks.ref[i] as number;
    const place = {name: `segment ${segmentOf(ref)}`, offset: offsetOf(ref)};
    const length = (chunks.end[i] as number) - at - 1;
    const columns = decodeFloatHistograms(data[at] as Encoding, data, at + 1, length, place);
    for (let row = 0; row < columns.live; row++) {
      const t = columns.t[row] as number;
      if (t < lastT) continue;
      lastT = t;
      visit(t, () => laid(histogramAt(columns, row)));
    }
  }
}

/**
 * Emits samples [from, to) as one chunk, or as several where zero threshold or bounds change between windows: one chunk
 * has one layout, and the original keeps only what is behind the last change.
 */
function emitHistograms(
  samples: HistogramSamples,
  from: number,
  to: number,
  resolution: number,
  emit: EmitAggregate,
): void {
  const {t, count, sum, counter} = aggregateHistograms(samples, from, to, resolution, samples.t.at(-1) as number);
  const sums = encodeColumn(t, sum);
  const counters = encodeColumn(t, counter);
  const rows = Math.min(sums.rows, counters.rows);
  if (rows < t.length) {
    const cut = samples.t.findIndex((time, i) => i >= from && time > (t[rows - 1] as number));
    emitHistograms(samples, from, cut, resolution, emit);
    emitHistograms(samples, cut, to, resolution, emit);
    return;
  }
  const counts = {encoding: XOR, data: xorEncode(Float64Array.from(t), Float64Array.from(count))};
  const data = joinAggregates([counts, sums, undefined, undefined, counters]);
  emit(t[0] as number, t.at(-1) as number, data);
}
