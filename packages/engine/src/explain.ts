import {type Expr, format, type MatrixSelector, unparen, type VectorSelector, valueType} from "@strata/promql";
import {hasOneName} from "./metric-name.ts";
import {optimise} from "./optimise.ts";
import {stripParens} from "./prepare.ts";
import {RANGE_FUNCTIONS} from "./range-functions.ts";

/** What one operator of a query does, and after the query what it cost. */
export type PlanNode = {
  readonly name: string;
  readonly detail: string;
  readonly children: readonly PlanNode[];
  readonly cost: OperatorCost | undefined;
};

/**
 * Time and memory include those of the operators below. `samples` are points of the step columns given; `peakBytes` the
 * most that was held at a time, batches that were given away not counted.
 */
export type OperatorCost = {timeMs: number; series: number; samples: number; peakBytes: number};

const FOLDING = new Set(["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "count_values"]);

/** The operators that an expression would be evaluated by, as a tree. */
export const explain = (expr: Expr): PlanNode =>
  planOf(optimise(stripParens(expr), {dedup: {enabled: false, replicaLabels: [], func: "penalty"}}), undefined);

/** The operators of an expression as it stands, with the costs measured, if any. */
export function planOf(expr: Expr, costs: ReadonlyMap<Expr, OperatorCost> | undefined): PlanNode {
  const e = unparen(expr);
  const node = (name: string, detail: string, children: readonly Expr[]): PlanNode => ({
    name,
    detail,
    children: children.filter((c) => valueType(c) !== "string").map((c) => planOf(c, costs)),
    cost: costs?.get(e) ?? costs?.get(expr),
  });
  switch (e.kind) {
    case "number":
    case "string":
      return node("constant", format(e), []);
    case "vector":
      return node("instant selector", selectorDetail(e), []);
    case "matrix":
      return node("range selector", `${e.range} ms of ${selectorDetail(e.selector)}`, []);
    case "subquery":
      return node("subquery", `${e.range} ms, every ${e.step || "default"} ms`, [e.expr]);
    case "paren":
      return planOf(e.expr, costs);
    case "unary":
      return node("unary", e.op, [e.expr]);
    case "aggregate": {
      const how = FOLDING.has(e.op) ? "fold" : "hold";
      const labels = `${e.without ? "without" : "by"} (${e.grouping.join(", ")})`;
      return node(`aggregate (${how})`, `${e.op} ${labels}`, e.param === undefined ? [e.expr] : [e.param, e.expr]);
    }
    case "binary": {
      const scalar = e.matching === undefined;
      const match = e.matching && ` ${e.matching.on ? "on" : "ignoring"} (${e.matching.labels.join(", ")})`;
      return node(scalar ? "scalar operator" : "vector match", `${e.op}${match ?? ""}`, [e.lhs, e.rhs]);
    }
    case "call":
      return callNode(e.func.name, e.args, node);
  }
}

function callNode(
  name: string,
  args: readonly Expr[],
  node: (name: string, detail: string, children: readonly Expr[]) => PlanNode,
): PlanNode {
  const func = RANGE_FUNCTIONS.get(name);
  const over = args.map(unparen).find((a) => a.kind === "matrix" || a.kind === "subquery");
  if (func === undefined || over === undefined) return node("function", name, args);
  if (over.kind === "subquery") return node("range function over subquery", name, args);
  const how = func.kernel === undefined ? "window by window" : "sliding kernel";
  const {selector, range} = over as MatrixSelector;
  const rest = args.filter((a) => unparen(a) !== over);
  return node(`range function (${how})`, `${name} over ${range} ms of ${selectorDetail(selector)}`, rest);
}

const selectorDetail = (s: VectorSelector): string =>
  `${format({...s, offset: 0, at: undefined, mode: ""})}${hasOneName(s) ? "" : ", any name"}`;
