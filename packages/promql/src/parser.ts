import {type Matcher, METRIC_NAME, matcher} from "@strata/model";
import type {
  Aggregate,
  AggregateOp,
  Binary,
  BinaryOp,
  Cardinality,
  DurationExpr,
  Expr,
  Position,
  VectorMatching,
  VectorSelector,
} from "./ast.ts";
import {functionSignature} from "./functions.ts";
import {numberLiteral, stringLiteral} from "./literals.ts";
import {withAt, withMode, withOffset, withTimestamp} from "./modifiers.ts";
import {durationExpr, literalMs, offsetExpr, positive} from "./parse-duration.ts";
import {groupingLabels, labelMatchers} from "./parse-labels.ts";
import type {ParseOptions} from "./parse-options.ts";
import {
  AGGREGATORS,
  DURATION,
  EOF,
  IDENTIFIER,
  METRIC_IDENTIFIER,
  NAME_WORDS,
  NUMBER,
  PREPROCESSORS,
  STRING,
  type Token,
} from "./token.ts";
import {fail, TokenStream} from "./token-stream.ts";

/** Binary operators by how tightly they bind; all but `^` associate to the left. */
const PRECEDENCE: Readonly<Record<BinaryOp, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  "==": 3,
  "!=": 3,
  "<": 3,
  "<=": 3,
  ">": 3,
  ">=": 3,
  "</": 3,
  ">/": 3,
  "+": 4,
  "-": 4,
  "*": 5,
  "/": 5,
  "%": 5,
  atan2: 5,
  "^": 6,
};
/** A sign binds like `*`, so its operand takes in only `^` and what binds tighter. */
const SIGN_OPERAND = 6;

const WITH_PARAM: ReadonlySet<string> = new Set([
  "topk",
  "bottomk",
  "quantile",
  "count_values",
  "limitk",
  "limit_ratio",
]);

const DURATION_TERM = "number, duration, step(), or range()";

/**
 * Recursive descent with precedence climbing. Throws SyntaxFault at the first error, which is the only one that
 * Prometheus shows. Types are not checked here, apart from what its grammar checks while it reads.
 */
export class Parser {
  readonly #tokens: TokenStream;
  readonly #options: ParseOptions;

  constructor(source: string, options: ParseOptions) {
    this.#tokens = new TokenStream(source);
    this.#options = options;
  }

  /** A whole text as one expression. */
  expression(): Expr {
    if (this.#tokens.at(EOF)) fail({start: 0, end: 0}, "no expression found in input");
    const expr = this.#expr(0);
    this.#tokens.expect(EOF);
    return expr;
  }

  /** A whole text as one instant selector without modifiers, as `match[]` takes it. */
  selector(): VectorSelector {
    const selector = this.#selector();
    this.#tokens.expect(EOF);
    return selector;
  }

  #expr(minPrecedence: number): Expr {
    const tokens = this.#tokens;
    return tokens.nested(() => {
      let lhs = this.#operand();
      for (;;) {
        const op = tokens.peek();
        const precedence = (PRECEDENCE as Readonly<Record<string, number>>)[op.type] ?? -1;
        if (precedence < minPrecedence || precedence < 0) return lhs;
        tokens.take();
        lhs = this.#binary(lhs, op.type as BinaryOp, precedence);
      }
    });
  }

