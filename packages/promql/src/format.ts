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

/** Operators of durations and of expressions. */
const DURATION_OPS: ReadonlySet<string> = new Set(["+", "-", "*", "/", "%", "^"]);
/** What goes on behind `offset` as far as it can; see `offsetExpr` of the parser. */
const OPEN = /^(\(|[+-]{2})/;

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
      return `${sub(leftOperand(expr))} ${binaryHead(expr)} ${sub(expr.rhs)}`;
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

/**
 * The left side as it has to be printed. What begins with a parenthesis behind `offset` would take the operator for its
 * own, if other modifiers stood between them in the source; a plus ends it: `m @ 5 offset +(1m) - 5`.
 */
export const leftOperand = (expr: Binary): Expr => (DURATION_OPS.has(expr.op) ? withClosedOffset(expr.lhs) : expr.lhs);

function withClosedOffset(expr: Expr): Expr {
  if (expr.kind === "unary") {
    const inner = withClosedOffset(expr.expr);
    return inner === expr.expr ? expr : {...expr, expr: inner};
  }
  if (expr.kind === "binary") {
    const rhs = withClosedOffset(expr.rhs);
    return rhs === expr.rhs ? expr : {...expr, rhs};
  }
  if (expr.kind !== "vector" && expr.kind !== "subquery") return expr;
  const {offsetExpr} = expr;
  if (offsetExpr?.kind !== "duration" || !OPEN.test(offsetText(offsetExpr))) return expr;
  const rhs = {...offsetExpr, wrapped: true};
  return {...expr, offsetExpr: {kind: "duration", op: "+", lhs: undefined, rhs, wrapped: false, pos: rhs.pos}};
}

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
  if (expr !== undefined) return ` offset ${offsetText(expr)}`;
  return offset === 0 ? "" : ` offset ${formatPrometheusDuration(offset)}`;
}

/** An expression that a term would begin stands in parentheses, or only the term would be the offset. */
function offsetText(expr: DurationExpr): string {
  const text = formatDurationExpr(expr);
  return isOffsetTerm(expr) || OPEN.test(text) ? text : `(${text})`;
}

/** Whether it is one term with at most one sign. */
function isOffsetTerm(expr: DurationExpr): boolean {
  if (expr.kind === "number" || expr.wrapped) return true;
  if (expr.op !== "+" && expr.op !== "-") return !DURATION_OPS.has(expr.op);
  const {lhs, rhs} = expr;
  if (lhs !== undefined || rhs?.kind !== "duration") return false;
  return rhs.wrapped || !DURATION_OPS.has(rhs.op);
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
  if (lhs !== "") return `${lhs} ${op} ${rhs}`;
  // Compat: a plus before `step()` is not printed; before a parenthesis it stands only where `withClosedOffset` put it.
  return op === "-" || rhs.startsWith("(") ? `${op}${rhs}` : rhs;
}

const formatNumber = (expr: NumberLiteral): string =>
  expr.duration ? formatPrometheusDuration(expr.value * 1000) : formatFloat(expr.value);

/** Compat: Prometheus leaves unquoted what would do as a metric name, colons included. */
const joinLabels = (labels: readonly string[]): string =>
  labels.map((label) => (/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(label) ? label : quote(label))).join(", ");
