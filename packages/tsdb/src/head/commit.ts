import type {Histogram} from "@strata/model";
import type {HistogramSample} from "../wal/histogram-records.ts";
import {SampleColumns} from "../wal/sample-records.ts";

/** What judging a transaction finds out, and what it has to take back when the log cannot be written. */
export class Commit {
  readonly lateFloats = new SampleColumns(0);
  readonly late: HistogramSample[] = [];
  /** Samples in order. */
  floats = 0;
  histograms = 0;
  refused = 0;
  readonly maxTimeBefore: number;
  /** Kinds of the histograms so far, by slot. */
  readonly kinds = new Map<number, Histogram["kind"]>();
  /** Marks of samples of this commit are not below; see SeriesStore.marks. */
  readonly firstMark: number;
  /** Of the next batch's first sample. */
  mark: number;
  #slots = new Uint32Array(64);
  #maxt = new Float64Array(64);
  #n = 0;

  constructor(maxTime: number, firstMark: number) {
    this.maxTimeBefore = maxTime;
    this.firstMark = firstMark;
    this.mark = firstMark;
  }

  note(slot: number, maxt: number): void {
    const n = this.#n;
    if (n === this.#slots.length) {
      const slots = new Uint32Array(2 * n);
      slots.set(this.#slots);
      this.#slots = slots;
      const times = new Float64Array(2 * n);
      times.set(this.#maxt);
      this.#maxt = times;
    }
    this.#slots[n] = slot;
    this.#maxt[n] = maxt;
    this.#n = n + 1;
  }

  undo(maxt: Float64Array): void {
    for (let i = this.#n - 1; i >= 0; i--) maxt[this.#slots[i] as number] = this.#maxt[i] as number;
  }
}

/** Whether float `i` has the value of these words. */
export function isEqual(floats: SampleColumns, i: number, low: number, high: number): boolean {
  return floats.words[2 * i] === low && floats.words[2 * i + 1] === high;
}

/** Whether any sample has a start time. */
export function hasStart(samples: SampleColumns): boolean {
  const {st, n} = samples;
  for (let i = 0; i < n; i++) if (st[i] !== 0) return true;
  return false;
}
