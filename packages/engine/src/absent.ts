import {Labels, METRIC_NAME} from "@strata/model";
import {type Expr, unparen} from "@strata/promql";
import type {Evaluation} from "./evaluation.ts";
import {ABSENT, type Batches, FLOAT, type Grid} from "./step-batch.ts";

/** 1 at each step at which the child has no point. */
export async function* absent(ev: Evaluation, child: Batches, arg: Expr, grid: Grid): Batches {
  const seen = new Uint8Array(grid.count);
  for await (const batch of child) {
    const points = batch.labels.length * batch.steps;
    for (let p = 0, i = 0; p < points; p++) {
      if (batch.kind[p] !== ABSENT) seen[i] = 1;
      if (++i === batch.steps) i = 0;
    }
    ev.release(batch);
    ev.check();
  }
  const out = ev.newBatch(1, grid.count);
  out.labels.push(absentLabels(arg));
  for (let i = 0; i < grid.count; i++) {
    if (seen[i] === 1) continue;
    out.kind[i] = FLOAT;
    out.values[i] = 1;
  }
  yield out;
}

/** What a bare selector's matchers say that the missing series would have been called. */
function absentLabels(arg: Expr): Labels {
  const expr = unparen(arg);
  const selector = expr.kind === "matrix" ? expr.selector : expr;
  if (selector.kind !== "vector") return Labels.EMPTY;
  const values = new Map<string, string>();
  // A name is set by its first equality; any other matcher on it takes that back for good.
  const set = new Set<string>();
  for (const {name, op, value} of selector.matchers) {
    if (name === METRIC_NAME) continue;
    if (op === "=" && !set.has(name)) {
      values.set(name, value);
      set.add(name);
    } else values.delete(name);
  }
  return Labels.fromPairs(values);
}
