import type {Subquery} from "@strata/promql";
import type {Evaluation} from "./evaluation.ts";
import {type FloatHistogram, HINT, withHint} from "./histogram/float-histogram.ts";
import {type RangeCall, RangeSlider, references} from "./range-leaf.ts";
import {SampleColumns} from "./sample-columns.ts";
import {SampleTally} from "./sample-tally.ts";
import {type Batches, FLOAT, type Grid, HISTOGRAM, type StepBatch} from "./step-batch.ts";

/** Where the inner expression of a subquery is evaluated: multiples of its step; undefined if nowhere. */
export function subqueryGrid(ev: Evaluation, sub: Subquery, grid: Grid): Grid | undefined {
  const step = sub.step > 0 ? sub.step : ev.options.defaultSubqueryStepMs;
  const w = references(ev, sub.at, sub.offset, grid, sub.range);
  const from = w.start - sub.range;
  const end = w.start + (w.count - 1) * w.step;
  let start = step * Math.trunc(from / step);
  if (start <= from) start += step;
  if (end < start) return undefined;
  const count = Math.floor((end - start) / step) + 1;
  ev.limitSteps(count);
  // Inner steps are told apart where some may lie between two windows, or where each outer step is counted.
  const apart = grid.tally.perStep || (grid.count > 1 && grid.step > sub.range);
  return {start, step, count, tally: new SampleTally(apart ? count : 0)};
}

/** Fills columns with the present points of row s of a batch. */
export function pointsOf(batch: StepBatch, s: number, grid: Grid, columns: SampleColumns, scratch: Scratch): void {
  columns.clear();
  const {steps, values, kind} = batch;
  const base = s * steps;
  const {ts, vs} = scratch;
  const hts: number[] = [];
  const hs: FloatHistogram[] = [];
  let n = 0;
  for (let i = 0; i < steps; i++) {
    const k = kind[base + i];
    if (k === FLOAT) {
      ts[n] = grid.start + i * grid.step;
      vs[n++] = values[base + i]!;
    } else if (k === HISTOGRAM) {
      hts.push(grid.start + i * grid.step);
      const h = batch.hists?.[base + i] as FloatHistogram;
      hs.push(h.hint === HINT.gauge ? h : withHint(h, HINT.unknown));
    }
  }
  columns.setFloats(ts, vs, n);
  columns.setHistograms(hts, hs);
}

/** Room for the floats of one row. */
export type Scratch = {readonly ts: Float64Array; readonly vs: Float64Array};

export const scratchFor = (steps: number): Scratch => ({ts: new Float64Array(steps), vs: new Float64Array(steps)});

/** A range function over a subquery whose inner expression, on `inner`, is `child`. */
export async function* rangeSubquery(
  ev: Evaluation,
  call: RangeCall,
  sub: Subquery,
  grid: Grid,
  inner: Grid,
  child: Batches,
  oneName: boolean,
  unseen: boolean,
): Batches {
  const w = references(ev, sub.at, sub.offset, grid, sub.range);
  const columns = new SampleColumns(ev.budget);
  const slider = new RangeSlider(ev, call, grid, w, "", oneName, unseen, false);
  const scratch = scratchFor(inner.count);
  try {
    for await (const batch of child) {
      for (let s = 0; s < batch.labels.length; s++) {
        pointsOf(batch, s, inner, columns, scratch);
        const full = slider.push(batch.labels[s]!, columns, batch.dropName?.[s] === 1);
        if (full !== undefined) yield full;
        ev.worked(columns.n + columns.hn + grid.count);
        if (ev.tired) await ev.breathe();
      }
      ev.release(batch);
      ev.check();
    }
    grid.tally.addInner(inner.tally, {start: inner.start, step: inner.step, offset: sub.offset}, grid, sub.range);
    const rest = slider.finish();
    if (rest !== undefined) yield rest;
  } finally {
    columns.close();
  }
}
