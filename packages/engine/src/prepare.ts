import {StrataError} from "@strata/base";
import {type Expr, mapChildren, transform, unparen, type VectorSelector} from "@strata/promql";

const ANCHORED = ["changes", "delta", "increase", "rate", "resets"];
const SMOOTHED = ["delta", "increase", "rate"];

/** Refuses an anchored or smoothed range selector under a function that cannot use it. */
export function checkMode(selector: VectorSelector, func: string): void {
  if (selector.mode === "") return;
  const allowed = selector.mode === "anchored" ? ANCHORED : SMOOTHED;
  if (allowed.includes(func)) return;
  const text = `${selector.mode} modifier can only be used with: ${allowed.join(", ")} - not with ${func}`;
  throw new StrataError("execution", text);
}

/** Takes off the parentheses around arguments and operands of aggregations: remarks point at what is inside. */
export function stripParens(expr: Expr): Expr {
  return transform(expr, (node) =>
    node.kind === "call" || node.kind === "aggregate" ? mapChildren(node, unparen) : node,
  );
}
