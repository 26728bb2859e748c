import {type Expr, type ParseOptions, parseExpr, unparen, walk} from "@strata/promql";

/** Labels by which the series of a query can be dealt out to shards that are then evaluated apart. */
export type Sharding = {readonly by: boolean; readonly labels: readonly string[]};

/** `info` looks for series whose labels say nothing of the shard that asks for them; the original shards it wrongly. */
const NEEDS_ALL_SERIES = new Set(["absent", "absent_over_time", "scalar", "info"]);
const WRITES_LABEL = new Set(["label_replace", "label_join"]);
const QUANTILE = "histogram_quantile";
/** Answers kept: dashboards ask the same few hundred questions again and again. */
const KEPT = 256;

/** Finds out how queries can be sharded, and remembers it. */
export class ShardAnalyzer {
  readonly #options: ParseOptions;
  readonly #known = new Map<string, Sharding | undefined>();

  constructor(options: ParseOptions) {
    this.#options = options;
  }

  /** undefined when the query has to be evaluated as a whole, or cannot be parsed. */
  analyze(query: string): Sharding | undefined {
    if (this.#known.has(query)) return this.#known.get(query);
    let sharding: Sharding | undefined;
    try {
      sharding = shardingOf(parseExpr(query, this.#options));
    } catch {
      // The querier says what is wrong with it.
      sharding = undefined;
    }
    if (this.#known.size >= KEPT) this.#known.delete(this.#known.keys().next().value as string);
    this.#known.set(query, sharding);
    return sharding;
  }
}

/** Compat: the original's analysis, node by node from the top. */
export function shardingOf(expr: Expr): Sharding | undefined {
  let scope: Sharding | undefined;
  let possible = true;
  const written: string[] = [];
  const combine = (labels: readonly string[], by: boolean): void => {
    scope = combined(scope, {by, labels});
  };
  walk(expr, (node) => {
    if (node.kind === "call") {
      const {name} = node.func;
      if (NEEDS_ALL_SERIES.has(name)) possible = false;
      if (name === QUANTILE) combine(["le"], false);
      const target = WRITES_LABEL.has(name) && node.args[1] !== undefined ? unparen(node.args[1]) : undefined;
      if (target?.kind === "string") written.push(target.value);
    }
    if (node.kind === "binary" && node.matching !== undefined) {
      const {on, labels} = node.matching;
      combine(on ? labels : [...labels, "__name__"], on);
    }
    if (node.kind === "aggregate") combine(node.grouping, !node.without);
    return possible;
  });
  if (!possible) return undefined;
  if (written.length > 0) combine(written, false);
  const found = scope as Sharding | undefined;
  return found === undefined || found.labels.length === 0 ? undefined : found;
}

function combined(known: Sharding | undefined, next: Sharding): Sharding {
  if (known === undefined) return next;
  if (known.by && next.by) return {by: true, labels: known.labels.filter((label) => next.labels.includes(label))};
  if (!known.by && !next.by) return {by: false, labels: [...new Set([...known.labels, ...next.labels])]};
  const [by, without] = known.by ? [known, next] : [next, known];
  return {by: true, labels: by.labels.filter((label) => !without.labels.includes(label))};
}

/** One shard's part of a query as the querier is told of it. Compat: zero and false are left out. */
export function shardInfo(index: number, total: number, {by, labels}: Sharding): string {
  return JSON.stringify({
    ...(index > 0 ? {shard_index: index} : {}),
    total_shards: total,
    ...(by ? {by: true} : {}),
    labels,
  });
}
