import {formatPrometheusDuration, isLegacyLabelName, type Matcher, METRIC_NAME} from "@strata/model";
import type {
  Aggregate,
  At,
  Binary,
  DurationExpr,
  Expr,
  MatrixSelector,
  NumberLiteral,
  SelectorMode,
  Subquery,
  VectorMatching,
  VectorSelector,
} from "./ast.ts";
import {formatFixed, formatFloat, quote} from "./text.ts";

/** One line of PromQL that parses to the same tree: the canonical form that rules, caches and tests compare. */
export function format(expr: Expr): string {
  return formatWith(expr, format);
}

/** `format` for one node, its sub-expressions written by `sub`. */
export function formatWith(expr: Expr, sub: (expr: Expr) => string): string {
  switch (expr.kind) {
    case "number":
      return formatNumber(expr);
    case "string":
      return quote(expr.value);
    case "vector":
      return formatVector(expr);
    case "matrix":
      return formatMatrix(expr);
    case "subquery":
      return sub(expr.expr) + subqueryTimes(expr);
    case "call":
      return `${expr.func.name}(${expr.args.map(sub).join(", ")})`;
    case "aggregate": {
      const param = expr.param === undefined ? "" : `${sub(expr.param)}, `;
      return `${aggregateHead(expr)}(${param}${sub(expr.expr)})`;
    }
    case "binary":
      return `${sub(expr.lhs)} ${binaryHead(expr)} ${sub(expr.rhs)}`;
    case "unary":
      return `${expr.op}${sub(expr.expr)}`;
    case "paren":
      return `(${sub(expr.expr)})`;
  }
}

/** `sum by (a, b) `, `sum without () `, or only `sum`. */
export function aggregateHead(expr: Aggregate): string {
  if (expr.without) return `${expr.op} without (${joinLabels(expr.grouping)}) `;
  return expr.grouping.length > 0 ? `${expr.op} by (${joinLabels(expr.grouping)}) ` : expr.op;
}

/** The operator with all that stands before the right operand: `+ on (a) group_left (b) fill (0)`. */
export const binaryHead = (expr: Binary): string =>
  expr.op + (expr.bool ? " bool" : "") + (expr.matching === undefined ? "" : matchingClause(expr.matching));

function matchingClause(matching: VectorMatching): string {
  const {card, on, labels, include, fillLeft, fillRight} = matching;
  const grouped = card === "many-to-one" || card === "one-to-many";
  let out = "";
  if (labels.length > 0 || on || grouped) out += ` ${on ? "on" : "ignoring"} (${joinLabels(labels)})`;
  if (grouped) out += ` group_${card === "many-to-one" ? "left" : "right"} (${joinLabels(include)})`;
  if (fillLeft !== undefined && Object.is(fillLeft, fillRight)) return `${out} fill (${formatFloat(fillLeft)})`;
  if (fillLeft !== undefined) out += ` fill_left (${formatFloat(fillLeft)})`;
  if (fillRight !== undefined) out += ` fill_right (${formatFloat(fillRight)})`;
  return out;
}

/** What follows a subquery's operand: `[5m:1m] @ 12.000 offset 1h`. */
export function subqueryTimes(expr: Subquery): string {
  const step = expr.stepExpr === undefined && expr.step === 0 ? "" : formatDuration(expr.step, expr.stepExpr);
  const range = formatDuration(expr.range, expr.rangeExpr);
  return `[${range}:${step}]${formatAt(expr.at)}${formatOffset(expr.offset, expr.offsetExpr)}`;
}

function formatVector(expr: VectorSelector): string {
  return (
    formatMatchers(expr.name, expr.matchers) +
    formatAt(expr.at) +
    formatMode(expr.mode) +
    formatOffset(expr.offset, expr.offsetExpr)
  );
}

function formatMatrix({selector, range, rangeExpr}: MatrixSelector): string {
  return (
    `${formatMatchers(selector.name, selector.matchers)}[${formatDuration(range, rangeExpr)}]` +
    formatMode(selector.mode) +
    formatAt(selector.at) +
    formatOffset(selector.offset, selector.offsetExpr)
  );
}

/** `name{a="b"}`: matchers sorted as text, without the one that the name stands for. */
function formatMatchers(name: string, matchers: readonly Matcher[]): string {
  const parts: string[] = [];
  for (const m of matchers) {
    if (m.name === METRIC_NAME && m.op === "=" && m.value === name && name !== "") continue;
    parts.push(`${isLegacyLabelName(m.name) ? m.name : quote(m.name)}${m.op}${quote(m.value)}`);
  }
  return parts.length === 0 && name !== "" ? name : `${name}{${parts.sort().join(",")}}`;
}

const formatMode = (mode: SelectorMode): string => (mode === "" ? "" : ` ${mode}`);

function formatAt(at: At | undefined): string {
  if (at === undefined) return "";
  return at.kind === "time" ? ` @ ${formatFixed(at.t / 1000, 3)}` : ` @ ${at.kind}()`;
}

function formatOffset(offset: number, expr: DurationExpr | undefined): string {
  if (expr !== undefined) return ` offset ${formatDurationExpr(expr)}`;
  return offset === 0 ? "" : ` offset ${formatPrometheusDuration(offset)}`;
}

const formatDuration = (ms: number, expr: DurationExpr | undefined): string =>
  expr === undefined ? formatPrometheusDuration(ms) : formatDurationExpr(expr);

/** A duration expression as it stands between brackets or behind `offset`. */
export function formatDurationExpr(expr: DurationExpr): string {
  if (expr.kind === "number") return formatNumber(expr);
  const lhs = expr.lhs === undefined ? "" : formatDurationExpr(expr.lhs);
  const rhs = expr.rhs === undefined ? "" : formatDurationExpr(expr.rhs);
  const text = durationText(expr.op, lhs, rhs);
  return expr.wrapped ? `(${text})` : text;
}

function durationText(op: string, lhs: string, rhs: string): string {
  if (op === "step" || op === "range") return `${op}()`;
  if (op === "max_of" || op === "min_of") return `${op}(${lhs}, ${rhs})`;
  return lhs === "" ? `${op}${rhs}` : `${lhs} ${op} ${rhs}`;
}

const formatNumber = (expr: NumberLiteral): string =>
  expr.duration ? formatPrometheusDuration(expr.value * 1000) : formatFloat(expr.value);

/** Compat: Prometheus leaves unquoted what would do as a metric name, colons included. */
const joinLabels = (labels: readonly string[]): string =>
  labels.map((label) => (/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(label) ? label : quote(label))).join(", ");
