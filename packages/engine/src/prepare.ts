import {StrataError} from "@strata/base";
import {type Expr, walk} from "@strata/promql";

const ANCHORED = ["changes", "delta", "increase", "rate", "resets"];
const SMOOTHED = ["delta", "increase", "rate"];

/** Refuses anchored and smoothed range selectors under functions that cannot use them. */
export function checkModes(expr: Expr): void {
  walk(expr, (node) => {
    if (node.kind !== "call") return undefined;
    for (const arg of node.args) {
      if (arg.kind !== "matrix" || arg.selector.mode === "") continue;
      const allowed = arg.selector.mode === "anchored" ? ANCHORED : SMOOTHED;
      if (allowed.includes(node.func.name)) continue;
      const text = `${arg.selector.mode} modifier can only be used with: ${allowed.join(", ")} - not with ${node.func.name}`;
      throw new StrataError("execution", text);
    }
    return undefined;
  });
}
