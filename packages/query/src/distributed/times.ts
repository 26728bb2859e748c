import type {At, Expr} from "@strata/promql";

/** A stretch of time, ms, both ends inclusive. */
export type Span = {readonly mint: number; readonly maxt: number};

/** The samples that an expression looks at when it is evaluated over `grid`. */
export function spanOf(expr: Expr, grid: Span, query: Span, lookbackMs: number): Span | undefined {
  const moved = (at: At | undefined, offset: number): Span => {
    const fixed =
      at === undefined ? undefined : at.kind === "time" ? at.t : at.kind === "start" ? query.mint : query.maxt;
    const base = fixed === undefined ? grid : {mint: fixed, maxt: fixed};
    return {mint: base.mint - offset, maxt: base.maxt - offset};
  };
  const of = (e: Expr): Span | undefined => spanOf(e, grid, query, lookbackMs);
  const back = (span: Span, ms: number): Span => ({mint: span.mint - ms, maxt: span.maxt});
  switch (expr.kind) {
    case "number":
    case "string":
      return undefined;
    case "vector":
      return back(moved(expr.at, expr.offset), lookbackMs);
    case "matrix":
      return back(moved(expr.selector.at, expr.selector.offset), expr.range + lookbackMs);
    case "subquery":
      return spanOf(expr.expr, back(moved(expr.at, expr.offset), expr.range), query, lookbackMs);
    case "paren":
    case "unary":
      return of(expr.expr);
    case "aggregate":
      return union([of(expr.expr), expr.param && of(expr.param)]);
    case "binary":
      return union([of(expr.lhs), of(expr.rhs)]);
    case "call":
      return union(expr.args.map(of));
  }
}

function union(spans: readonly (Span | undefined)[]): Span | undefined {
  const known = spans.filter((s) => s !== undefined);
  if (known.length === 0) return undefined;
  return {mint: Math.min(...known.map((s) => s.mint)), maxt: Math.max(...known.map((s) => s.maxt))};
}
