import type {At, DurationExpr, Expr, MatrixSelector, SelectorMode, Subquery, VectorSelector} from "./ast.ts";
import {literalMs} from "./parse-duration.ts";
import {formatFixed} from "./text.ts";
import {fail} from "./token-stream.ts";

const MAX_INT64 = 2 ** 63;

/** The node with `offset` set, or the error why it cannot be. `end` is where the modifier ends in the text. */
export function withOffset(expr: Expr, duration: DurationExpr, end: number): Expr {
  const target = timed(expr, "offset");
  if (target.offset !== 0 || target.offsetExpr !== undefined) fail(expr.pos, "offset may not be set multiple times");
  const literal = duration.kind === "number";
  // -0 would not survive printing.
  const offset = literal ? literalMs(duration) + 0 : 0;
  return replaceTimed(expr, {offset, offsetExpr: literal ? undefined : duration}, end);
}

/** The node with `@ seconds` set. */
export function withTimestamp(expr: Expr, seconds: number, end: number): Expr {
  if (!(Math.abs(seconds) < MAX_INT64)) {
    fail(expr.pos, `timestamp out of bounds for @ modifier: ${formatFixed(seconds, 6)}`);
  }
  return withAt(expr, {kind: "time", t: Math.sign(seconds) * Math.round(Math.abs(seconds) * 1000) + 0}, end);
}

export function withAt(expr: Expr, at: At, end: number): Expr {
  if (timed(expr, "@").at !== undefined) fail(expr.pos, "@ <timestamp> may not be set multiple times");
  return replaceTimed(expr, {at}, end);
}

/** The selector read as `anchored` or `smoothed`. */
export function withMode(expr: Expr, mode: Exclude<SelectorMode, "">, enabled: boolean, end: number): Expr {
  if (!enabled) fail(expr.pos, `${mode} modifier is experimental and not enabled`);
  if (expr.kind === "subquery") fail(expr.pos, `${mode} modifier is not supported for subqueries`);
  if (expr.kind !== "vector" && expr.kind !== "matrix") return fail(expr.pos, `${mode} modifier not implemented`);
  const before = expr.kind === "matrix" ? expr.selector.mode : expr.mode;
  if (before !== "" && before !== mode) {
    fail(expr.pos, "anchored and smoothed modifiers cannot be used together");
  }
  return replaceTimed(expr, {mode}, end);
}

/** The part of a node that carries `@` and offset. */
function timed(expr: Expr, modifier: string): VectorSelector | Subquery {
  if (expr.kind === "matrix") return expr.selector;
  if (expr.kind === "vector" || expr.kind === "subquery") return expr;
  return fail(
    expr.pos,
    `${modifier} modifier must be preceded by an instant vector selector or range vector selector or a subquery`,
  );
}

function replaceTimed(expr: Expr, change: Partial<VectorSelector>, end: number): Expr {
  const pos = {start: expr.pos.start, end};
  if (expr.kind === "matrix") return {...expr, selector: {...expr.selector, ...change}, pos} satisfies MatrixSelector;
  return {...expr, ...change, pos} as Expr;
}
