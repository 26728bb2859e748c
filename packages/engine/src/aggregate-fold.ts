import {goQuote, METRIC_NAME} from "@strata/model";
import type {Aggregate, Position} from "@strata/promql";
import {BatchWriter, type Evaluation} from "./evaluation.ts";
import {Groups} from "./grouping.ts";
import {compact, type FloatHistogram, histogramBytes} from "./histogram/float-histogram.ts";
import {HistogramSum} from "./histogram/histogram-sum.ts";
import {addToMean} from "./histogram/window-sum.ts";
import {setPoint} from "./range-leaf.ts";
import {type Batches, FLOAT, type Grid, HISTOGRAM, type StepBatch} from "./step-batch.ts";

export type FoldOp = "sum" | "avg" | "count" | "min" | "max" | "group" | "stddev" | "stdvar";

/** What a group has come to so far at each step. */
type Accumulator = {
  /** How many samples have gone in; for sum and avg the floats only. */
  readonly n: Float64Array;
  /** Sum, extreme, or mean. */
  readonly a: Float64Array;
  /** Compensation, or the sum of squares. */
  readonly b: Float64Array;
  /** avg: 1 where the sum overflowed and `a` is a running mean. */
  incremental: Uint8Array | undefined;
  hists: HistogramState[] | undefined;
  histogramBytes: number;
};

/** `sum` is undefined where a float came first: nothing will come of it. `floats`: how many there were when it failed. */
type HistogramState = {
  sum: HistogramSum | undefined;
  n: number;
  incremental: boolean;
  failed: boolean;
  floats: number;
};

function newAccumulator(steps: number): Accumulator {
  const columns = new ArrayBuffer(24 * steps);
  return {
    n: new Float64Array(columns, 0, steps),
    a: new Float64Array(columns, 8 * steps, steps),
    b: new Float64Array(columns, 16 * steps, steps),
    incremental: undefined,
    hists: undefined,
    histogramBytes: 0,
  };
}

/**
 * An aggregation that folds each batch into one accumulator per group and never holds its input. Groups come out in the
 * order in which they were first seen. `named`: names of series are names still, not left over by operators below.
 */
export async function* foldAggregate(
  ev: Evaluation,
  aggregate: Aggregate,
  child: Batches,
  grid: Grid,
  named: boolean,
): Batches {
  const op = aggregate.op as FoldOp;
  const groups = new Groups(ev, aggregate);
  const states: Accumulator[] = [];
  const fold = FLOAT_FOLDS[op];
  const steps = grid.count;
  for await (const batch of child) {
    for (let s = 0; s < batch.labels.length; s++) {
      const g = groups.of(batch.labels[s]!, batch.dropName?.[s] === 1);
      if (g === states.length) {
        ev.budget.take(24 * steps, "aggregation groups");
        ev.hold(steps);
        states.push(newAccumulator(steps));
      }
      const state = states[g]!;
      fold(state, batch, s * steps, steps);
      if (batch.hists !== undefined) foldHistograms(ev, op, state, batch, s, aggregate.expr.pos, named);
    }
    ev.release(batch);
    ev.check();
  }
  const writer = new BatchWriter(ev, steps);
  for (let g = 0; g < states.length; g++) {
    if (!finish(ev, op, states[g]!, writer, steps, aggregate.expr.pos)) continue;
    writer.commit(groups.labels[g]!, groups.dropName[g]!);
    const full = writer.full();
    if (full !== undefined) yield full;
  }
  for (const state of states) ev.budget.give(24 * steps + state.histogramBytes);
  ev.drop(steps * states.length);
  const rest = writer.take();
  if (rest !== undefined) yield rest;
}

type Fold = (state: Accumulator, batch: StepBatch, base: number, steps: number) => void;

// PERF: one loop an operation, with nothing to decide inside but presence.
const FLOAT_FOLDS: Record<FoldOp, Fold> = {
  sum({n, a, b}, {values, kind}, base, steps) {
    for (let i = 0; i < steps; i++) {
      if (kind[base + i] !== FLOAT) continue;
      const x = values[base + i]!;
      if (n[i]!++ === 0) {
        a[i] = x;
        continue;
      }
      const sum = a[i]!;
      const t = sum + x;
      if (t === Infinity || t === -Infinity) b[i] = 0;
      else if (Math.abs(sum) >= Math.abs(x)) b[i]! += sum - t + x;
      else b[i]! += x - t + sum;
      a[i] = t;
    }
  },
  avg(state, {values, kind}, base, steps) {
    const {n, a, b} = state;
    for (let i = 0; i < steps; i++) {
      if (kind[base + i] !== FLOAT) continue;
      const x = values[base + i]!;
      const k = ++n[i]!;
      if (k === 1) {
        a[i] = x;
        continue;
      }
      if (state.incremental?.[i] !== 1) {
        const sum = a[i]!;
        const t = sum + x;
        if (t !== Infinity && t !== -Infinity) {
          b[i]! += Math.abs(sum) >= Math.abs(x) ? sum - t + x : x - t + sum;
          a[i] = t;
          continue;
        }
        state.incremental ??= new Uint8Array(steps);
        state.incremental[i] = 1;
        a[i] = sum / (k - 1);
        b[i]! /= k - 1;
      }
      const q = (k - 1) / k;
      const part = x / k;
      const mean = q * a[i]!;
      const t = part + mean;
      const c = q * b[i]!;
      if (t === Infinity || t === -Infinity) b[i] = 0;
      else b[i] = c + (Math.abs(mean) >= Math.abs(part) ? mean - t + part : part - t + mean);
      a[i] = t;
    }
  },
  count({n}, {kind}, base, steps) {
    for (let i = 0; i < steps; i++) if (kind[base + i] !== 0) n[i]!++;
  },
  group({n}, {kind}, base, steps) {
    for (let i = 0; i < steps; i++) if (kind[base + i] !== 0) n[i] = 1;
  },
  min({n, a}, {values, kind}, base, steps) {
    for (let i = 0; i < steps; i++) {
      if (kind[base + i] !== FLOAT) continue;
      const x = values[base + i]!;
      if (n[i]!++ === 0 || x < a[i]! || Number.isNaN(a[i]!)) a[i] = x;
    }
  },
  max({n, a}, {values, kind}, base, steps) {
    for (let i = 0; i < steps; i++) {
      if (kind[base + i] !== FLOAT) continue;
      const x = values[base + i]!;
      if (n[i]!++ === 0 || x > a[i]! || Number.isNaN(a[i]!)) a[i] = x;
    }
  },
  stddev: foldVariance,
  stdvar: foldVariance,
};

