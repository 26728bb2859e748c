import {type EncodedChunk, encodeFloatChunks, HistogramChunkWriter, newFloatColumns, reserve} from "@strata/chunkenc";
import type {Histogram} from "@strata/model";

/** A sample that came out of order: a float's words, or a histogram. */
export type OooSample = {
  readonly t: number;
  readonly st: number;
  readonly low: number;
  readonly high: number;
  readonly h: Histogram | undefined;
  /** The commit that it came with: readers that began before do not see it. */
  readonly commit: number;
};

/** No bound on the samples of a chunk but what its count can hold. */
const ONE_CHUNK = 65535;

/** Samples of one series that came out of order and lie in no chunk yet, ascending by time, one a time. */
export class OooList {
  readonly samples: OooSample[] = [];

  has(t: number): boolean {
    return this.samples[this.#place(t)]?.t === t;
  }

  /** Adds a sample; false when there is one of its time. */
  insert(sample: OooSample): boolean {
    const at = this.#place(sample.t);
    if (this.samples[at]?.t === sample.t) return false;
    this.samples.splice(at, 0, sample);
    return true;
  }

  /**
   * The samples of commits up to `lastCommit` as chunks: one ends only where the kind of samples changes, or a histogram's
   * counter is reset.
   */
  encode(startTimes: boolean, lastCommit: number = Number.POSITIVE_INFINITY): EncodedChunk[] {
    const out: EncodedChunk[] = [];
    const all = this.samples.every((s) => s.commit <= lastCommit)
      ? this.samples
      : this.samples.filter((s) => s.commit <= lastCommit);
    for (let from = 0; from < all.length; ) {
      const kind = all[from]?.h?.kind;
      let to = from;
      while (to < all.length && all[to]?.h?.kind === kind) to++;
      out.push(...(kind === undefined ? floats(all, from, to) : histograms(all, from, to, kind, startTimes)));
      from = to;
    }
    return out;
  }

  #place(t: number): number {
    let low = 0;
    let high = this.samples.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if ((this.samples[mid] as OooSample).t < t) low = mid + 1;
      else high = mid;
    }
    return low;
  }
}

function floats(all: readonly OooSample[], from: number, to: number): EncodedChunk[] {
  const columns = newFloatColumns(0);
  reserve(columns, to - from);
  const words = new Uint32Array(columns.v.buffer);
  const st = new Float64Array(to - from);
  for (let i = from; i < to; i++) {
    const sample = all[i] as OooSample;
    columns.t[i - from] = sample.t;
    words[2 * (i - from)] = sample.low;
    words[2 * (i - from) + 1] = sample.high;
    st[i - from] = sample.st;
  }
  columns.n = to - from;
  if (st.some((x) => x !== 0)) columns.st = st;
  return encodeFloatChunks(columns, 0, columns.n, ONE_CHUNK);
}

function histograms(
  all: readonly OooSample[],
  from: number,
  to: number,
  kind: Histogram["kind"],
  withStart: boolean,
): EncodedChunk[] {
  const slice = all.slice(from, to);
  const startTimes = withStart || slice.some(({st}) => st !== 0);
  const writer = new HistogramChunkWriter(kind, {perChunk: ONE_CHUNK, startTimes});
  for (const {t, st, h} of slice) writer.append(t, h as Histogram, st);
  return writer.finish();
}
