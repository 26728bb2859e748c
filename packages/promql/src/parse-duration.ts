import type {DurationExpr, DurationOp, NumberLiteral} from "./ast.ts";
import {numberLiteral} from "./literals.ts";
import {DURATION, NUMBER, type Token} from "./token.ts";
import {fail, type TokenStream} from "./token-stream.ts";

/** Durations are int64 nanoseconds in Prometheus; this many seconds fit. */
const MAX_SECONDS = 2 ** 63 / 1e9;

const PRECEDENCE: Readonly<Record<string, number>> = {"+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "^": 6};
const UNARY_PRECEDENCE = 6;

/** The expression between brackets, up to what cannot belong to it. */
export function durationExpr(tokens: TokenStream, minPrecedence = 0): DurationExpr {
  return tokens.nested(() => operationsOn(durationOperand(tokens), tokens, minPrecedence));
}

/**
 * What may follow `offset`: one term with at most one sign, so that `m offset 1m - m` is a difference of series. As in
 * Prometheus, what begins with a parenthesis or with two signs is a whole expression: `m offset (1m) - 5` is one of 55 s.
 */
export function offsetExpr(tokens: TokenStream): DurationExpr {
  if (tokens.at("(")) return durationExpr(tokens);
  const sign = tokens.accept("-") ?? tokens.accept("+");
  if (sign === undefined) return durationOperand(tokens);
  if (tokens.at("-") || tokens.at("+")) {
    return operationsOn(signed(tokens, sign, durationExpr(tokens, UNARY_PRECEDENCE)), tokens, 0);
  }
  const term = durationOperand(tokens);
  // Compat: the tree keeps the plus of `+step()` here, and nowhere else.
  return term.kind === "number" || term.wrapped ? signed(tokens, sign, term) : signOperation(tokens, sign, term);
}

/** Milliseconds of a literal: rounded to nanoseconds, then cut. */
export function literalMs(literal: NumberLiteral): number {
  if (Number.isInteger(literal.value)) return literal.value * 1000;
  return Math.trunc(Math.round(literal.value * 1e9) / 1e6);
}

/** Ranges and subquery steps have to be positive; a composite one is checked when the query is prepared. */
export function positive(expr: DurationExpr): DurationExpr {
  if (expr.kind === "number" && !(expr.value > 0)) fail(expr.pos, "duration must be greater than 0");
  return expr;
}

function operationsOn(first: DurationExpr, tokens: TokenStream, minPrecedence: number): DurationExpr {
  for (let lhs = first; ; ) {
    const op = tokens.peek();
    const precedence = PRECEDENCE[op.type] ?? -1;
    if (precedence < minPrecedence) return lhs;
    tokens.take();
    const rhs = durationExpr(tokens, op.type === "^" ? precedence : precedence + 1);
    lhs = operation(tokens, op, lhs, rhs);
  }
}

function durationOperand(tokens: TokenStream): DurationExpr {
  const token = tokens.peek();
  switch (token.type) {
    case NUMBER:
    case DURATION: {
      const literal = numberLiteral(tokens.take());
      if (Math.abs(literal.value) > MAX_SECONDS) fail(literal.pos, "duration out of range");
      return literal;
    }
    case "+":
    case "-":
      tokens.take();
      return signed(tokens, token, durationExpr(tokens, UNARY_PRECEDENCE));
    case "step":
    case "range":
      return preprocessor(tokens, token.type);
    case "max_of":
    case "min_of":
      return extreme(tokens, token.type);
    case "(": {
      const {start} = tokens.take();
      const inner = durationExpr(tokens);
      const {end} = tokens.expect(")");
      if (inner.kind === "duration") return tokens.built({...inner, wrapped: true}, inner.lhs, inner.rhs);
      // Compat: a literal in parentheses is a sum of one.
      const sum = {kind: "duration", op: "+", lhs: undefined, rhs: inner, wrapped: true, pos: {start, end}} as const;
      return tokens.built(sum, inner);
    }
    default:
      return tokens.unexpected();
  }
}

function preprocessor(tokens: TokenStream, op: "step" | "range"): DurationExpr {
  const {start} = tokens.take();
  tokens.expect("(");
  const {end} = tokens.expect(")");
  return {kind: "duration", op, lhs: undefined, rhs: undefined, wrapped: false, pos: {start, end}};
}

function extreme(tokens: TokenStream, op: "max_of" | "min_of"): DurationExpr {
  const {start} = tokens.take();
  tokens.expect("(");
  const lhs = durationExpr(tokens);
  tokens.expect(",");
  const rhs = durationExpr(tokens);
  const {end} = tokens.expect(")");
  return tokens.built({kind: "duration", op, lhs, rhs, wrapped: false, pos: {start, end}}, lhs, rhs);
}

function signed(tokens: TokenStream, sign: Token, expr: DurationExpr): DurationExpr {
  const pos = {start: sign.start, end: expr.pos.end};
  if (expr.kind === "number") return {...expr, value: sign.type === "-" ? -expr.value : expr.value, pos};
  return sign.type === "-" ? signOperation(tokens, sign, expr) : expr;
}

function signOperation(tokens: TokenStream, sign: Token, rhs: DurationExpr): DurationExpr {
  const pos = {start: sign.start, end: rhs.pos.end};
  const op = sign.type as "+" | "-";
  return tokens.built({kind: "duration", op, lhs: undefined, rhs, wrapped: false, pos}, rhs);
}

function operation(tokens: TokenStream, op: Token, lhs: DurationExpr, rhs: DurationExpr): DurationExpr {
  if (rhs.kind === "number" && rhs.value === 0) {
    if (op.type === "/") fail(op, "division by zero");
    if (op.type === "%") fail(op, "modulo by zero");
  }
  const pos = {start: lhs.pos.start, end: rhs.pos.end};
  return tokens.built({kind: "duration", op: op.type as DurationOp, lhs, rhs, wrapped: false, pos}, lhs, rhs);
}
