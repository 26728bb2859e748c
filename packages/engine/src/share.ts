import {type Expr, format, walk} from "@strata/promql";
import type {Annotation} from "./annotations.ts";
import type {Evaluation} from "./evaluation.ts";
import type {SampleTally, TallyCounts} from "./sample-tally.ts";
import type {Hints} from "./select-series.ts";
import type {Batches, Grid, StepBatch} from "./step-batch.ts";

/** An expression that occurs several times: its text, and how often. */
type Repeated = {readonly text: string; uses: number};

/** What the first evaluation gave, held until the last use. */
type Held = {
  readonly batches: StepBatch[];
  readonly annotations: readonly Annotation[];
  readonly start: number;
  readonly counts: TallyCounts;
  left: number;
};

/** Functions whose annotations count how often they were called, so that calls must not be saved. */
const COUNTED = new Set(["histogram_quantile", "histogram_quantiles"]);

/**
 * The sub-expressions that are worth evaluating once: aggregations (small results) and operands of vector matching
 * (held anyway) that occur more than once, written the same way.
 */
export function findRepeated(expr: Expr): Map<Expr, Repeated> {
  const byText = new Map<string, {nodes: Expr[]; width: number}>();
  const add = (node: Expr): void => {
    let counted = false;
    let selectors = 0;
    walk(node, (n) => {
      if (n.kind === "call" && COUNTED.has(n.func.name)) counted = true;
      if (n.kind === "vector") selectors++;
      return undefined;
    });
    if (counted || selectors === 0) return;
    const width = node.pos.end - node.pos.start;
    const key = `${width} ${format(node)}`;
    const seen = byText.get(key) ?? {nodes: [], width};
    byText.set(key, seen);
    if (!seen.nodes.includes(node)) seen.nodes.push(node);
  };
  walk(expr, (node) => {
    if (node.kind === "aggregate") add(node);
    if (node.kind === "binary" && node.matching !== undefined) for (const side of [node.lhs, node.rhs]) add(side);
    return undefined;
  });
  const repeated = new Map<Expr, Repeated>();
  for (const [text, {nodes}] of byText) {
    if (nodes.length < 2) continue;
    const shared = {text, uses: nodes.length};
    for (const node of nodes) repeated.set(node, shared);
  }
  return repeated;
}

/** Results of repeated expressions, by text and grid. */
export class SharedResults {
  readonly #repeated: ReadonlyMap<Expr, Repeated>;
  readonly #held = new Map<string, Promise<Held>>();

  constructor(expr: Expr) {
    this.#repeated = findRepeated(expr);
  }

  /** Tells, of nodes in the order of evaluation, which ones are equal to one before. */
  repeats(): (node: Expr) => boolean {
    const seen = new Set<Repeated>();
    return (node) => {
      const repeated = this.#repeated.get(node);
      if (repeated === undefined || !seen.has(repeated)) {
        if (repeated !== undefined) seen.add(repeated);
        return false;
      }
      return true;
    };
  }

  /** The batches of `make`, or copies of those that an equal expression gave before; undefined where none is equal. */
  batches(ev: Evaluation, expr: Expr, grid: Grid, hints: Hints, make: () => Batches): Batches | undefined {
    const repeated = this.#repeated.get(expr);
    if (repeated === undefined) return undefined;
    const {start, step, count} = grid;
    const key = `${start} ${step} ${count} ${grid.tally.perStep} ${hints.func} ${hints.stats} ${hints.needed} ${repeated.text}`;
    return this.#open(ev, expr, grid.tally, key, repeated.uses, make);
  }

  async *#open(
    ev: Evaluation,
    expr: Expr,
    tally: SampleTally,
    key: string,
    uses: number,
    make: () => Batches,
  ): Batches {
    let pending = this.#held.get(key);
    const first = pending === undefined;
    if (pending === undefined) {
      pending = collect(ev, expr, tally, uses, make());
      this.#held.set(key, pending);
    }
    const held = await pending;
    if (!first) tally.repeat(held.counts);
    held.left--;
    const shift = expr.pos.start - held.start;
    if (shift !== 0) ev.annotations.repeat(held.annotations, shift);
    if (held.left === 0) {
      this.#held.delete(key);
      yield* held.batches;
      return;
    }
    for (const batch of held.batches) yield copyOf(ev, batch);
  }
}

async function collect(ev: Evaluation, expr: Expr, tally: SampleTally, uses: number, child: Batches): Promise<Held> {
  const before = tally.mark();
  const annotations = ev.annotations.record();
  const batches: StepBatch[] = [];
  try {
    for await (const batch of child) batches.push(batch);
  } finally {
    ev.annotations.stopRecording(annotations);
  }
  return {batches, annotations, start: expr.pos.start, counts: tally.since(before), left: uses};
}

function copyOf(ev: Evaluation, batch: StepBatch): StepBatch {
  const rows = batch.steps === 0 ? 0 : batch.values.length / batch.steps;
  const copy = ev.newBatch(rows, batch.steps);
  copy.labels = batch.labels.slice();
  copy.values.set(batch.values);
  copy.kind.set(batch.kind);
  copy.hists = batch.hists?.slice();
  copy.dropName = batch.dropName?.slice();
  return copy;
}
