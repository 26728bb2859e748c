import {type At, type Expr, mapChildren} from "../ast.ts";
import {format} from "../format.ts";

/** Functions whose result depends on the evaluation time although their arguments do not. */
const AT_UNSAFE: ReadonlySet<string> = new Set([
  "days_in_month",
  "day_of_month",
  "day_of_week",
  "day_of_year",
  "end",
  "hour",
  "minute",
  "month",
  "predict_linear",
  "range",
  "start",
  "step",
  "time",
  "timestamp",
  "year",
]);

/** The same expression pinned to `t`, and other times at which it has to give the same answer. */
export type AtVariants = {readonly expr: string; readonly times: readonly number[]};

/**
 * Pins every selector and outermost subquery that has no `@ TIME` to `t` (ms); what lies in a subquery is pinned with
 * it. Undefined when the answer depends on the evaluation time all the same.
 */
export function atVariants(expr: Expr, t: number): AtVariants | undefined {
  const at: At = {kind: "time", t};
  let unsafe = false;
  const pin = (node: Expr): Expr => {
    if (node.kind === "call" && AT_UNSAFE.has(node.func.name)) unsafe = true;
    if (node.kind === "vector" || node.kind === "subquery") return node.at?.kind === "time" ? node : {...node, at};
    return mapChildren(node, pin);
  };
  const pinned = pin(expr);
  if (unsafe) return undefined;
  const times = t === 0 ? [-1000, 0, 1000] : [-10 * t, 0, Math.trunc(t / 5), t, 10 * t];
  return {expr: format(pinned), times};
}
