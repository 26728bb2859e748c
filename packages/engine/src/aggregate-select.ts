import {StrataError} from "@strata/base";
import {xxhash64} from "@strata/kernels";
import type {Labels} from "@strata/model";
import type {Aggregate, Position} from "@strata/promql";
import {goG} from "./annotations.ts";
import {BatchWriter, type Evaluation} from "./evaluation.ts";
import {Groups} from "./grouping.ts";
import {histogramBytes} from "./histogram/float-histogram.ts";
import {invalidQuantile, quantileOf} from "./range-functions.ts";
import {setPoint} from "./range-leaf.ts";
import {goMax, goMin} from "./scalar-math.ts";
import {ABSENT, type Batches, FLOAT, type Grid, HISTOGRAM, type Row, rowsOf, type StepBatch} from "./step-batch.ts";

/** All rows of an input that an operator has to see whole. */
export async function collectRows(ev: Evaluation, child: Batches): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of child) {
    ev.hold(batch.labels.length * batch.steps);
    ev.budget.take(histogramsBytes(batch), "histograms");
    for (const row of rowsOf(batch)) rows.push(row);
    ev.check();
  }
  return rows;
}

/** What the histograms of a batch take. */
function histogramsBytes({hists}: StepBatch): number {
  let bytes = 0;
  // A sparse array: only where there are any.
  hists?.forEach((h) => {
    if (h !== undefined) bytes += histogramBytes(h);
  });
  return bytes;
}

/** Gives back the batches behind rows. */
export function releaseRows(ev: Evaluation, rows: readonly Row[]): void {
  for (const batch of new Set(rows.map((row) => row.batch))) {
    ev.drop(batch.labels.length * batch.steps);
    ev.budget.give(histogramsBytes(batch));
    ev.release(batch);
  }
}

/** Rows by group, in the order the groups were first seen. */
function byGroup(groups: Groups, rows: readonly Row[]): Row[][] {
  const grouped: Row[][] = [];
  for (const row of rows) {
    const g = groups.of(row.labels, row.drop);
    const members = grouped[g];
    if (members === undefined) grouped[g] = [row];
    else members.push(row);
  }
  return grouped;
}

/** Sends rows on, each with the points that `keep` says. */
function* emitRows(
  ev: Evaluation,
  rows: readonly Row[],
  steps: number,
  copy: (row: Row, to: StepBatch, base: number) => boolean,
) {
  const writer = new BatchWriter(ev, steps);
  for (const row of rows) {
    if (!copy(row, writer.batch, writer.base)) continue;
    writer.commit(row.labels, row.drop);
    const full = writer.full();
    if (full !== undefined) yield full;
  }
  const rest = writer.take();
  if (rest !== undefined) yield rest;
}

export function copyPoint(from: Row, step: number, to: StepBatch, at: number): void {
  const {batch, base} = from;
  to.kind[at] = batch.kind[base + step]!;
  to.values[at] = batch.values[base + step]!;
  if (batch.kind[base + step] === HISTOGRAM) {
    to.hists ??= [];
    to.hists[at] = batch.hists?.[base + step];
  }
}

