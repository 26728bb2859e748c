import {type Expr, type NumberLiteral, transform, unparen} from "@strata/promql";
import {isComparison, scalarOp} from "./scalar-math.ts";

/** Computes operators between number literals once, instead of once a step. */
export function foldConstants(expr: Expr): Expr {
  return transform(expr, (node) => {
    if (node.kind === "unary") {
      const inner = unparen(node.expr);
      if (inner.kind !== "number") return node;
      return literal(node, node.op === "-" ? -inner.value : inner.value);
    }
    if (node.kind !== "binary" || (isComparison(node.op) && !node.bool)) return node;
    const a = unparen(node.lhs);
    const b = unparen(node.rhs);
    if (a.kind !== "number" || b.kind !== "number") return node;
    return literal(node, scalarOp(node.op, a.value, b.value));
  });
}

const literal = (node: Expr, value: number): NumberLiteral => ({kind: "number", value, duration: false, pos: node.pos});
