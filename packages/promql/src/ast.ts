import type {Matcher} from "@strata/model";
import type {FunctionSignature} from "./functions.ts";

/** A stretch of the query text: byte offsets of its UTF-8 form, from 0; `end` is exclusive. */
export type Position = {readonly start: number; readonly end: number};

/** What an expression evaluates to; the words are those of the JSON AST and of Prometheus' API. */
export type ValueType = "none" | "scalar" | "vector" | "matrix" | "string";

export type ArithmeticOp = "+" | "-" | "*" | "/" | "%" | "^" | "atan2";
export type ComparisonOp = "==" | "!=" | "<" | "<=" | ">" | ">=";
/** Trims of native histograms: `</` keeps what lies below a bound, `>/` what lies above it. */
export type TrimOp = "</" | ">/";
export type SetOp = "and" | "or" | "unless";
export type BinaryOp = ArithmeticOp | ComparisonOp | TrimOp | SetOp;

export type AggregateOp =
  | "sum"
  | "avg"
  | "count"
  | "min"
  | "max"
  | "group"
  | "stddev"
  | "stdvar"
  | "topk"
  | "bottomk"
  | "count_values"
  | "quantile"
  | "limitk"
  | "limit_ratio";

/** `@ 12.5` in integer milliseconds, or the query's own start or end. */
export type At = {readonly kind: "time"; readonly t: number} | {readonly kind: "start"} | {readonly kind: "end"};

/** How a range or instant selector looks beyond its window; "" is the ordinary selector. */
export type SelectorMode = "" | "anchored" | "smoothed";

export type NumberLiteral = {
  readonly kind: "number";
  readonly value: number;
  /** Written as a duration (`5m` for 300); only printing cares. */
  readonly duration: boolean;
  readonly pos: Position;
};

export type StringLiteral = {readonly kind: "string"; readonly value: string; readonly pos: Position};

/** The operators and preprocessors of a duration expression. */
export type DurationOp = "+" | "-" | "*" | "/" | "%" | "^" | "step" | "range" | "max_of" | "min_of";

/**
 * A composite duration such as `step() * 2`, in seconds. `lhs` is missing for `step()`, `range()` and unary operators,
 * whose operand is `rhs`.
 */
export type DurationOperation = {
  readonly kind: "duration";
  readonly op: DurationOp;
  readonly lhs: DurationExpr | undefined;
  readonly rhs: DurationExpr | undefined;
  /** Written in parentheses. */
  readonly wrapped: boolean;
  readonly pos: Position;
};

export type DurationExpr = NumberLiteral | DurationOperation;

/**
 * An instant selector. `offset`, like every range, step and offset of the tree, is in integer milliseconds and holds
 * 0 while the matching `…Expr` is defined: `resolveDurations` replaces those before evaluation.
 */
export type VectorSelector = {
  readonly kind: "vector";
  /** The name written before the braces, "" if none; it is also the last matcher. */
  readonly name: string;
  /** In the order written. */
  readonly matchers: readonly Matcher[];
  readonly offset: number;
  readonly offsetExpr: DurationExpr | undefined;
  readonly at: At | undefined;
  readonly mode: SelectorMode;
  /** The second argument of `info()`: a list of label matchers that may all match the empty string. */
  readonly matchersOnly: boolean;
  readonly pos: Position;
};

/** A range selector; `@`, offset and mode are those of `selector`. */
export type MatrixSelector = {
  readonly kind: "matrix";
  readonly selector: VectorSelector;
  readonly range: number;
  readonly rangeExpr: DurationExpr | undefined;
  readonly pos: Position;
};

export type Subquery = {
  readonly kind: "subquery";
  readonly expr: Expr;
  readonly range: number;
  readonly rangeExpr: DurationExpr | undefined;
  /** 0 for the engine's default step. */
  readonly step: number;
  readonly stepExpr: DurationExpr | undefined;
  readonly offset: number;
  readonly offsetExpr: DurationExpr | undefined;
  readonly at: At | undefined;
  readonly pos: Position;
};

export type Call = {
  readonly kind: "call";
  readonly func: FunctionSignature;
  readonly args: readonly Expr[];
  readonly pos: Position;
};

export type Aggregate = {
  readonly kind: "aggregate";
  readonly op: AggregateOp;
  readonly expr: Expr;
  /** The k, φ, ratio or label of the operators that take one. */
  readonly param: Expr | undefined;
  readonly grouping: readonly string[];
  readonly without: boolean;
  readonly pos: Position;
};

export type Cardinality = "one-to-one" | "many-to-one" | "one-to-many" | "many-to-many";

/** How two vectors are joined. `group_left` is many-to-one, `group_right` one-to-many, set operators many-to-many. */
export type VectorMatching = {
  readonly card: Cardinality;
  /** `on` if true, else `ignoring` (also without any clause, with no labels). */
  readonly on: boolean;
  readonly labels: readonly string[];
  /** Labels copied from the "one" side. */
  readonly include: readonly string[];
  /** Values that stand in for a missing sample of that side. */
  readonly fillLeft: number | undefined;
  readonly fillRight: number | undefined;
};

