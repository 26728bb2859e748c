import {type Matcher, METRIC_NAME} from "@strata/model";
import {
  type Aggregate,
  type Binary,
  type Call,
  type Expr,
  mapChildren,
  transform,
  type VectorMatching,
} from "@strata/promql";
import {MATH_FUNCTIONS} from "./math-functions.ts";
import {hasOneName} from "./metric-name.ts";

/**
 * Gives each side of a vector match the matchers that the other side already has on labels that must be equal:
 * `a{job="x"} / b` need not read all of b. Only where nothing of the answer can change, remarks and errors included:
 *
 * - No series of the side that must be unique may have a double, or a left-out one could have been an error.
 * - What lies between the match and the selector must not remark on its input. Counters by name
 *   (`_total`, `_bucket`, `_count`, `_sum`) are taken to hold no native histograms.
 *
 * `keep` are labels that sources take off (replica labels): matchers on them say nothing about the answer.
 */
export function propagateMatchers(expr: Expr, keep: readonly string[]): Expr {
  return transform(expr, (node) => {
    if (node.kind !== "binary" || node.matching === undefined || node.op === "or") return node;
    const {matching} = node;
    if (matching.fillLeft !== undefined || matching.fillRight !== undefined) return node;
    const isSet = node.op === "and" || node.op === "unless";
    if (!isSet && !isUnique(matching.card === "one-to-many" ? node.lhs : node.rhs, matching)) return node;
    const shared = (m: Matcher) => matching.on === matching.labels.includes(m.name) && !keep.includes(m.name);
    const fromLeft = guaranteed(node.lhs).filter(shared);
    const fromRight = node.op === "unless" ? [] : guaranteed(node.rhs).filter(shared);
    const lhs = push(node.lhs, fromRight);
    const rhs = push(node.rhs, fromLeft);
    return lhs === node.lhs && rhs === node.rhs ? node : ({...node, lhs, rhs} satisfies Binary);
  });
}

/** Whether an expression has at most one series for each set of the labels matched on. */
function isUnique(expr: Expr, {on, labels}: VectorMatching): boolean {
  switch (expr.kind) {
    case "paren":
    case "unary":
      return isUnique(expr.expr, {on, labels} as VectorMatching);
    case "vector":
      return !on && labels.length === 0 && hasOneName(expr);
    case "aggregate":
      if (!GROUPS.has(expr.op) || expr.without) return false;
      return expr.grouping.every((name) => name !== METRIC_NAME && on === labels.includes(name));
    case "call": {
      const inner = operand(expr);
      return inner !== undefined && isUnique(inner, {on, labels} as VectorMatching);
    }
    default:
      return false;
  }
}

const GROUPS = new Set(["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "quantile"]);

/** Functions that remark on histograms or names, but on nothing of a counter that is one by its name. */
const ON_COUNTERS = new Set(["rate", "increase", "irate", "sum_over_time", "avg_over_time"]);
/** Functions over ranges that never remark on anything. */
const SILENT = new Set([
  ...["count_over_time", "last_over_time", "first_over_time", "present_over_time", "changes", "resets"],
]);

/** The vector that a function passes on series by series, labels aside from the name as they were. */
function operand(call: Call): Expr | undefined {
  const {name} = call.func;
  const [arg] = call.args;
  if (arg === undefined) return undefined;
  if (MATH_FUNCTIONS[name] !== undefined) return arg;
  return (SILENT.has(name) || ON_COUNTERS.has(name)) && arg.kind === "matrix" ? arg.selector : undefined;
}

/** Matchers that hold for every series of an expression. Those on the metric name are left out. */
function guaranteed(expr: Expr): readonly Matcher[] {
  switch (expr.kind) {
    case "paren":
    case "unary":
      return guaranteed(expr.expr);
    case "vector":
      return expr.matchers.filter((m) => m.name !== METRIC_NAME);
    case "call": {
      const inner = operand(expr);
      return inner === undefined ? [] : guaranteed(inner);
    }
    case "aggregate":
      return GROUPS.has(expr.op) ? guaranteed(expr.expr).filter((m) => survives(expr, m)) : [];
    default:
      return [];
  }
}

/** Whether all of a group's members have the label that a matcher looks at in common, and the group has it, too. */
const survives = (expr: Aggregate, m: Matcher): boolean => expr.grouping.includes(m.name) !== expr.without;

/** The expression with more matchers on its selector; itself where that would not be safe. */
function push(expr: Expr, matchers: readonly Matcher[], counters = false): Expr {
  if (matchers.length === 0) return expr;
  switch (expr.kind) {
    case "paren":
    case "unary":
      return mapChildren(expr, (child) => push(child, matchers, counters));
    case "vector": {
      if (!hasOneName(expr) || expr.mode !== "" || (counters && !isCounter(expr.matchers))) return expr;
      const fresh = matchers.filter((m) => !expr.matchers.some((known) => same(known, m)));
      return fresh.length === 0 ? expr : {...expr, matchers: [...expr.matchers, ...fresh]};
    }
    case "call": {
      const inner = operand(expr);
      if (inner === undefined) return expr;
      const strict = counters || ON_COUNTERS.has(expr.func.name);
      const [arg] = expr.args as [Expr];
      const pushed = push(inner, matchers, strict);
      if (pushed === inner) return expr;
      const replaced = arg.kind === "matrix" ? mapChildren(arg, () => pushed) : pushed;
      return {...expr, args: [replaced, ...expr.args.slice(1)]};
    }
    case "aggregate": {
      if (!GROUPS.has(expr.op) || expr.param !== undefined) return expr;
      const inside = matchers.filter((m) => survives(expr, m));
      const silent = expr.op === "count" || expr.op === "group";
      const pushed = push(expr.expr, inside, counters || !silent);
      return pushed === expr.expr ? expr : {...expr, expr: pushed};
    }
    default:
      return expr;
  }
}

const isCounter = (matchers: readonly Matcher[]): boolean =>
  matchers.some((m) => m.name === METRIC_NAME && m.op === "=" && /_(?:total|bucket|count|sum)$/.test(m.value));

const same = (a: Matcher, b: Matcher): boolean => a.name === b.name && a.op === b.op && a.value === b.value;
