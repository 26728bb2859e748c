import {xorEncode} from "@strata/kernels";
import {compareLabels, type Labels} from "@strata/model";
import {
  AGGREGATE,
  BATCH_SERIES,
  type LabelAnswer,
  type Queryable,
  type Select,
  type SeriesBatch,
  SeriesBatchBuilder,
} from "@strata/series";
import {type ChunkDecoder, type ChunkSamples, decodeChunk} from "../decode-chunk.ts";
import type {FloatHistogram} from "../histogram/float-histogram.ts";
import {labelsKey} from "../metric-name.ts";

/** One sample: a float as bits (so that stale markers stay), or a histogram. */
export type StoredSample = {readonly t: number; readonly v: bigint | FloatHistogram; readonly st?: number};

export type StoredSeries = {readonly labels: Labels; readonly samples: readonly StoredSample[]};

/** Encoding number of chunks that only `MemoryStore.decodeChunk` can read: their bytes say where the samples are. */
const BY_REFERENCE = 250;
const SAMPLES_PER_CHUNK = 120;

type Chunk = {mint: number; maxt: number; n: number; encoding: number; data: Uint8Array};

/** A series, and how many of its samples are in chunks. */
type Entry = {readonly labels: Labels; readonly samples: StoredSample[]; readonly chunks: Chunk[]; encoded: number};

/**
 * A source for tests. Runs of floats are real XOR chunks; histograms, and floats with start times, are kept by reference
 * and need `options.decodeChunk` to be the store's.
 */
export class MemoryStore implements Queryable {
  #series: Entry[];
  readonly #byLabels = new Map<string, Entry>();
  readonly #kept: ChunkSamples[] = [];
  readonly #batchSeries: number;

  constructor(series: Iterable<StoredSeries>, batchSeries: number = BATCH_SERIES) {
    this.#batchSeries = batchSeries;
    this.#series = [...series].map(({labels, samples}) => {
      const entry = {labels, samples: [...samples], chunks: [], encoded: 0};
      this.#byLabels.set(labelsKey(labels), entry);
      return entry;
    });
    this.#series.sort((a, b) => compareLabels(a.labels, b.labels));
  }

  readonly decodeChunk: ChunkDecoder = (encoding, bytes, from, length) => {
    if (encoding !== BY_REFERENCE) return decodeChunk(encoding, bytes, from, length);
    return this.#kept[new DataView(bytes.buffer, bytes.byteOffset + from).getUint32(0)]!;
  };

  /** Adds a sample that is newer than all of its series. */
  append(labels: Labels, sample: StoredSample): void {
    const key = labelsKey(labels);
    let entry = this.#byLabels.get(key);
    if (entry === undefined) {
      entry = {labels, samples: [], chunks: [], encoded: 0};
      this.#byLabels.set(key, entry);
      this.#series = [...this.#series, entry].sort((a, b) => compareLabels(a.labels, b.labels));
    }
    entry.samples.push(sample);
  }

  /** The newest sample of a series. */
  last(labels: Labels): StoredSample | undefined {
    return this.#byLabels.get(labelsKey(labels))?.samples.at(-1);
  }

  async *select(q: Select): AsyncGenerator<SeriesBatch> {
    const builder = new SeriesBatchBuilder();
    for (const entry of this.#series) {
      const {labels} = entry;
      if (!q.matchers.every((m) => m.matches(labels.get(m.name)))) continue;
      const found = this.#chunks(entry).filter((c) => c.maxt >= q.mint && c.mint <= q.maxt);
      if (found.length === 0) continue;
      builder.startSeries(labels);
      for (const c of found) {
        builder.addChunk(c.mint, c.maxt, c.encoding, 0, AGGREGATE.raw, c.data, 0, c.data.length);
      }
      if (builder.series >= this.#batchSeries) yield builder.finish();
    }
    if (!builder.empty) yield builder.finish();
  }

  async labelNames(): Promise<LabelAnswer> {
    return {values: [], warnings: []};
  }

  async labelValues(): Promise<LabelAnswer> {
    return {values: [], warnings: []};
  }

  /** All samples as chunks. Only the last chunk is made anew when samples were added. */
  #chunks(entry: Entry): readonly Chunk[] {
    const {samples, chunks} = entry;
    if (entry.encoded === samples.length) return chunks;
    const open = chunks.pop();
    let from = open === undefined ? 0 : entry.encoded - open.n;
    while (from < samples.length) {
      const plain = isPlain(samples[from]!);
      let to = from + 1;
      while (to < samples.length && to - from < SAMPLES_PER_CHUNK && isPlain(samples[to]!) === plain) to++;
      const run = samples.slice(from, to);
      const ts = Float64Array.from(run, (s) => s.t);
      const bits = BigUint64Array.from(run, (s) => (typeof s.v === "bigint" ? s.v : 0n));
      const vs = new Float64Array(bits.buffer);
      const at = {mint: run[0]!.t, maxt: run[run.length - 1]!.t, n: run.length};
      if (plain) chunks.push({...at, encoding: 1, data: xorEncode(ts, vs)});
      else {
        const data = new Uint8Array(4);
        new DataView(data.buffer).setUint32(0, this.#kept.length);
        const hs = run.map((s) => (typeof s.v === "bigint" ? undefined : s.v));
        const st = run.some((s) => s.st !== undefined) ? Float64Array.from(run, (s) => s.st ?? 0) : undefined;
        this.#kept.push({ts, vs, n: run.length, hs, st});
        chunks.push({...at, encoding: BY_REFERENCE, data});
      }
      from = to;
    }
    entry.encoded = samples.length;
    return chunks;
  }
}

const isPlain = (s: StoredSample): boolean => typeof s.v === "bigint" && s.st === undefined;
