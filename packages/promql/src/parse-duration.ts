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
  return tokens.nested(() => {
    let lhs = durationOperand(tokens);
    for (;;) {
      const op = tokens.peek();
      const precedence = PRECEDENCE[op.type] ?? -1;
      if (precedence < minPrecedence) return lhs;
      tokens.take();
      const rhs = durationExpr(tokens, op.type === "^" ? precedence : precedence + 1);
      lhs = operation(tokens, op, lhs, rhs);
    }
  });
}

/** What may follow `offset`: one signed term; anything composite has to stand in parentheses. */
export function offsetExpr(tokens: TokenStream): DurationExpr {
  const sign = tokens.accept("-") ?? tokens.accept("+");
  if (sign !== undefined && (tokens.at("-") || tokens.at("+"))) tokens.unexpected();
  const term = durationOperand(tokens);
  return sign === undefined ? term : signed(tokens, sign, term);
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
      tokens.take();
      const inner = durationExpr(tokens);
      tokens.expect(")");
      return inner.kind === "number" ? inner : tokens.built({...inner, wrapped: true}, inner.lhs, inner.rhs);
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
  const op = sign.type as "+" | "-";
  return tokens.built({kind: "duration", op, lhs: undefined, rhs: expr, wrapped: false, pos}, expr);
}

function operation(tokens: TokenStream, op: Token, lhs: DurationExpr, rhs: DurationExpr): DurationExpr {
  if (rhs.kind === "number" && rhs.value === 0) {
    if (op.type === "/") fail(op, "division by zero");
    if (op.type === "%") fail(op, "modulo by zero");
  }
  const pos = {start: lhs.pos.start, end: rhs.pos.end};
  return tokens.built({kind: "duration", op: op.type as DurationOp, lhs, rhs, wrapped: false, pos}, lhs, rhs);
}
