import {StrataError} from "@strata/base";
import {Labels} from "@strata/model";
import {type Call, type Expr, unparen} from "@strata/promql";
import type {Evaluation} from "./evaluation.ts";
import {goMax, goMin, scalarOp} from "./scalar-math.ts";
import {type Hints, NO_HINTS} from "./select-series.ts";
import {type Batches, FLOAT, type Grid} from "./step-batch.ts";

/** Evaluates a vector-valued expression; handed in, since building operators needs scalars in turn. */
export type VectorOf = (ev: Evaluation, expr: Expr, grid: Grid, hints: Hints) => Batches;

/** The values of a scalar expression, one a step. */
export async function scalarColumn(ev: Evaluation, expr: Expr, grid: Grid, vector: VectorOf): Promise<Float64Array> {
  const e = unparen(expr);
  const column = new Float64Array(grid.count);
  switch (e.kind) {
    case "number":
      return column.fill(e.value);
    case "unary": {
      const inner = await scalarColumn(ev, e.expr, grid, vector);
      return e.op === "-" ? inner.map((v) => -v) : inner;
    }
    case "binary": {
      const a = await scalarColumn(ev, e.lhs, grid, vector);
      const b = await scalarColumn(ev, e.rhs, grid, vector);
      return column.map((_, i) => scalarOp(e.op, a[i]!, b[i]!));
    }
    case "call":
      return scalarCall(ev, e, grid, column, vector);
    default:
      throw new StrataError("internal", `BUG: ${e.kind} is no scalar`);
  }
}

async function scalarCall(
  ev: Evaluation,
  expr: Call,
  grid: Grid,
  column: Float64Array,
  vector: VectorOf,
): Promise<Float64Array> {
  const {start, end, step} = ev.params;
  switch (expr.func.name) {
    case "time":
      return column.map((_, i) => (grid.start + i * grid.step) / 1000);
    case "pi":
      return column.fill(Math.PI);
    case "start":
      return column.fill(start / 1000);
    case "end":
      return column.fill(end / 1000);
    case "range":
      return column.fill((end - start) / 1000);
    case "step":
      return column.fill(start === end ? 0 : step / 1000);
    case "max_of":
    case "min_of": {
      const a = await scalarColumn(ev, expr.args[0]!, grid, vector);
      const b = await scalarColumn(ev, expr.args[1]!, grid, vector);
      const choose = expr.func.name === "max_of" ? goMax : goMin;
      return column.map((_, i) => choose(a[i]!, b[i]!));
    }
    case "scalar":
      return onlySample(ev, vector(ev, expr.args[0]!, grid, {...NO_HINTS, func: "scalar"}), column);
    default:
      throw new StrataError("internal", `BUG: ${expr.func.name}() is no scalar`);
  }
}

/** `scalar(v)`: the one float of each step, NaN where there is none or several. */
async function onlySample(ev: Evaluation, child: Batches, column: Float64Array): Promise<Float64Array> {
  const found = new Uint8Array(column.length);
  for await (const batch of child) {
    const points = batch.labels.length * batch.steps;
    for (let p = 0, i = 0; p < points; p++) {
      if (batch.kind[p] === FLOAT) {
        found[i] = Math.min(found[i]! + 1, 2);
        column[i] = batch.values[p]!;
      }
      if (++i === batch.steps) i = 0;
    }
    ev.release(batch);
    ev.check();
  }
  return column.map((v, i) => (found[i] === 1 ? v : Number.NaN));
}

/** One series without labels whose value is a function of the time (ms) and step. */
export async function* constant(ev: Evaluation, grid: Grid, f: (t: number, i: number) => number): Batches {
  const batch = ev.newBatch(1, grid.count);
  batch.labels.push(Labels.EMPTY);
  for (let i = 0; i < grid.count; i++) {
    batch.kind[i] = FLOAT;
    batch.values[i] = f(grid.start + i * grid.step, i);
  }
  yield batch;
}
