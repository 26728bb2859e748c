import {StrataError} from "@strata/base";
import {type DurationExpr, type Expr, mapChildren, type VectorSelector} from "./ast.ts";

/** What `step()` and `range()` stand for, in milliseconds; both 0 for an instant query. */
export type QueryDurations = {readonly step: number; readonly range: number};

/** Durations beyond int64 nanoseconds cannot be. */
const MAX_SECONDS = 2 ** 63 / 1e9;

/**
 * Replaces every composite duration of a tree by its milliseconds, inner-most first; done once per query before it is
 * evaluated. Throws `bad_data` of the form `START:END: …`, which are byte offsets from 0, not line and column.
 */
export function resolveDurations(expr: Expr, query: QueryDurations): Expr {
  const resolve = (node: Expr): Expr => {
    if (node.kind === "matrix" && (node.rangeExpr ?? node.selector.offsetExpr) !== undefined) {
      const selector = resolveOffset(node.selector, query);
      const range = node.rangeExpr === undefined ? node.range : duration(node.rangeExpr, query, false);
      return {...node, selector, range, rangeExpr: undefined};
    }
    const inner = mapChildren(node, resolve);
    if (inner.kind === "vector") return resolveOffset(inner, query);
    if (inner.kind !== "subquery") return inner;
    if ((inner.offsetExpr ?? inner.stepExpr ?? inner.rangeExpr) === undefined) return inner;
    const offset = inner.offsetExpr === undefined ? inner.offset : duration(inner.offsetExpr, query, true);
    const step = inner.stepExpr === undefined ? inner.step : duration(inner.stepExpr, query, false);
    const range = inner.rangeExpr === undefined ? inner.range : duration(inner.rangeExpr, query, false);
    return {...inner, offset, offsetExpr: undefined, step, stepExpr: undefined, range, rangeExpr: undefined};
  };
  return resolve(expr);
}

function resolveOffset(selector: VectorSelector, query: QueryDurations): VectorSelector {
  if (selector.offsetExpr === undefined) return selector;
  return {...selector, offset: duration(selector.offsetExpr, query, true), offsetExpr: undefined};
}

function duration(expr: DurationExpr, query: QueryDurations, mayBeNegative: boolean): number {
  const seconds = evaluate(expr, query);
  if (!Number.isFinite(seconds)) fail(expr, "duration is NaN or infinite");
  if (seconds <= 0 && !mayBeNegative) fail(expr, "duration must be greater than 0");
  if (Math.abs(seconds) > MAX_SECONDS) fail(expr, "duration is out of range");
  return Math.trunc(seconds * 1000) + 0;
}

function evaluate(expr: DurationExpr, query: QueryDurations): number {
  if (expr.kind === "number") return expr.value;
  // A sign is an operator without a left side: 0 − x and 0 + x. `step()` and `range()` have neither side.
  const lhs = expr.lhs === undefined ? 0 : evaluate(expr.lhs, query);
  const rhs = expr.rhs === undefined ? 0 : evaluate(expr.rhs, query);
  switch (expr.op) {
    case "step":
      return query.step / 1000;
    case "range":
      return query.range / 1000;
    case "+":
      return lhs + rhs;
    case "-":
      return lhs - rhs;
    case "*":
      return lhs * rhs;
    case "/":
      return rhs === 0 ? fail(expr, "division by zero") : lhs / rhs;
    case "%":
      return rhs === 0 ? fail(expr, "modulo by zero") : lhs % rhs;
    case "^":
      return lhs ** rhs;
    case "max_of":
      return Math.max(lhs, rhs);
    case "min_of":
      return Math.min(lhs, rhs);
  }
}

function fail(expr: DurationExpr, message: string): never {
  const {start, end} = expr.pos;
  throw new StrataError("bad_data", `${start}:${end}: ${message}`, {fields: {start, end}});
}
