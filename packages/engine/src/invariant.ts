import {type Call, children, type Expr, transform, unparen} from "@strata/promql";
import type {Evaluation} from "./evaluation.ts";
import type {SampleTally} from "./sample-tally.ts";
import type {Batches, Grid} from "./step-batch.ts";

/** Functions whose value depends on the evaluation time or the query, whatever their arguments. */
const UNSAFE = new Set([
  ...["days_in_month", "day_of_month", "day_of_week", "day_of_year", "end", "hour", "minute", "month"],
  ...["predict_linear", "range", "start", "step", "time", "timestamp", "year"],
]);

/** Whether an expression is the same at every step: every selector below has `@`, and no function asks for the time. */
export function isInvariant(expr: Expr): boolean {
  const e = unparen(expr);
  switch (e.kind) {
    case "vector":
      return e.at !== undefined;
    case "matrix":
      return e.selector.at !== undefined;
    case "subquery":
      return e.at !== undefined;
    case "aggregate":
      // Compat: the parameter does not count, so that one that changes is taken at the first step.
      return isInvariant(e.expr);
    case "call":
      return isTimestampOfFixed(e) || (!UNSAFE.has(e.func.name) && e.args.every(isInvariant));
    default:
      return children(e).every(isInvariant);
  }
}

/** `timestamp(x @ t)`: the time of a sample that is always the same. */
const isTimestampOfFixed = (e: Call): boolean =>
  e.func.name === "timestamp" && e.args.every((a) => a.kind === "vector" && a.at !== undefined);

/**
 * The parameter of an aggregation with its `@` as Prometheus has it there, where it does not hold them fixed: a time
 * counts at the first step and moves on with the others, but samples after it are not read; start() and end() have no
 * effect.
 */
export function unpinned(ev: Evaluation, param: Expr, grid: Grid): Expr {
  return transform(param, (node) => {
    if ((node.kind !== "vector" && node.kind !== "subquery") || node.at === undefined) return node;
    const {at, offset} = node;
    if (at.kind !== "time") return {...node, at: undefined};
    const moved = {...node, at: undefined, offset: grid.start - at.t + offset};
    if (moved.kind === "vector") ev.cuts.set(moved, at.t - offset);
    return moved;
  });
}

/** Copies one-step columns to all steps of a grid; `once` is what the child counts into. */
export async function* repeatFirst(ev: Evaluation, child: Batches, grid: Grid, once: SampleTally): Batches {
  const steps = grid.count;
  for await (const batch of child) {
    const rows = ev.rowsPerBatch(steps);
    for (let from = 0; from < batch.labels.length; from += rows) {
      const n = Math.min(rows, batch.labels.length - from);
      const out = ev.newBatch(n, steps);
      out.labels = batch.labels.slice(from, from + n);
      out.dropName = batch.dropName?.slice(from, from + n);
      for (let s = 0; s < n; s++) {
        out.values.fill(batch.values[from + s]!, s * steps, (s + 1) * steps);
        out.kind.fill(batch.kind[from + s]!, s * steps, (s + 1) * steps);
        const h = batch.hists?.[from + s];
        if (h === undefined) continue;
        out.hists ??= [];
        for (let i = 0; i < steps; i++) out.hists[s * steps + i] = h;
      }
      ev.check();
      yield out;
    }
    ev.release(batch);
  }
  grid.tally.addRepeated(once, steps);
}
