import {StrataError} from "@strata/base";
import {ByteWriter} from "@strata/bytes";
import type {Histogram, Labels} from "@strata/model";
import type {HistogramSample} from "../wal/histogram-records.ts";
import {type RefExemplar, type RefMetadata, writeLabels} from "../wal/other-records.ts";
import {SampleColumns} from "../wal/sample-records.ts";
import {applyTransaction} from "./apply.ts";
import type {ExemplarStatus} from "./exemplars.ts";
import type {Head} from "./head.ts";
import {APPEND, type AppendStatus} from "./series-store.ts";

/** What was added between two changes of kind within a series: committed floats first, then histograms. */
export class Batch {
  readonly floats = new SampleColumns();
  /** Slots of `floats`, while a commit is under way. */
  slots: Uint32Array = new Uint32Array(256);
  readonly histograms: HistogramSample[] = [];
  /** Series of `histograms`. */
  readonly histogramRefs = new Set<number>();
  readonly metadata: RefMetadata[] = [];
  readonly exemplars: RefExemplar[] = [];

  /** Empties it for another transaction; columns keep their room. */
  clear(): void {
    this.floats.clear();
    this.histograms.length = 0;
    this.histogramRefs.clear();
    this.metadata.length = 0;
    this.exemplars.length = 0;
  }
}

/** How many samples of a commit went where. Refused ones are those that an earlier sample of the same commit overtook. */
export type CommitResult = {
  readonly inOrder: number;
  readonly outOfOrder: number;
  readonly refused: number;
};

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
const labelBytes = new ByteWriter();

/**
 * One transaction. Nothing is visible or logged before `commit`, save that series asked for by `series` exist from then
 * on. Samples are judged when they are added, by what is committed, and again at the commit.
 */
export class HeadAppender {
  readonly #head: Head;
  readonly #batches: Batch[];
  #batch: Batch;
  #done = false;

  constructor(head: Head) {
    this.#head = head;
    head.stats.appenders++;
    head.stats.activeAppenders++;
    this.#batch = head.takeBatch();
    this.#batches = [this.#batch];
  }

  /** The reference of the series whose labels, as in series records and sorted by name, are bytes[from, to). Made if new. */
  series(bytes: Uint8Array, from = 0, to: number = bytes.length): number {
    return this.#head.refOf(bytes, from, to);
  }

  seriesOf(labels: Labels): number {
    labelBytes.reset();
    writeLabels(labelBytes, labels);
    return this.series(labelBytes.view());
  }

  /** Adds a float; the value's bits are kept where the engine keeps them (see floatWords). */
  float(ref: number, t: number, v: number, st = 0): AppendStatus {
    float[0] = v;
    return this.floatWords(ref, t, words[0] as number, words[1] as number, st);
  }

  /** Adds a float given as the low and high word of its bits; `st` is its start time (ms, 0 for none). */
  floatWords(ref: number, t: number, low: number, high: number, st: number): AppendStatus {
    if (this.#done) throw new StrataError("internal", "BUG: append to a transaction that is over");
    const status = this.#head.judgeFloat(ref, t, low, high);
    if (status >= APPEND.refused) {
      this.#head.noteRefused(status, "float", t);
      return status;
    }
    if (this.#batch.histogramRefs.size > 0 && this.#batch.histogramRefs.has(ref)) this.#nextBatch();
    this.#batch.floats.pushWords(ref, t, low, high, st);
    return status;
  }

  /**
   * Adds floats [from, to) of columns to one series: times, the two words of each value (low, then high) and, where there
   * are any, start times. `counts` gets one more at the status of each. The columns are copied.
   */
  floats(
    ref: number,
    t: Float64Array,
    valueWords: Uint32Array,
    st: Float64Array | undefined,
    from: number,
    to: number,
    counts: Uint32Array,
  ): void {
    if (this.#done) throw new StrataError("internal", "BUG: append to a transaction that is over");
    const head = this.#head;
    if (this.#batch.histogramRefs.size > 0 && this.#batch.histogramRefs.has(ref)) this.#nextBatch();
    const {floats} = this.#batch;
    floats.reserve(floats.n + to - from);
    for (let i = from; i < to; i++) {
      const time = t[i] as number;
      const low = valueWords[2 * i] as number;
      const high = valueWords[2 * i + 1] as number;
      const status = head.judgeFloat(ref, time, low, high);
      counts[status] = (counts[status] as number) + 1;
      if (status < APPEND.refused) floats.pushWords(ref, time, low, high, st === undefined ? 0 : (st[i] as number));
      else head.noteRefused(status, "float", time);
    }
  }

  /** Adds a histogram, which is kept until its chunk is done and must not change. */
  histogram(ref: number, t: number, h: Histogram, st = 0): AppendStatus {
    if (this.#done) throw new StrataError("internal", "BUG: append to a transaction that is over");
    const status = this.#head.judgeHistogram(ref, t, h);
    if (status >= APPEND.refused) {
      this.#head.noteRefused(status, "histogram", t);
      return status;
    }
    this.#batch.histograms.push({ref, t, st, h});
    this.#batch.histogramRefs.add(ref);
    return status;
  }

  exemplar(exemplar: RefExemplar): ExemplarStatus {
    if (!this.#head.has(exemplar.ref)) return "unknown_series";
    const status = this.#head.exemplars.check(exemplar);
    if (status === "ok") this.#batch.exemplars.push(exemplar);
    if (status === "out_of_order") this.#head.stats.exemplarsOutOfOrder++;
    return status;
  }

  /** Sets type, unit and help of a series that exists; nothing is logged when they are known. */
  metadata(metadata: RefMetadata): void {
    if (!this.#head.has(metadata.ref)) return;
    const known = this.#head.metadata.get(metadata.ref);
    if (known?.type === metadata.type && known.unit === metadata.unit && known.help === metadata.help) return;
    this.#batch.metadata.push(metadata);
  }

  /**
   * Logs all, then makes it visible in one step, and resolves when the log's sync policy is satisfied. When the log cannot
   * be written nothing has happened and the transaction is over.
   */
  async commit(): Promise<CommitResult> {
    const result = this.commitSync();
    await this.#head.acknowledge();
    return result;
  }

  /** The commit without waiting for a sync: for callers that wait once for many. */
  commitSync(): CommitResult {
    if (this.#done) return {inOrder: 0, outOfOrder: 0, refused: 0};
    this.#done = true;
    try {
      return applyTransaction(this.#head, this.#batches);
    } finally {
      this.#giveBack();
    }
  }

  /** Drops all that was added. Safe after `commit`. */
  rollback(): void {
    if (!this.#done) this.#giveBack();
    this.#done = true;
  }

  #giveBack(): void {
    this.#head.stats.activeAppenders--;
    for (const batch of this.#batches) this.#head.giveBatch(batch);
    this.#batches.length = 0;
  }

  #nextBatch(): void {
    this.#batch = this.#head.takeBatch();
    this.#batches.push(this.#batch);
  }
}
