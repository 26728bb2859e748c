import {type Aggregate, type Binary, type Call, children, type Expr, unparen, valueType, walk} from "@strata/promql";
import {areDisjoint, type Part} from "./engines.ts";

/** Names of labels that the series of an expression still carry as their part of the data gave them. */
export type Kept = (name: string) => boolean;

const ALL: Kept = () => true;

/** Functions that are no function of one series at a time. */
const WHOLE = new Set([
  "absent",
  "absent_over_time",
  "info",
  "scalar",
  "vector",
  "sort",
  "sort_desc",
  "sort_by_label",
  "sort_by_label_desc",
]);
const RELABELS = new Set(["label_replace", "label_join"]);
const KEEPS_SERIES = new Set(["topk", "bottomk", "limitk", "limit_ratio"]);

export function hasSelector(expr: Expr): boolean {
  let found = false;
  walk(expr, (node) => {
    found ||= node.kind === "vector";
    return !found;
  });
  return found;
}

/**
 * What the series of `expr` keep, if evaluating it over each part and putting the results together is the same as
 * evaluating it over all; undefined if it is not, or may not be.
 */
export function keptByUnion(expr: Expr, parts: readonly Part[]): Kept | undefined {
  const e = unparen(expr);
  switch (e.kind) {
    case "number":
    case "string":
      return undefined;
    case "vector":
    case "matrix":
      return ALL;
    case "subquery":
    case "unary":
    case "paren":
      return keptByUnion(e.expr, parts);
    case "call":
      return keptByCall(e, parts);
    case "aggregate":
      return keptByAggregate(e, parts);
    case "binary":
      return keptByBinary(e, parts);
  }
}

function keptByCall(e: Call, parts: readonly Part[]): Kept | undefined {
  if (WHOLE.has(e.func.name)) return undefined;
  const vectors = e.args.filter((arg) => hasSelector(arg));
  const [only] = vectors;
  if (only === undefined || vectors.length > 1) return undefined;
  const kept = keptByUnion(only, parts);
  if (kept === undefined || !RELABELS.has(e.func.name)) return kept;
  const dst = e.args[1];
  if (dst?.kind !== "string") return undefined;
  const without: Kept = (name) => name !== dst.value && kept(name);
  return areDisjoint(parts, without) ? without : undefined;
}

function keptByAggregate(e: Aggregate, parts: readonly Part[]): Kept | undefined {
  if (e.param !== undefined && hasSelector(e.param)) return undefined;
  const inner = keptByUnion(e.expr, parts);
  if (inner === undefined) return undefined;
  const grouped: Kept = (name) => e.grouping.includes(name) !== e.without && inner(name);
  if (!areDisjoint(parts, grouped)) return undefined;
  if (KEEPS_SERIES.has(e.op)) return inner;
  if (e.op !== "count_values") return grouped;
  const param = e.param;
  if (param?.kind !== "string") return undefined;
  const counted: Kept = (name) => name !== param.value && grouped(name);
  return areDisjoint(parts, counted) ? counted : undefined;
}

function keptByBinary(e: Binary, parts: readonly Part[]): Kept | undefined {
  const {matching} = e;
  if (matching === undefined) {
    // One side is a number for all parts alike.
    const sides = [e.lhs, e.rhs].filter(hasSelector);
    const [only] = sides;
    return only === undefined || sides.length > 1 || valueType(only) !== "vector"
      ? undefined
      : keptByUnion(only, parts);
  }
  const [left, right] = [keptByUnion(e.lhs, parts), keptByUnion(e.rhs, parts)];
  if (left === undefined || right === undefined) return undefined;
  const matched: Kept = (name) => matching.labels.includes(name) === matching.on && left(name) && right(name);
  if (!areDisjoint(parts, matched)) return undefined;
  switch (matching.card) {
    case "many-to-many":
      return e.op === "or" ? (name) => left(name) && right(name) : left;
    case "one-to-one":
      return matched;
    case "many-to-one":
      return (name) => matched(name) || (left(name) && !matching.include.includes(name));
    case "one-to-many":
      return (name) => matched(name) || (right(name) && !matching.include.includes(name));
  }
}

/** The direct operands of an expression that are evaluated at its own times. */
export const operands = (expr: Expr): readonly Expr[] =>
  children(expr).filter((child) => child.kind !== "matrix" && child.kind !== "subquery");
