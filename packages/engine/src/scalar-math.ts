import type {BinaryOp} from "@strata/promql";

/** Go's math.Pow where JavaScript's differs: 1^NaN and (±1)^±Inf are 1. */
export function pow(x: number, y: number): number {
  if (x === 1) return 1;
  if (x === -1 && (y === Infinity || y === -Infinity)) return 1;
  return x ** y;
}

/** Arithmetic of two floats, or a comparison as 1 or 0. */
export function scalarOp(op: BinaryOp, a: number, b: number): number {
  switch (op) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "%":
      return a % b;
    case "^":
      return pow(a, b);
    case "atan2":
      return Math.atan2(a, b);
    default:
      return compares(op, a, b) ? 1 : 0;
  }
}

export function compares(op: BinaryOp, a: number, b: number): boolean {
  switch (op) {
    case "==":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    default:
      return false;
  }
}

export const isComparison = (op: BinaryOp): boolean =>
  op === "==" || op === "!=" || op === "<" || op === "<=" || op === ">" || op === ">=";

/** Go's math.Max and math.Min, which differ from JavaScript's in one point: an infinity of that side wins over NaN. */
export const goMax = (a: number, b: number): number => (a === Infinity || b === Infinity ? Infinity : Math.max(a, b));
export const goMin = (a: number, b: number): number =>
  a === -Infinity || b === -Infinity ? -Infinity : Math.min(a, b);