  #binary(lhs: Expr, op: BinaryOp, precedence: number): Binary {
    const bool = this.#tokens.accept("bool") !== undefined;
    const matching = this.#matching();
    const rhs = this.#expr(op === "^" ? precedence : precedence + 1);
    const pos = {start: lhs.pos.start, end: rhs.pos.end};
    const fills = matching.fillLeft !== undefined || matching.fillRight !== undefined;
    if (fills && this.#options.binopFillModifiers !== true) {
      fail(pos, "binop fill modifiers are experimental and not enabled");
    }
    return this.#tokens.built({kind: "binary", op, lhs, rhs, matching, bool, pos}, lhs, rhs);
  }

  #matching(): VectorMatching {
    const tokens = this.#tokens;
    const clause = tokens.accept("on") ?? tokens.accept("ignoring");
    const labels = clause === undefined ? [] : groupingLabels(tokens);
    const group = clause && (tokens.accept("group_left") ?? tokens.accept("group_right"));
    if (group !== undefined && !tokens.at("(") && !startsExpr(tokens.peek()) && !FILLS.has(tokens.peek().type)) {
      tokens.within("grouping opts", '"("', () => tokens.unexpected());
    }
    const include = group !== undefined && tokens.at("(") ? groupingLabels(tokens) : [];
    const card: Cardinality =
      group === undefined ? "one-to-one" : group.type === "group_left" ? "many-to-one" : "one-to-many";
    return {card, on: clause?.type === "on", labels, include, ...this.#fills()};
  }

  #fills(): {fillLeft: number | undefined; fillRight: number | undefined} {
    const tokens = this.#tokens;
    if (tokens.accept("fill")) {
      const value = this.#fillValue();
      return {fillLeft: value, fillRight: value};
    }
    let fillLeft = tokens.accept("fill_left") && this.#fillValue();
    const fillRight = tokens.accept("fill_right") && this.#fillValue();
    if (fillLeft === undefined && fillRight !== undefined) fillLeft = tokens.accept("fill_left") && this.#fillValue();
    return {fillLeft, fillRight};
  }

  #fillValue(): number {
    this.#tokens.expect("(");
    const value = this.#signedNumber();
    this.#tokens.expect(")");
    return value;
  }

  #signedNumber(): number {
    const tokens = this.#tokens;
    const sign = tokens.accept("-") ?? tokens.accept("+");
    const token = tokens.peek();
    if (token.type !== NUMBER && token.type !== DURATION) return tokens.unexpected();
    const {value} = numberLiteral(tokens.take());
    return sign?.type === "-" ? -value : value;
  }

  /** A primary expression with its signs in front and its ranges and modifiers behind. */
  #operand(): Expr {
    const tokens = this.#tokens;
    const sign = tokens.accept("-") ?? tokens.accept("+");
    if (sign === undefined) return this.#postfix(this.#primary());
    const expr = this.#expr(SIGN_OPERAND);
    const pos = {start: sign.start, end: expr.pos.end};
    if (expr.kind === "number") return {...expr, value: sign.type === "-" ? -expr.value : expr.value, pos};
    return tokens.built({kind: "unary", op: sign.type as "+" | "-", expr, pos}, expr);
  }

  #primary(): Expr {
    const tokens = this.#tokens;
    const token = tokens.peek();
    switch (token.type) {
      case NUMBER:
      case DURATION:
        return numberLiteral(tokens.take());
      case STRING:
        return stringLiteral(tokens.take());
      case "(":
        return this.#paren();
      case "{":
      case METRIC_IDENTIFIER:
        return this.#selector();
    }
    if (AGGREGATORS.has(token.type)) return this.#aggregateOrName();
    if (token.type === IDENTIFIER || PREPROCESSORS.has(token.type)) {
      tokens.take();
      return tokens.at("(") ? this.#call(token) : this.#selectorFrom(token);
    }
    if (NAME_WORDS.has(token.type)) return this.#selector();
    return tokens.unexpected();
  }

  #paren(): Expr {
    const tokens = this.#tokens;
    const {start} = tokens.take();
    const expr = this.#expr(0);
    const {end} = tokens.expect(")");
    return tokens.built({kind: "paren", expr, pos: {start, end}}, expr);
  }

  #selector(): VectorSelector {
    const tokens = this.#tokens;
    const token = tokens.peek();
    if (token.type === "{") return this.#selectorFrom(undefined);
    const isName = token.type === IDENTIFIER || token.type === METRIC_IDENTIFIER || NAME_WORDS.has(token.type);
    return isName ? this.#selectorFrom(tokens.take()) : tokens.unexpected();
  }

  /** The selector whose name, if it has one outside the braces, was just taken. */
  #selectorFrom(name: Token | undefined): VectorSelector {
    const tokens = this.#tokens;
    const {start} = name ?? tokens.peek();
    const matchers: Matcher[] = tokens.at("{") ? labelMatchers(tokens) : [];
    if (name !== undefined) matchers.push(matcher(METRIC_NAME, "=", name.text));
    return {
      kind: "vector",
      name: name?.text ?? "",
      matchers,
      offset: 0,
      offsetExpr: undefined,
      at: undefined,
      mode: "",
      matchersOnly: false,
      pos: {start, end: tokens.lastEnd},
    };
  }

  #call(name: Token): Expr {
    const func = functionSignature(name.text);
    const args = this.#callArgs();
    if (func === undefined || (func.extended && this.#options.xFunctions !== true)) {
      return fail(name, `unknown function with name ${JSON.stringify(name.text)}`);
    }
    if (func.experimental && this.#options.experimentalFunctions !== true) {
      fail(name, `function ${JSON.stringify(func.name)} is not enabled`);
    }
    const pos = {start: name.start, end: this.#tokens.lastEnd};
    return this.#tokens.built({kind: "call", func, args, pos}, ...args);
  }

  #callArgs(): Expr[] {
    const tokens = this.#tokens;
    const args: Expr[] = [];
    tokens.expect("(");
    if (tokens.accept(")")) return args;
    for (;;) {
      args.push(this.#expr(0));
      const comma = tokens.accept(",");
      if (comma === undefined) break;
      if (!startsExpr(tokens.peek())) fail(comma, "trailing commas not allowed in function call args");
    }
    tokens.expect(")");
    return args;
  }

  #aggregateOrName(): Expr {
    const op = this.#tokens.take();
    const next = this.#tokens.peek().type;
    if (next !== "(" && next !== "by" && next !== "without") return this.#selectorFrom(op);
    return this.#tokens.within("aggregation", "", () => this.#aggregate(op));
  }

  #aggregate(op: Token): Aggregate {
    let modifier = this.#aggregateModifier();
    const args = this.#callArgs();
    modifier ??= this.#aggregateModifier();
    const pos = {start: op.start, end: this.#tokens.lastEnd};
    if (args.length === 0) fail(pos, "no arguments for aggregate expression provided");
    const withParam = WITH_PARAM.has(op.type);
    if ((op.type === "limitk" || op.type === "limit_ratio") && this.#options.experimentalFunctions !== true) {
      const flag = "--enable-feature=promql-experimental-functions";
      fail(pos, `${op.type}() is experimental and must be enabled with ${flag}`);
    }
    const wanted = withParam ? 2 : 1;
    if (args.length !== wanted) {
      const counts = `expected ${wanted}, got ${args.length}`;
      fail(pos, `wrong number of arguments for aggregate expression provided, ${counts}`);
    }
    const node: Aggregate = {
      kind: "aggregate",
      op: op.type as AggregateOp,
      expr: args[wanted - 1] as Expr,
      param: withParam ? args[0] : undefined,
      grouping: modifier?.labels ?? [],
      without: modifier?.without ?? false,
      pos,
    };
    return this.#tokens.built(node, node.expr, node.param);
  }

  #aggregateModifier(): {labels: string[]; without: boolean} | undefined {
    const word = this.#tokens.accept("by") ?? this.#tokens.accept("without");
    return word && {labels: groupingLabels(this.#tokens), without: word.type === "without"};
  }

  #postfix(operand: Expr): Expr {
    const tokens = this.#tokens;
    let expr = operand;
    for (;;) {
      const token = tokens.peek();
      let changed: Expr;
      switch (token.type) {
        case "[":
          changed = this.#bracket(expr);
          break;
        case "offset":
          changed = this.#offset(expr);
          break;
        case "@":
          changed = this.#at(expr);
          break;
        case "anchored":
        case "smoothed":
          tokens.take();
          changed = withMode(expr, token.type, this.#options.extendedRangeSelectors === true, token.end);
          break;
        default:
          return expr;
      }
      expr = tokens.built(changed, expr);
    }
  }

  #offset(expr: Expr): Expr {
    const tokens = this.#tokens;
    tokens.take();
    const duration = tokens.within("offset", DURATION_TERM, () => offsetExpr(tokens));
    return withOffset(expr, duration, tokens.lastEnd);
  }

  #at(expr: Expr): Expr {
    const tokens = this.#tokens;
    tokens.take();
    return tokens.within("@", "timestamp", () => {
      const word = tokens.accept("start") ?? tokens.accept("end");
      if (word === undefined) return withTimestamp(expr, this.#signedNumber(), tokens.lastEnd);
      tokens.expect("(");
      const {end} = tokens.expect(")");
      return withAt(expr, {kind: word.type as "start" | "end"}, end);
    });
  }

  #bracket(expr: Expr): Expr {
    const tokens = this.#tokens;
    const open = tokens.take();
    return tokens.within("subquery or range selector", DURATION_TERM, () => {
      const range = positive(durationExpr(tokens));
      tokens.expecting("subquery or range", '":" or "]"');
      if (tokens.accept(":")) return this.#subquery(expr, range);
      const {end} = tokens.expect("]");
      return this.#matrix(expr, range, {start: open.start, end});
    });
  }

  #subquery(expr: Expr, range: DurationExpr): Expr {
    const tokens = this.#tokens;
    const place = "subquery selector";
    tokens.expecting(place, 'number, duration, step(), range(), or "]"');
    const step = tokens.at("]") ? undefined : positive(durationExpr(tokens));
    tokens.expecting(place, '"]"');
    const {end} = tokens.expect("]");
    return {
      kind: "subquery",
      expr,
      ...split(range, "range", "rangeExpr"),
      ...(step === undefined ? {step: 0, stepExpr: undefined} : split(step, "step", "stepExpr")),
      offset: 0,
      offsetExpr: undefined,
      at: undefined,
      pos: {start: expr.pos.start, end},
    } as Expr;
  }

  #matrix(expr: Expr, range: DurationExpr, brackets: Position): Expr {
    if (expr.kind !== "vector") return fail(brackets, "ranges only allowed for vector selectors");
    if (expr.offset !== 0) fail(brackets, "no offset modifiers allowed before range");
    if (expr.at?.kind === "time") fail(brackets, "no @ modifiers allowed before range");
    const pos = {start: expr.pos.start, end: brackets.end};
    return {kind: "matrix", selector: expr, ...split(range, "range", "rangeExpr"), pos} as Expr;
  }
}

/** A literal as milliseconds, anything else as the expression to be resolved later. */
const split = (expr: DurationExpr, ms: string, composite: string): Record<string, unknown> =>
  expr.kind === "number" ? {[ms]: literalMs(expr), [composite]: undefined} : {[ms]: 0, [composite]: expr};

const FILLS: ReadonlySet<string> = new Set(["fill", "fill_left", "fill_right"]);

const startsExpr = (token: Token): boolean =>
  ["(", "{", "+", "-", NUMBER, DURATION, STRING, IDENTIFIER, METRIC_IDENTIFIER].includes(token.type) ||
  NAME_WORDS.has(token.type);