/** `topk`, `bottomk`, `limitk` and `limit_ratio`: some of the input's samples, with their labels. */
export async function* selectAggregate(
  ev: Evaluation,
  aggregate: Aggregate,
  param: Float64Array,
  child: Batches,
  grid: Grid,
): Batches {
  const ratio = aggregate.op === "limit_ratio";
  const {min, max, nan} = extremes(param);
  if (ratio ? min === 0 && max === 0 : max < 1) {
    // Nothing is kept, but what is wrong with the input is told.
    await drain(ev, child);
    return;
  }
  const rows = await collectRows(ev, child);
  if (ratio) capRatios(ev, aggregate, param);
  else if (nan) throw new StrataError("execution", "Parameter value is NaN");
  else if (min <= -(2 ** 63)) throw new StrataError("execution", `Scalar value ${goG(min)} underflows int64`);
  else if (max >= 2 ** 63) throw new StrataError("execution", `Scalar value ${goG(max)} overflows int64`);
  const groups = byGroup(new Groups(ev, aggregate), rows);
  const steps = grid.count;
  // Which rows are kept at each step, as bytes in the order of `rows`; and for one step the order to come out in.
  const kept = new Map<Row, Uint8Array>(rows.map((row) => [row, new Uint8Array(steps)]));
  const ordered: Row[] = [];
  for (const members of groups) {
    for (let i = 0; i < steps; i++) {
      const chosen = ratio
        ? chooseRatio(members, i, param[i]!)
        : choose(ev, aggregate, members, i, Math.min(Math.trunc(param[i]!), rows.length));
      for (const row of chosen) kept.get(row)![i] = 1;
      if (steps === 1) ordered.push(...chosen);
    }
    ev.check();
  }
  yield* emitRows(ev, steps === 1 ? ordered : rows, steps, (row, to, base) => {
    const keep = kept.get(row)!;
    let any = false;
    for (let i = 0; i < steps; i++) {
      if (keep[i] === 0) continue;
      copyPoint(row, i, to, base + i);
      any = true;
    }
    return any;
  });
  releaseRows(ev, rows);
}

/** The ends of a parameter, as Go's math.Max and math.Min find them, and whether it is NaN anywhere. */
function extremes(param: Float64Array): {min: number; max: number; nan: boolean} {
  let [min, max, nan] = [Number.MAX_VALUE, -Number.MAX_VALUE, false];
  // Compat: with a φ or k that is the same everywhere the ends are the value itself, also if infinite or NaN.
  if (param.every((v) => Object.is(v, param[0]))) return {min: param[0]!, max: param[0]!, nan: Number.isNaN(param[0]!)};
  for (const v of param) {
    min = goMin(min, v);
    max = goMax(max, v);
    nan ||= Number.isNaN(v);
  }
  return {min, max, nan};
}

function capRatios(ev: Evaluation, aggregate: Aggregate, param: Float64Array): void {
  const {min, max, nan} = extremes(param);
  if (nan) throw new StrataError("execution", "Ratio value is NaN");
  const {pos} = aggregate.param ?? aggregate;
  const warn = (v: number, cap: number) =>
    ev.annotations.warn(`ratio value should be between -1 and 1, got ${goG(v)}, capping to ${goG(cap)}`, pos);
  if (max > 1) warn(max, 1);
  if (min < -1) warn(min, -1);
  for (let i = 0; i < param.length; i++) param[i] = Math.max(-1, Math.min(1, param[i]!));
}

/** Evaluates for what it says alone. */
export async function drain(ev: Evaluation, child: Batches): Promise<void> {
  for await (const batch of child) ev.release(batch);
}

function choose(ev: Evaluation, aggregate: Aggregate, members: readonly Row[], step: number, k: number): Row[] {
  if (k < 1) return [];
  if (aggregate.op === "limitk") {
    const chosen: Row[] = [];
    for (const row of members) {
      if (row.batch.kind[row.base + step] === ABSENT) continue;
      chosen.push(row);
      if (chosen.length === k) break;
    }
    return chosen;
  }
  const sign = aggregate.op === "topk" ? 1 : -1;
  const heap: Row[] = [];
  const value = (row: Row) => row.batch.values[row.base + step]! * sign;
  for (const row of members) {
    const kind = row.batch.kind[row.base + step];
    if (kind === HISTOGRAM) ev.annotations.info(`ignored histogram in ${aggregate.op} aggregation`, aggregate.pos);
    if (kind !== FLOAT) continue;
    if (heap.length < k) pushWeakest(heap, row, value);
    else if (weaker(value(heap[0]!), value(row))) replaceWeakest(heap, row, value);
  }
  return heap.sort((a, b) => (weaker(value(b), value(a)) ? -1 : weaker(value(a), value(b)) ? 1 : 0));
}

