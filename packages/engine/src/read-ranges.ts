import {type At, type Expr, type Subquery, type VectorSelector, walk} from "@strata/promql";
import type {QueryParams} from "./evaluation.ts";

/** ms, both inclusive. */
export type TimeRange = {readonly mint: number; readonly maxt: number};

/**
 * What Prometheus reads for each selector and for the query as a whole (`FindMinMaxTime`). Windows may need less: a
 * subquery's steps lie on multiples of its step. Which replica dedup follows depends on where its reading begins, and
 * Thanos cuts the samples of all selectors to the range of the whole query; so both are kept to the millisecond.
 */
export class ReadRanges {
  readonly #of = new Map<VectorSelector, TimeRange>();
  readonly #whole: TimeRange | undefined;

  constructor(expr: Expr, params: QueryParams, lookbackMs: number) {
    let whole: TimeRange | undefined;
    walk(expr, (node, parents) => {
      if (node.kind !== "vector") return;
      const range = rangeOf(node, parents, params, lookbackMs);
      const known = this.#of.get(node);
      this.#of.set(node, known === undefined ? range : union(known, range));
      whole = whole === undefined ? range : union(whole, range);
    });
    this.#whole = whole;
  }

  /** What the selector alone reads; undefined for one that is not the query's own. */
  of(selector: VectorSelector): TimeRange | undefined {
    return this.#of.get(selector);
  }

  /** What to ask sources for; `needed` is what the selector's windows reach, and always inside. */
  asked(selector: VectorSelector, needed: TimeRange): TimeRange {
    const range = this.#of.get(selector);
    return range === undefined ? needed : union(range, needed);
  }

  /** What samples are cut to before replicas are merged; `asked` is always inside. */
  cut(asked: TimeRange): TimeRange {
    return this.#whole === undefined ? asked : union(this.#whole, asked);
  }
}

function rangeOf(
  selector: VectorSelector,
  parents: readonly Expr[],
  params: QueryParams,
  lookbackMs: number,
): TimeRange {
  const subqueries = parents.filter((node) => node.kind === "subquery") as readonly Subquery[];
  let {start, end} = params;
  let offset = 0;
  let back = 0;
  for (const {at, offset: own, range} of subqueries) {
    if (at !== undefined) [start, end, offset, back] = [timeOf(at, params), timeOf(at, params), 0, 0];
    offset += own;
    back += range;
  }
  if (selector.at !== undefined) {
    start = timeOf(selector.at, params);
    end = start;
  } else {
    start -= offset + back;
    end -= offset;
  }
  const parent = parents.at(-1);
  const window = parent?.kind === "matrix" ? parent.range : 0;
  const more = selector.mode === "" ? 0 : lookbackMs;
  start -= (window === 0 ? lookbackMs : window + more) - 1;
  if (selector.mode === "smoothed") end += lookbackMs;
  return {mint: start - selector.offset, maxt: end - selector.offset};
}

const timeOf = (at: At, params: QueryParams): number =>
  at.kind === "time" ? at.t : at.kind === "start" ? params.start : params.end;

const union = (a: TimeRange, b: TimeRange): TimeRange => ({
  mint: Math.min(a.mint, b.mint),
  maxt: Math.max(a.maxt, b.maxt),
});
