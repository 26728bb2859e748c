import {goQuote, METRIC_NAME} from "@strata/model";
import {
  type Aggregate,
  type Binary,
  type Call,
  type Expr,
  type Position,
  type ValueType,
  type VectorSelector,
  valueType,
} from "./ast.ts";
import {fail} from "./token-stream.ts";

const DOCUMENTED: Readonly<Record<ValueType, string>> = {
  vector: "instant vector",
  matrix: "range vector",
  scalar: "scalar",
  string: "string",
  none: "none",
};

/** The name that messages use: `instant vector`, `range vector`, `scalar`, `string`. */
export const documentedType = (type: ValueType): string => DOCUMENTED[type];

type Mutable<T> = {-readonly [K in keyof T]: T[K]};

const COMPARISONS: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">="]);
const SETS: ReadonlySet<string> = new Set(["and", "or", "unless"]);

/**
 * Checks the types of a freshly parsed tree, children first, and settles in place what depends on them: the matching
 * of binary operators, and the second argument of `info`. The first error found is thrown, in Prometheus' order.
 */
export function check(expr: Expr, source: string): ValueType {
  const type = valueType(expr);
  switch (expr.kind) {
    case "aggregate":
      checkAggregate(expr, source);
      break;
    case "binary":
      checkBinary(expr, source);
      break;
    case "call":
      checkCall(expr, source);
      break;
    case "paren":
      check(expr.expr, source);
      break;
    case "unary": {
      const operand = check(expr.expr, source);
      if (operand !== "scalar" && operand !== "vector") {
        const got = JSON.stringify(documentedType(operand));
        fail(expr.pos, `unary expression only allowed on expressions of type scalar or instant vector, got ${got}`);
      }
      break;
    }
    case "subquery": {
      const operand = check(expr.expr, source);
      if (operand !== "vector") fail(expr.pos, `subquery is only allowed on instant vector, got ${operand} instead`);
      break;
    }
    case "matrix":
      checkSelector(expr.selector);
      break;
    case "vector":
      checkSelector(expr);
      break;
    case "number":
    case "string":
      break;
  }
  return type;
}

function expectType(expr: Expr, want: ValueType, context: string, source: string): void {
  const got = check(expr, source);
  if (got !== want) {
    fail(expr.pos, `expected type ${documentedType(want)} in ${context}, got ${documentedType(got)}`);
  }
}

function checkAggregate(expr: Aggregate, source: string): void {
  expectType(expr.expr, "vector", "aggregation expression", source);
  if (expr.param !== undefined) {
    expectType(expr.param, expr.op === "count_values" ? "string" : "scalar", "aggregation parameter", source);
  }
}

function checkCall(expr: Call, source: string): void {
  const {name, args: types, variadic} = expr.func;
  const got = expr.args.length;
  const plural = (n: number): string => `${n} argument(s) in call to ${goQuote(name)}, got ${got}`;
  if (variadic === 0) {
    if (got !== types.length) fail(expr.pos, `expected ${plural(types.length)}`);
  } else {
    const least = types.length - 1;
    if (got < least) fail(expr.pos, `expected at least ${plural(least)}`);
    if (variadic > 0 && got > least + variadic) fail(expr.pos, `expected at most ${plural(least + variadic)}`);
  }
  const selector = expr.args[1];
  if (name === "info" && selector !== undefined) checkInfoSelector(selector, expr.pos);
  expr.args.forEach((arg, i) => {
    const want = types[Math.min(i, types.length - 1)] as ValueType;
    expectType(arg, want, `call to function ${goQuote(name)}`, source);
  });
}

/** The second argument of `info()` is written like a selector without a name, and may match everything. */
function checkInfoSelector(arg: Expr, call: Position): void {
  const type = valueType(arg);
  if (type !== "vector") {
    fail(call, `expected type instant vector in call to function "info", got ${documentedType(type)}`);
  }
  if (arg.kind !== "vector") fail(arg.pos, "expected label selectors only");
  else if (arg.name !== "") fail(arg.pos, "expected label selectors only, got vector selector instead");
  else (arg as Mutable<VectorSelector>).matchersOnly = true;
}

function checkSelector(expr: VectorSelector): void {
  if (expr.name !== "") {
    for (const m of expr.matchers.slice(0, -1)) {
      if (m.name === METRIC_NAME) {
        fail(expr.pos, `metric name must not be set twice: ${goQuote(expr.name)} or ${goQuote(m.value)}`);
      }
    }
  } else if (!expr.matchersOnly && expr.matchers.every((m) => m.matches(""))) {
    fail(expr.pos, "vector selector must contain at least one non-empty matcher");
  }
}

function checkBinary(expr: Binary, source: string): void {
  const lhs = check(expr.lhs, source);
  const rhs = check(expr.rhs, source);
  const isSet = SETS.has(expr.op);
  const atOperator = (message: string): never => fail(operatorPosition(expr, source), message);
  if (expr.bool && !COMPARISONS.has(expr.op)) atOperator("bool modifier can only be used on comparison operators");
  if (COMPARISONS.has(expr.op) && !expr.bool && lhs === "scalar" && rhs === "scalar") {
    atOperator("comparisons between scalars must use BOOL modifier");
  }
  const matching = expr.matching;
  if (matching?.on === true) {
    const twice = matching.labels.find((label) => matching.include.includes(label));
    if (twice !== undefined) {
      atOperator(`label ${goQuote(twice)} must not occur in ON and GROUP clause at once`);
    }
  }
  for (const [side, type] of [
    [expr.lhs, lhs],
    [expr.rhs, rhs],
  ] as const) {
    if (type !== "scalar" && type !== "vector") {
      fail(side.pos, "binary expression must contain only scalar and instant vector types");
    }
  }
  const fills = matching?.fillLeft !== undefined || matching?.fillRight !== undefined;
  if (lhs !== "vector" || rhs !== "vector") {
    if (matching !== undefined && matching.labels.length > 0) {
      fail(expr.pos, "vector matching only allowed between instant vectors");
    }
    if (fills) fail(expr.pos, "filling in missing series only allowed between instant vectors");
    if (isSet) fail(expr.pos, `set operator ${goQuote(expr.op)} not allowed in binary scalar expression`);
    (expr as Mutable<Binary>).matching = undefined;
  } else if (isSet && matching !== undefined) {
    if (matching.card !== "one-to-one" && matching.card !== "many-to-many") {
      fail(expr.pos, `no grouping allowed for ${goQuote(expr.op)} operation`);
    }
    if (fills) fail(expr.pos, "filling in missing series not allowed for set operators");
    (expr as Mutable<Binary>).matching = {...matching, card: "many-to-many"};
  }
}

/** From the operator to the end of its modifiers: what lies between the operands, without the space around it. */
function operatorPosition(expr: Binary, source: string): Position {
  const bytes = Buffer.from(source, "utf8");
  const isSpace = (i: number): boolean => " \t\n\r".includes(String.fromCharCode(bytes[i] as number));
  let start = expr.lhs.pos.end;
  let end = expr.rhs.pos.start;
  while (start < end && isSpace(start)) start++;
  while (end > start && isSpace(end - 1)) end--;
  return {start, end};
}
