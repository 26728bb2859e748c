import {children, type Expr, unparen} from "@strata/promql";
import type {Evaluation} from "./evaluation.ts";
import type {Batches} from "./step-batch.ts";

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
    case "number":
    case "string":
      return false;
    default:
      if (e.kind === "call" && UNSAFE.has(e.func.name)) return false;
  }
  let selectors = 0;
  for (const child of children(e)) {
    const c = unparen(child);
    if (c.kind === "number" || c.kind === "string") continue;
    if (!isInvariant(c)) return false;
    selectors++;
  }
  return selectors > 0;
}

/** Copies one-step columns to `steps` steps. */
export async function* repeatFirst(ev: Evaluation, child: Batches, steps: number): Batches {
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
}
