import {ByteWriter} from "@strata/bytes";
import type {Labels} from "@strata/model";
import {isStale, NOTHING_REFUSED, type Refused, type RuleSamples, type RuleStorage, seriesKey} from "@strata/rules";
import {
  encodeHistogramRecords,
  encodeSamples,
  type HistogramSample,
  SampleColumns,
  SeriesRecord,
  type WalCompression,
  WalWriter,
  writeLabels,
} from "@strata/tsdb";
import {storedHistogram} from "../db-storage.ts";

/** What is known of a series that was written to. */
type Known = {readonly ref: number; lastT: number; lastBits: bigint; segment: number};

/**
 * A segment ends when it holds this much, so that what has been sent can go. PERF: far below what the log allows, because
 * each segment begins with all its series again.
 */
const SEGMENT_BYTES = 8 * 1024 * 1024;
/** Series that were not written to for so many segments are forgotten. */
const FORGET_SEGMENTS = 2;

/**
 * The write-ahead log of a ruler that keeps no blocks, in the layout of Prometheus' agent. Every segment names the series
 * of its samples, so that it can be read, and removed, without those before it.
 */
export class ResultLog implements RuleStorage {
  readonly #wal: WalWriter;
  readonly #series = new Map<string, Known>();
  readonly #byLabels = new WeakMap<Labels, Known>();
  readonly #listeners = new Set<() => void>();
  readonly #labelBytes = new ByteWriter();
  #lastRef = 0;

  private constructor(wal: WalWriter) {
    this.#wal = wal;
  }

  /** Begins a new segment in `dir`. */
  static open(dir: string, compression: WalCompression): ResultLog {
    return new ResultLog(WalWriter.open(dir, {compression}));
  }

  get dir(): string {
    return this.#wal.dir;
  }

  /** The segment that is written. */
  get segment(): number {
    return this.#wal.segment;
  }

  get offset(): number {
    return this.#wal.offset;
  }

  /** Calls `listener` after each write. Returns what ends that. */
  onWrite(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async append(samples: RuleSamples): Promise<Refused> {
    if (this.#wal.offset >= SEGMENT_BYTES) this.#nextSegment();
    const {t, labels, values, histograms} = samples;
    const bits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
    const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
    const series = new SeriesRecord();
    const floats = new SampleColumns(labels.length);
    const others: HistogramSample[] = [];
    const written: Known[] = [];
    let [outOfOrder, duplicate] = [0, 0];
    for (let i = 0; i < labels.length; i++) {
      const known = this.#known(labels[i] as Labels);
      if (t <= known.lastT) {
        if (isStale(values, i) || (t === known.lastT && known.lastBits === bits[i])) continue;
        if (t === known.lastT) duplicate++;
        else outOfOrder++;
        continue;
      }
      if (known.segment !== this.#wal.segment) this.#name(series, known, labels[i] as Labels);
      const h = histograms?.get(i);
      if (h === undefined) floats.pushWords(known.ref, t, words[2 * i] as number, words[2 * i + 1] as number, 0);
      else others.push({ref: known.ref, t, st: 0, h: storedHistogram(h)});
      known.lastT = t;
      known.lastBits = bits[i] as bigint;
      written.push(known);
    }
    const records = [...series.records()];
    // Encoders give views that their next call overwrites.
    if (floats.n > 0) records.push(encodeSamples(floats, 0, floats.n).slice());
    if (others.length > 0) records.push(...encodeHistogramRecords(others));
    try {
      this.#wal.log(records);
    } catch (err) {
      // Nothing was written: the series have to be named again, and the samples may come again.
      for (const known of written) {
        known.segment = -1;
        known.lastT = Number.NEGATIVE_INFINITY;
      }
      throw err;
    }
    await this.#wal.acknowledge();
    for (const listener of this.#listeners) listener();
    return outOfOrder + duplicate === 0 ? NOTHING_REFUSED : {outOfOrder, tooOld: 0, duplicate};
  }

  #known(labels: Labels): Known {
    let known = this.#byLabels.get(labels);
    if (known !== undefined) return known;
    const key = seriesKey(labels);
    known = this.#series.get(key);
    if (known === undefined) {
      known = {ref: ++this.#lastRef, lastT: Number.NEGATIVE_INFINITY, lastBits: 0n, segment: -1};
      this.#series.set(key, known);
    }
    this.#byLabels.set(labels, known);
    return known;
  }

  #name(record: SeriesRecord, known: Known, labels: Labels): void {
    const w = this.#labelBytes;
    w.reset();
    writeLabels(w, labels);
    record.add(known.ref, w.view(), 0, w.view().length);
    known.segment = this.#wal.segment;
  }

  #nextSegment(): void {
    const segment = this.#wal.nextSegment();
    for (const [key, known] of this.#series) {
      if (known.segment < segment - FORGET_SEGMENTS) this.#series.delete(key);
    }
  }

  /** Removes segments below `index`. */
  async truncate(index: number): Promise<void> {
    await this.#wal.truncate(Math.min(index, this.#wal.segment));
  }

  /** Safe to call twice. */
  close(): Promise<void> {
    return this.#wal.close();
  }
}
