import type {ByteBudget} from "@strata/base";
import {compareLabels, type Labels} from "@strata/model";
import type {PlanNode} from "./explain.ts";
import {type FloatHistogram, histogramBytes} from "./histogram/float-histogram.ts";
import {ABSENT, type StepBatch} from "./step-batch.ts";

/** What a query came to, in Prometheus' terms. */
export type QueryStats = {
  /** Samples that the query's windows and instants held, each as often as it was looked at. */
  readonly totalQueryableSamples: number;
  /** The same, each counted once a selector. */
  readonly samplesRead: number;
  /** Both of each step of the query, if they were asked for. */
  readonly totalQueryableSamplesPerStep?: Float64Array | undefined;
  readonly samplesReadPerStep?: Float64Array | undefined;
  /** Samples decoded, whole chunks at a time. */
  readonly samplesDecoded: number;
  /** The most points held at a time. */
  readonly peakSamples: number;
};

/**
 * An answer as columns. Points of series i are the entries [firstPoint[i], firstPoint[i + 1]) of `times` (ms), `values`
 * and, where a histogram stands instead of the value, `histograms`. A scalar is one series without labels; a string has
 * `text`. All buffers are the result's own and may be transferred.
 */
export type QueryResult = {
  readonly type: "vector" | "matrix" | "scalar" | "string";
  readonly labels: readonly Labels[];
  readonly firstPoint: Uint32Array;
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly histograms: ReadonlyMap<number, FloatHistogram> | undefined;
  readonly text: string;
  /** Texts with positions if the query's text was given. All of them: the API shows ten of each kind. */
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly stats: QueryStats;
  /** The operators and their costs, if `analyze` was asked for. */
  readonly plan: PlanNode | undefined;
};

/** About what a series of a result takes beside its points; its label texts are mostly shared. */
const LABELS_BYTES = 128;
const RESULT = "the result";

/** Collects series and their points. */
export class ResultBuilder {
  #labels: Labels[] = [];
  #first: number[] = [];
  #times = new Float64Array(256);
  #values = new Float64Array(256);
  #histograms: Map<number, FloatHistogram> | undefined;
  #n = 0;
  readonly #budget: ByteBudget;

  /** What is collected is counted in `budget`, and never given back: it is the query's answer. */
  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  get points(): number {
    return this.#n;
  }

  startSeries(labels: Labels): void {
    this.#budget.take(LABELS_BYTES, RESULT);
    this.#labels.push(labels);
    this.#first.push(this.#n);
  }

  add(t: number, v: number | FloatHistogram): void {
    this.#reserve(1);
    this.#times[this.#n] = t;
    if (typeof v === "number") this.#values[this.#n] = v;
    else {
      this.#budget.take(histogramBytes(v), RESULT);
      this.#histograms ??= new Map();
      this.#histograms.set(this.#n, v);
    }
    this.#n++;
  }

  /**
   * Adds row `row` of a batch without histograms as a series, unless it has no points at all. PERF: one loop over columns;
   * point by point it took as long as decoding the samples behind it.
   */
  addFloats({labels, steps, kind, values}: StepBatch, row: number, start: number, step: number): void {
    this.#reserve(steps);
    const base = row * steps;
    const [times, out] = [this.#times, this.#values];
    const first = this.#n;
    let n = first;
    for (let i = 0; i < steps; i++) {
      if (kind[base + i] === ABSENT) continue;
      times[n] = start + i * step;
      out[n++] = values[base + i]!;
    }
    if (n === first) return;
    this.startSeries(labels[row]!);
    this.#n = n;
  }

  /** Makes room for `more` points. */
  #reserve(more: number): void {
    const room = this.#times.length;
    if (this.#n + more <= room) return;
    const size = Math.max(2 * room, this.#n + more);
    this.#budget.take(16 * (size - room), RESULT);
    const times = new Float64Array(size);
    const values = new Float64Array(size);
    times.set(this.#times.subarray(0, this.#n));
    values.set(this.#values.subarray(0, this.#n));
    this.#times = times;
    this.#values = values;
  }

  /** The columns, series sorted by labels if asked. */
  finish(sort: boolean): Pick<QueryResult, "labels" | "firstPoint" | "times" | "values" | "histograms"> {
    const n = this.#labels.length;
    const first = Uint32Array.from([...this.#first, this.#n]);
    const times = this.#times.slice(0, this.#n);
    const values = this.#values.slice(0, this.#n);
    const order = Array.from({length: n}, (_, i) => i);
    if (sort) order.sort((a, b) => compareLabels(this.#labels[a]!, this.#labels[b]!));
    if (!sort || order.every((at, i) => at === i)) {
      return {labels: this.#labels, firstPoint: first, times, values, histograms: this.#histograms};
    }
    const sortedTimes = new Float64Array(this.#n);
    const sortedValues = new Float64Array(this.#n);
    const sortedFirst = new Uint32Array(n + 1);
    const histograms = this.#histograms && new Map<number, FloatHistogram>();
    let at = 0;
    order.forEach((s, i) => {
      const [from, to] = [first[s]!, first[s + 1]!];
      sortedFirst[i] = at;
      sortedTimes.set(times.subarray(from, to), at);
      sortedValues.set(values.subarray(from, to), at);
      if (histograms !== undefined) {
        for (let p = from; p < to; p++) {
          const h = this.#histograms?.get(p);
          if (h !== undefined) histograms.set(at + p - from, h);
        }
      }
      at += to - from;
    });
    sortedFirst[n] = at;
    return {
      labels: order.map((s) => this.#labels[s]!),
      firstPoint: sortedFirst,
      times: sortedTimes,
      values: sortedValues,
      histograms,
    };
  }
}
