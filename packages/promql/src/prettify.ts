import type {Expr} from "./ast.ts";
import {aggregateHead, binaryHead, formatWith, leftOperand, subqueryTimes} from "./format.ts";

/** Longer expressions are split over lines. In bytes. */
const MAX_LINE = 100;
const INDENT = "  ";

/** The multi-line form of `/api/v1/format_query`. */
export function prettify(expr: Expr): string {
  const printer = new PrettyPrinter();
  return printer.print(expr, 0);
}

/** Keeps each node's one-line form, so that asking every level whether it fits stays linear. */
class PrettyPrinter {
  readonly #lines = new Map<Expr, string>();

  print(expr: Expr, level: number): string {
    const indent = INDENT.repeat(level);
    if (expr.kind === "unary") return `${indent}${expr.op}${this.print(expr.expr, level).trim()}`;
    if (!this.#mustSplit(expr)) {
      // Compat: Prometheus forgets the indent of a subquery that fits.
      return expr.kind === "subquery" ? this.#line(expr) : indent + this.#line(expr);
    }
    const sub = (child: Expr): string => this.print(child, level + 1);
    switch (expr.kind) {
      case "aggregate": {
        const param = expr.param === undefined ? "" : `${sub(expr.param)},\n`;
        return `${indent}${aggregateHead(expr)}(\n${param}${sub(expr.expr)}\n${indent})`;
      }
      case "binary":
        return `${sub(leftOperand(expr))}\n${indent}${binaryHead(expr)}\n${sub(expr.rhs)}`;
      case "call":
        return `${indent}${expr.func.name}(\n${expr.args.map(sub).join(",\n")}\n${indent})`;
      case "paren":
        return `${indent}(\n${sub(expr.expr)}\n${indent})`;
      case "subquery":
        return this.print(expr.expr, level) + subqueryTimes(expr);
      default:
        return indent + this.#line(expr);
    }
  }

  #line(expr: Expr): string {
    let line = this.#lines.get(expr);
    if (line === undefined) {
      line = formatWith(expr, (child) => this.#line(child));
      this.#lines.set(expr, line);
    }
    return line;
  }

  #mustSplit(expr: Expr): boolean {
    const line = this.#line(expr);
    return line.length > MAX_LINE || (line.length * 3 > MAX_LINE && Buffer.byteLength(line) > MAX_LINE);
  }
}