/** Welford's method without compensation; a group that begins with NaN or infinity stays NaN. */
function foldVariance({n, a, b}: Accumulator, {values, kind}: StepBatch, base: number, steps: number): void {
  for (let i = 0; i < steps; i++) {
    if (kind[base + i] !== FLOAT) continue;
    const x = values[base + i]!;
    const k = ++n[i]!;
    if (k === 1) {
      a[i] = x;
      b[i] = Number.isFinite(x) ? 0 : Number.NaN;
      continue;
    }
    const delta = x - a[i]!;
    a[i]! += delta / k;
    b[i]! += delta * (x - a[i]!);
  }
}

function foldHistograms(
  ev: Evaluation,
  op: FoldOp,
  state: Accumulator,
  batch: StepBatch,
  s: number,
  pos: Position,
  named: boolean,
): void {
  if (op === "count" || op === "group") return;
  const base = s * batch.steps;
  for (let i = 0; i < batch.steps; i++) {
    if (batch.kind[base + i] !== HISTOGRAM) continue;
    if (op !== "sum" && op !== "avg") {
      ev.annotations.info(`ignored histogram in ${op} aggregation`, pos);
      return;
    }
    const h = batch.hists?.[base + i] as FloatHistogram;
    state.hists ??= [];
    const before = state.hists[i];
    if (before === undefined) {
      const bytes = 2 * histogramBytes(h);
      ev.budget.take(bytes, "aggregation groups");
      state.histogramBytes += bytes;
      const sum = state.n[i]! > 0 ? undefined : new HistogramSum(h);
      state.hists[i] = {sum, n: 1, incremental: false, failed: false, floats: 0};
      continue;
    }
    if (before.failed || before.sum === undefined) continue;
    before.n++;
    if (op === "sum") before.failed = before.sum.add(h) === "incompatible";
    else {
      const next = addToMean(before.sum, h, before.n, before.incremental);
      if (next === undefined) before.failed = true;
      else {
        before.sum = next.sum;
        before.incremental = next.incremental;
      }
    }
    if (before.failed) {
      const name = goQuote(named ? batch.labels[s]!.get(METRIC_NAME) : "");
      before.floats = state.n[i]!;
      const text = "vector contains a mix of histograms with exponential and custom buckets schemas for metric name";
      ev.annotations.warn(`${text} ${name}`, pos);
    }
  }
}

/** Writes a group's row at the writer's base; false when it has no point. */
function finish(
  ev: Evaluation,
  op: FoldOp,
  state: Accumulator,
  writer: BatchWriter,
  steps: number,
  pos: Position,
): boolean {
  const {batch, base} = writer;
  let any = false;
  for (let i = 0; i < steps; i++) {
    const h = state.hists?.[i];
    const n = state.n[i]!;
    if (h === undefined && n === 0) continue;
    if (h !== undefined) {
      const {sum} = h;
      // What came after histograms that do not go together was not looked at.
      const floats = h.failed ? h.floats : n;
      if (sum?.reconciled) ev.annotations.info("mismatched custom buckets were reconciled during aggregation", pos);
      if (floats > 0 || sum === undefined) {
        ev.annotations.warn("encountered a mix of histograms and floats for aggregation", pos);
        continue;
      }
      if (h.failed) continue;
      if (sum.collision) ev.annotations.warn("conflicting counter resets during histogram aggregation", pos);
      if (op === "avg" && !h.incremental && h.n > 1) sum.divideBy(h.n);
      setPoint(batch, base + i, compact(sum.result()));
      any = true;
      continue;
    }
    batch.kind[base + i] = FLOAT;
    batch.values[base + i] = floatResult(op, state, i, n);
    any = true;
  }
  return any;
}

function floatResult(op: FoldOp, {a, b, incremental}: Accumulator, i: number, n: number): number {
  switch (op) {
    case "sum":
      return a[i]! + b[i]!;
    case "avg":
      return incremental?.[i] === 1 ? a[i]! + b[i]! : a[i]! / n + b[i]! / n;
    case "count":
      return n;
    case "group":
      return 1;
    case "stdvar":
      return b[i]! / n;
    case "stddev":
      return Math.sqrt(b[i]! / n);
    default:
      return a[i]!;
  }
}
