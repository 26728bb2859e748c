import type {Matcher} from "@strata/model";
import type {At, DurationExpr, Expr, VectorMatching, VectorSelector} from "./ast.ts";
import {formatFloat} from "./text.ts";

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | {readonly [key: string]: JsonValue};

/** The tree as `/api/v1/parse_query` shows it; keys in alphabetical order, as the original writes them. */
export function toJson(expr: Expr): JsonValue {
  switch (expr.kind) {
    case "number":
      return {type: "numberLiteral", val: formatFloat(expr.value)};
    case "string":
      return {type: "stringLiteral", val: expr.value};
    case "vector":
      return sorted({...selectorJson(expr), type: "vectorSelector"});
    case "matrix": {
      const {range, rangeExpr} = expr;
      return sorted({
        ...selectorJson(expr.selector),
        range,
        rangeExpr: durationJson(rangeExpr),
        type: "matrixSelector",
      });
    }
    case "subquery":
      return sorted({
        expr: toJson(expr.expr),
        range: expr.range,
        rangeExpr: durationJson(expr.rangeExpr),
        step: expr.step,
        stepExpr: durationJson(expr.stepExpr),
        offset: expr.offset,
        offsetExpr: durationJson(expr.offsetExpr),
        ...atJson(expr.at),
        type: "subquery",
      });
    case "call": {
      const {name, args, variadic, returns} = expr.func;
      const func = {argTypes: args, name, returnType: returns, variadic};
      return {args: expr.args.map(toJson), func, type: "call"};
    }
    case "aggregate":
      return {
        expr: toJson(expr.expr),
        grouping: expr.grouping,
        op: expr.op,
        param: expr.param === undefined ? null : toJson(expr.param),
        type: "aggregation",
        without: expr.without,
      };
    case "binary":
      return {
        bool: expr.bool,
        lhs: toJson(expr.lhs),
        matching: expr.matching === undefined ? null : matchingJson(expr.matching),
        op: expr.op,
        rhs: toJson(expr.rhs),
        type: "binaryExpr",
      };
    case "unary":
      return {expr: toJson(expr.expr), op: expr.op, type: "unaryExpr"};
    case "paren":
      return {expr: toJson(expr.expr), type: "parenExpr"};
  }
}

const selectorJson = (expr: VectorSelector): Record<string, JsonValue> => ({
  anchored: expr.mode === "anchored",
  matchers: expr.matchers.map(matcherJson),
  name: expr.name,
  offset: expr.offset,
  offsetExpr: durationJson(expr.offsetExpr),
  smoothed: expr.mode === "smoothed",
  ...atJson(expr.at),
});

const matcherJson = (m: Matcher): JsonValue => ({name: m.name, type: m.op, value: m.value});

const atJson = (at: At | undefined): Record<string, JsonValue> => ({
  startOrEnd: at === undefined || at.kind === "time" ? null : at.kind,
  timestamp: at?.kind === "time" ? at.t : null,
});

const matchingJson = ({card, fillLeft, fillRight, include, labels, on}: VectorMatching): JsonValue => ({
  card,
  fillValues: {lhs: fillLeft ?? null, rhs: fillRight ?? null},
  include,
  labels,
  on,
});

function durationJson(expr: DurationExpr | undefined): JsonValue {
  if (expr === undefined) return null;
  if (expr.kind === "number") return {duration: expr.duration, type: "numberLiteral", val: formatFloat(expr.value)};
  const {op, wrapped} = expr;
  return {lhs: durationJson(expr.lhs), op, rhs: durationJson(expr.rhs), type: "durationExpr", wrapped};
}

const sorted = (object: Record<string, JsonValue>): JsonValue =>
  Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