/** NaN is weaker than any number. */
const weaker = (a: number, b: number): boolean => a < b || (Number.isNaN(a) && !Number.isNaN(b));

/** Order in the heap. Compat: NaN goes above NaN, so that of several the same ones are kept as in Prometheus. */
const above = (a: number, b: number): boolean => a < b || Number.isNaN(a);

function pushWeakest(heap: Row[], row: Row, value: (row: Row) => number): void {
  let i = heap.push(row) - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!above(value(row), value(heap[parent]!))) break;
    heap[i] = heap[parent]!;
    i = parent;
  }
  heap[i] = row;
}

function replaceWeakest(heap: Row[], row: Row, value: (row: Row) => number): void {
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && above(value(heap[child + 1]!), value(heap[child]!))) child++;
    if (!above(value(heap[child]!), value(row))) break;
    heap[i] = heap[child]!;
    i = child;
  }
  heap[i] = row;
}

function chooseRatio(members: readonly Row[], step: number, ratio: number): Row[] {
  return members.filter((row) => {
    if (row.batch.kind[row.base + step] === ABSENT) return false;
    const offset = hashOffset(row.labels);
    return ratio >= 0 ? offset < ratio : offset >= 1 + ratio;
  });
}

/** Where in [0, 1] the hash of a label set lies. Compat: xxhash64 over Prometheus' default label encoding. */
function hashOffset(labels: Labels): number {
  const parts: Buffer[] = [];
  for (const text of labels.pairs) {
    const bytes = Buffer.from(text);
    const n = bytes.length;
    parts.push(n < 255 ? Buffer.of(n) : Buffer.of(255, n & 255, (n >> 8) & 255, (n >> 16) & 255), bytes);
  }
  return Number(BigInt(xxhash64(Buffer.concat(parts)))) / Number(2n ** 64n - 1n);
}

/** Compat: of a φ that changes from step to step NaN and the furthest ones are told, also where no sample is. */
function warnQuantiles(ev: Evaluation, phis: Float64Array, pos: Position): void {
  const {min, max, nan} = extremes(phis);
  for (const phi of [nan ? Number.NaN : 0, Math.max(1, max), Math.min(0, min)]) {
    const warning = invalidQuantile(phi);
    if (warning !== undefined) ev.annotations.warn(warning, pos);
  }
}

/** `quantile`: the φ-quantile of each group's floats. */
export async function* quantileAggregate(
  ev: Evaluation,
  aggregate: Aggregate,
  param: Float64Array,
  child: Batches,
  grid: Grid,
): Batches {
  const rows = await collectRows(ev, child);
  warnQuantiles(ev, param, aggregate.param?.pos ?? aggregate.pos);
  const groups = new Groups(ev, aggregate);
  const writer = new BatchWriter(ev, grid.count);
  const grouped = byGroup(groups, rows);
  for (let g = 0; g < grouped.length; g++) {
    const members = grouped[g]!;
    const scratch = new Float64Array(members.length);
    let any = false;
    for (let i = 0; i < grid.count; i++) {
      let n = 0;
      for (const {batch, base} of members) {
        const kind = batch.kind[base + i];
        if (kind === FLOAT) scratch[n++] = batch.values[base + i]!;
        else if (kind === HISTOGRAM) {
          ev.annotations.info("ignored histogram in quantile aggregation", aggregate.expr.pos);
        }
      }
      if (n === 0) continue;
      any = true;
      setPoint(writer.batch, writer.base + i, quantileOf(param[i]!, scratch.subarray(0, n)));
    }
    ev.check();
    if (!any) continue;
    writer.commit(groups.labels[g]!, groups.dropName[g]!);
    const full = writer.full();
    if (full !== undefined) yield full;
  }
  releaseRows(ev, rows);
  const rest = writer.take();
  if (rest !== undefined) yield rest;
}
