import type {Labels} from "@strata/model";
import type {Evaluation} from "./evaluation.ts";
import type {FloatHistogram} from "./histogram/float-histogram.ts";
import {labelsKey, sameLabelset} from "./metric-name.ts";
import {setPoint} from "./range-leaf.ts";
import {ABSENT, type StepBatch} from "./step-batch.ts";

/** Where one output series lies. */
export type OutputRow = {readonly batch: StepBatch; readonly base: number};

/** Output series that are filled point by point in any order, found by their labels. Rows share batches. */
export class OutputRows {
  readonly #ev: Evaluation;
  readonly #steps: number;
  readonly #rows = new Map<string, OutputRow>();
  readonly #batches: StepBatch[] = [];
  readonly #perBatch: number;
  /** Rows of the newest batch; batches double in size, so that few rows do not reserve much. */
  #room = 0;

  constructor(ev: Evaluation, steps: number) {
    this.#ev = ev;
    this.#steps = steps;
    this.#perBatch = ev.rowsPerBatch(steps);
  }

  /** The row of a label set, made if there is none. `drop`: its metric name is to go at the end. */
  row(labels: Labels, drop: boolean, key: string = labelsKey(labels)): OutputRow {
    const found = this.#rows.get(key);
    if (found !== undefined) return found;
    let batch = this.#batches[this.#batches.length - 1];
    if (batch === undefined || batch.labels.length === this.#room) {
      this.#room = Math.min(this.#perBatch, Math.max(1, 2 * this.#room));
      batch = this.#ev.newBatch(this.#room, this.#steps);
      this.#batches.push(batch);
    }
    const row = {batch, base: batch.labels.length * this.#steps};
    if (drop) {
      batch.dropName ??= new Uint8Array(this.#room);
      batch.dropName[batch.labels.length] = 1;
    }
    batch.labels.push(labels);
    this.#ev.hold(this.#steps);
    this.#rows.set(key, row);
    return row;
  }

  /** Sets a point of a row; points of one series at one step must not meet. */
  set(row: OutputRow, step: number, value: number | FloatHistogram): void {
    if (row.batch.kind[row.base + step] !== ABSENT) throw sameLabelset();
    setPoint(row.batch, row.base + step, value);
  }

  /** What was filled; the consumer's from here on. */
  batches(): readonly StepBatch[] {
    this.#ev.drop(this.#rows.size * this.#steps);
    return this.#batches;
  }
}
