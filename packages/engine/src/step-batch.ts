import type {Labels} from "@strata/model";
import type {FloatHistogram} from "./histogram/float-histogram.ts";
import type {SampleTally} from "./sample-tally.ts";

/** What a point of a step column holds. */
export const ABSENT = 0;
export const FLOAT = 1;
export const HISTOGRAM = 2;

/** Evaluation times `start + i × step`, i < count: integer ms, count ≥ 1. */
export type Grid = {
  readonly start: number;
  readonly step: number;
  readonly count: number;
  /** Where samples looked at on this grid are counted. */
  readonly tally: SampleTally;
};

/**
 * Step columns of some series, series-major: point (series s, step i) is entry s × steps + i of `values` and `kind`.
 * Whoever is given a batch owns it, may write into it and, when done, returns its bytes by `Evaluation.release`.
 *
 * A byte says what a point is (rather than a presence bit and a second bit for histograms): kernels write it directly
 * and every loop tests it with one load.
 */
export type StepBatch = {
  labels: Labels[];
  readonly steps: number;
  readonly values: Float64Array;
  readonly kind: Uint8Array;
  /** Same index as `values`; defined where kind is HISTOGRAM. Only where a series has any. */
  hists: (FloatHistogram | undefined)[] | undefined;
  /** Per series: the metric name is to go at the end (delayed name removal only). */
  dropName: Uint8Array | undefined;
};

/** Batches of one vector-valued expression, in its order of series; a row without any point may be among them. */
export type Batches = AsyncGenerator<StepBatch, void, undefined>;

/** One series of a batch. */
export type Row = {readonly labels: Labels; readonly batch: StepBatch; readonly base: number; readonly drop: boolean};

/** The rows of a batch. */
export function rowsOf(batch: StepBatch): Row[] {
  return batch.labels.map((labels, s) => ({
    labels,
    batch,
    base: s * batch.steps,
    drop: batch.dropName !== undefined && batch.dropName[s] === 1,
  }));
}

/** The bytes that a batch is counted with. */
export const countedBytes = ({values, steps}: StepBatch): number =>
  batchBytes(steps === 0 ? 0 : values.length / steps, steps);

/** The bytes that a batch of this size is counted with. */
export const batchBytes = (rows: number, steps: number): number => rows * (steps * 9 + 64);