export type Binary = {
  readonly kind: "binary";
  readonly op: BinaryOp;
  readonly lhs: Expr;
  readonly rhs: Expr;
  /** Defined exactly when both sides are vectors. */
  readonly matching: VectorMatching | undefined;
  readonly bool: boolean;
  readonly pos: Position;
};

export type Unary = {readonly kind: "unary"; readonly op: "+" | "-"; readonly expr: Expr; readonly pos: Position};

export type Paren = {readonly kind: "paren"; readonly expr: Expr; readonly pos: Position};

export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Call
  | Aggregate
  | Binary
  | Unary
  | Paren;

/** The type of a checked expression. Walks down parentheses and unary operators only. */
export function valueType(expr: Expr): ValueType {
  let e = expr;
  for (;;) {
    switch (e.kind) {
      case "paren":
      case "unary":
        e = e.expr;
        break;
      case "number":
        return "scalar";
      case "string":
        return "string";
      case "vector":
      case "aggregate":
        return "vector";
      case "matrix":
      case "subquery":
        return "matrix";
      case "call":
        return e.func.returns;
      case "binary":
        return binaryType(e);
    }
  }
}

/** Scalar when both sides are; looks down iteratively on the left, where chains grow. */
function binaryType(expr: Binary): ValueType {
  let e: Expr = expr;
  while (e.kind === "binary" || e.kind === "paren" || e.kind === "unary") {
    if (e.kind === "binary") {
      if (valueType(e.rhs) !== "scalar") return "vector";
      e = e.lhs;
    } else e = e.expr;
  }
  return valueType(e) === "scalar" ? "scalar" : "vector";
}

const NO_CHILDREN: readonly Expr[] = [];

/** Direct sub-expressions in order of evaluation (an aggregation's operand before its parameter). */
export function children(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "number":
    case "string":
    case "vector":
      return NO_CHILDREN;
    case "matrix":
      return [expr.selector];
    case "subquery":
    case "unary":
    case "paren":
      return [expr.expr];
    case "call":
      return expr.args;
    case "aggregate":
      return expr.param === undefined ? [expr.expr] : [expr.expr, expr.param];
    case "binary":
      return [expr.lhs, expr.rhs];
  }
}

/** Calls `visit` for every node, parents first. A visit that returns false skips what lies below. */
export function walk(expr: Expr, visit: (node: Expr, parents: readonly Expr[]) => boolean | undefined): void {
  const path: Expr[] = [];
  const go = (node: Expr): void => {
    if (visit(node, path) === false) return;
    path.push(node);
    for (const child of children(node)) go(child);
    path.pop();
  };
  go(expr);
}

/** The matchers of every selector of the tree, in the order written. */
export function selectorsOf(expr: Expr): readonly (readonly Matcher[])[] {
  const found: (readonly Matcher[])[] = [];
  walk(expr, (node) => {
    if (node.kind === "vector") found.push(node.matchers);
    return true;
  });
  return found;
}

/** A tree in which each node is what `replace` made of it, children first. Unchanged nodes are shared. */
export function transform(expr: Expr, replace: (node: Expr) => Expr): Expr {
  return replace(mapChildren(expr, (child) => transform(child, replace)));
}

/** The node with `map` applied to its direct sub-expressions; itself when none changed. */
export function mapChildren(expr: Expr, map: (child: Expr) => Expr): Expr {
  switch (expr.kind) {
    case "number":
    case "string":
    case "vector":
      return expr;
    case "matrix": {
      const selector = map(expr.selector);
      // A range selector can only hold an instant selector; any other replacement belongs one level up.
      return selector === expr.selector || selector.kind !== "vector" ? expr : {...expr, selector};
    }
    case "subquery":
    case "unary":
    case "paren": {
      const inner = map(expr.expr);
      return inner === expr.expr ? expr : {...expr, expr: inner};
    }
    case "call": {
      const args = expr.args.map(map);
      return args.every((arg, i) => arg === expr.args[i]) ? expr : {...expr, args};
    }
    case "aggregate": {
      const inner = map(expr.expr);
      const param = expr.param && map(expr.param);
      return inner === expr.expr && param === expr.param ? expr : {...expr, expr: inner, param};
    }
    case "binary": {
      const lhs = map(expr.lhs);
      const rhs = map(expr.rhs);
      return lhs === expr.lhs && rhs === expr.rhs ? expr : {...expr, lhs, rhs};
    }
  }
}

/** What lies inside any number of parentheses. */
export function unparen(expr: Expr): Expr {
  let e = expr;
  while (e.kind === "paren") e = e.expr;
  return e;
}
