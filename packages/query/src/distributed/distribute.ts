import {matcher} from "@strata/model";
import {
  type Aggregate,
  type Binary,
  type Expr,
  format,
  mapChildren,
  selectorsOf,
  unparen,
  type VectorSelector,
  valueType,
  walk,
} from "@strata/promql";
import type {Connection} from "@strata/storeapi";
import {areDisjoint, type Federation, mayHold, type Part, partsOf, storesMayHold} from "./engines.ts";
import {type Span, spanOf} from "./times.ts";
import {hasSelector, keptByUnion} from "./union.ts";

/** Marks a selector whose series are the answers of other queriers; its value is the number of the question. */
export const REMOTE_LABEL = "__strata_remote__";
/** Tells apart the answers of queriers that may have equal labels. */
export const ENGINE_LABEL = "__strata_engine__";

/** One question to several queriers: each is asked over its part of the data. */
export type Remote = {
  /** The query's text, without times. */
  readonly query: string;
  /** For each part the queriers that know it, the first to be asked first. */
  readonly targets: readonly (readonly Connection[])[];
  /** Answers get the engine label, for what is around them drops it. */
  readonly tagged: boolean;
};

export type Distributed = {readonly expr: Expr; readonly remotes: readonly Remote[]};

/** What an expression is distributed by. */
export type DistributeOptions = {
  readonly federation: Federation;
  readonly replicaLabels: readonly string[];
  /** Of the query. */
  readonly times: Span;
  readonly lookbackMs: number;
};

/** What joins the answers of all parts to an aggregation over all of them. */
const JOINED_BY: Readonly<Partial<Record<Aggregate["op"], Aggregate["op"]>>> = {
  sum: "sum",
  count: "sum",
  min: "min",
  max: "max",
  group: "group",
};
const PICKS: readonly string[] = ["topk", "bottomk"];

/** These look at more than the values their operand has at the query's times. */
const LOOK_DEEPER = new Set(["absent", "absent_over_time", "info", "timestamp", "start_timestamp"]);

/**
 * The expression with as much of it as possible left to other queriers: where that is the same for every part of the data
 * on its own, or can be put together from them. Whatever cannot be is evaluated here, over the series of all stores.
 */
export function distribute(expr: Expr, options: DistributeOptions): Distributed {
  const all = spanOf(expr, options.times, options.times, options.lookbackMs);
  if (all === undefined || selectorsOf(expr).some((s) => s.some((m) => m.name === REMOTE_LABEL)))
    return {expr, remotes: []};
  const parts = partsOf(options.federation, options.replicaLabels, all.mint, all.maxt);
  if (parts === undefined || parts.length === 0) return {expr, remotes: []};
  const distributor = new Distributor(parts, options);
  const rewritten = distributor.rewrite(expr);
  return {expr: rewritten, remotes: distributor.remotes};
}

class Distributor {
  readonly remotes: Remote[] = [];
  readonly #parts: readonly Part[];
  readonly #o: DistributeOptions;

  constructor(parts: readonly Part[], options: DistributeOptions) {
    this.#parts = parts;
    this.#o = options;
  }

  rewrite(expr: Expr): Expr {
    const e = unparen(expr);
    if (!hasSelector(e) || e.kind === "matrix" || e.kind === "subquery") return expr;
    const parts = this.#partsFor(e);
    if (parts !== undefined && valueType(e) === "vector" && !isOrdered(e)) {
      // One part has it all: then it does not matter what is asked of it.
      if (parts.length === 1 || keptByUnion(e, parts) !== undefined) return this.#ask(e, parts, false);
    }
    if (parts !== undefined && valueType(e) === "vector") {
      const joined = e.kind === "aggregate" ? this.#join(e, parts) : undefined;
      if (joined !== undefined) return joined;
    }
    if (e.kind === "call" && LOOK_DEEPER.has(e.func.name)) return expr;
    return mapChildren(expr, (child) => this.rewrite(child));
  }

  /** The parts that may hold what the expression selects; undefined when some of it may be elsewhere. */
  #partsFor(expr: Expr): readonly Part[] | undefined {
    // What info() looks for is not in the query's text, so no other querier can be told what to leave out.
    if (calls(expr, "info")) return undefined;
    const {federation, times, lookbackMs} = this.#o;
    const selectors = selectorsOf(expr);
    const span = spanOf(expr, times, times, lookbackMs);
    if (span === undefined || storesMayHold(federation, selectors, span.mint, span.maxt)) return undefined;
    const parts = this.#parts.filter((p) => p.mint <= span.maxt && p.maxt >= span.mint && mayHold(p, selectors));
    return parts.length === 0 ? undefined : parts;
  }

  /** An aggregation over all parts, made of one over each. */
  #join(e: Aggregate, parts: readonly Part[]): Expr | undefined {
    const inner = parts.length === 1 ? () => true : keptByUnion(e.expr, parts);
    if (inner === undefined || (e.param !== undefined && hasSelector(e.param))) return undefined;
    const by = JOINED_BY[e.op];
    if (by !== undefined) return outer(e, by, this.#ask(e, parts, true));
    // What is picked from each part is told apart by its own labels.
    if (PICKS.includes(e.op) && areDisjoint(parts, inner)) return {...e, expr: this.#ask(e, parts, false)};
    if (e.op !== "avg") return undefined;
    const [sum, count] = (["sum", "count"] as const).map((op) => outer(e, "sum", this.#ask({...e, op}, parts, true)));
    return quotient(e, sum as Expr, count as Expr);
  }

  /** A selector that stands for the answers to `expr`. */
  #ask(expr: Expr, parts: readonly Part[], tagged: boolean): VectorSelector {
    const targets = parts.map((p) => p.connections);
    this.remotes.push({query: format(expr), targets, tagged});
    return {
      kind: "vector",
      name: "",
      matchers: [matcher(REMOTE_LABEL, "=", String(this.remotes.length - 1))],
      offset: 0,
      offsetExpr: undefined,
      at: undefined,
      mode: "",
      matchersOnly: false,
      pos: expr.pos,
    };
  }
}

/** The aggregation `op` over what the parts answered to `e`. */
const outer = (e: Aggregate, op: Aggregate["op"], answers: Expr): Aggregate => ({
  ...e,
  op,
  expr: answers,
  param: undefined,
  grouping: e.without ? [...e.grouping, ENGINE_LABEL] : e.grouping,
});

const quotient = (e: Aggregate, lhs: Expr, rhs: Expr): Binary => ({
  kind: "binary",
  op: "/",
  lhs,
  rhs,
  matching: {card: "one-to-one", on: false, labels: [], include: [], fillLeft: undefined, fillRight: undefined},
  bool: false,
  pos: e.pos,
});

/** Whether the order of its series is part of the answer. */
const isOrdered = (e: Expr): boolean =>
  (e.kind === "call" && e.func.name.startsWith("sort")) || (e.kind === "aggregate" && PICKS.includes(e.op));

function calls(expr: Expr, name: string): boolean {
  let found = false;
  walk(expr, (node) => {
    found ||= node.kind === "call" && node.func.name === name;
    return !found;
  });
  return found;
}
