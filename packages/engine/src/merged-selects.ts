import type {Matcher} from "@strata/model";
import {type Expr, type VectorSelector, walk} from "@strata/promql";
import type {Select, SeriesBatch} from "@strata/series";
import type {Evaluation} from "./evaluation.ts";
import type {TimeRange} from "./read-ranges.ts";

/** Encoded chunks that are kept for another selector; a larger selection is made twice instead. */
const KEPT_BYTES = 32 << 20;
/** How much longer than needed a common time range may be. */
const SPARE_TIME = 1.25;

/** Selectors of which one selection serves all, that of the widest. */
type Family = {readonly matchers: readonly Matcher[]; readonly range: TimeRange; left: number};

/** What a selection gave, for the rest of a family. */
type Kept = {readonly batches: SeriesBatch[]; readonly bytes: number};

/**
 * Selectors whose series are also those of another selector of the query, for about the same time, are selected once:
 * `x{code="500"} / x` reads all of x, keeps the encoded chunks, and filters for the other side. Selections stay one after
 * the other; what is kept is counted and bounded.
 */
export class MergedSelects {
  readonly #families = new Map<VectorSelector, Family>();
  /** By family and what of the data was asked for. */
  readonly #kept = new Map<Family, Map<string, Kept>>();

  /**
   * `unseen`: labels that sources take off, so that nobody can filter by them afterwards. `again`: whether an expression
   * is one that was met before, and will not be evaluated another time.
   */
  constructor(
    expr: Expr,
    asked: (selector: VectorSelector) => TimeRange | undefined,
    unseen: readonly string[],
    again: (node: Expr) => boolean,
  ) {
    const selectors: VectorSelector[] = [];
    walk(expr, (node) => {
      if (again(node)) return false;
      if (node.kind === "vector" && !node.matchersOnly && !selectors.includes(node)) selectors.push(node);
      return undefined;
    });
    const open = new Set(selectors);
    // Widest first: each takes along all that it serves.
    for (const root of [...selectors].sort((a, b) => a.matchers.length - b.matchers.length)) {
      if (!open.has(root)) continue;
      const members = [...open].filter((s) => s !== root && within(s, root, unseen));
      const family = familyOf(root, members, asked);
      for (const member of family?.members ?? [root]) open.delete(member);
      if (family === undefined) continue;
      const {matchers, range, members: all} = family;
      const shared = {matchers, range, left: all.length};
      for (const member of all) this.#families.set(member, shared);
    }
  }

  /** The series that a selector asks for: from what was kept, or selected and kept for others. */
  async *select(ev: Evaluation, selector: VectorSelector, own: Select): AsyncGenerator<SeriesBatch, void, undefined> {
    const family = this.#families.get(selector);
    if (family === undefined || family.left === 0) {
      yield* ev.queryable.select(own, ev.signal);
      return;
    }
    family.left--;
    const key = `${own.aggregates} ${own.maxResolution}`;
    const kept = this.#kept.get(family)?.get(key);
    const source = kept?.batches ?? this.#read(ev, family, key, own);
    const rest = selector.matchers.filter((m) => !family.matchers.some((shared) => equal(shared, m)));
    for await (const batch of source) yield rest.length === 0 ? batch : filtered(batch, rest);
    if (family.left === 0) this.#forget(ev, family);
  }

  async *#read(ev: Evaluation, family: Family, key: string, own: Select): AsyncGenerator<SeriesBatch, void, undefined> {
    const {matchers, range} = family;
    const wide = {...own, matchers, mint: Math.min(own.mint, range.mint), maxt: Math.max(own.maxt, range.maxt)};
    let batches: SeriesBatch[] | undefined = family.left > 0 ? [] : undefined;
    let bytes = 0;
    try {
      for await (const batch of ev.queryable.select(wide, ev.signal)) {
        if (batches !== undefined && bytes + batch.bytes.length <= KEPT_BYTES) {
          ev.budget.take(batch.bytes.length, "chunks for several selectors");
          bytes += batch.bytes.length;
          batches.push(batch);
        } else {
          ev.budget.give(bytes);
          bytes = 0;
          batches = undefined;
        }
        yield batch;
      }
      if (batches === undefined) return;
      const kept = this.#kept.get(family) ?? new Map<string, Kept>();
      this.#kept.set(family, kept.set(key, {batches, bytes}));
      bytes = 0;
    } finally {
      // What was not read to its end serves nobody.
      ev.budget.give(bytes);
    }
  }

  #forget(ev: Evaluation, family: Family): void {
    for (const {bytes} of this.#kept.get(family)?.values() ?? []) ev.budget.give(bytes);
    this.#kept.delete(family);
  }
}

/** Whether a selector's series are among those of `root`, and can be told from the others by their labels. */
function within(selector: VectorSelector, root: VectorSelector, unseen: readonly string[]): boolean {
  const {matchers} = selector;
  if (!root.matchers.every((m) => matchers.some((own) => equal(own, m)))) return false;
  return matchers.every((m) => root.matchers.some((shared) => equal(shared, m)) || !unseen.includes(m.name));
}

/** The root and those members that look at about the same time. */
function familyOf(
  root: VectorSelector,
  members: readonly VectorSelector[],
  asked: (selector: VectorSelector) => TimeRange | undefined,
): {matchers: readonly Matcher[]; range: TimeRange; members: readonly VectorSelector[]} | undefined {
  let range = asked(root);
  if (range === undefined) return undefined;
  const all = [root];
  for (const member of members) {
    const own = asked(member);
    if (own === undefined) continue;
    const wider: TimeRange = {mint: Math.min(range.mint, own.mint), maxt: Math.max(range.maxt, own.maxt)};
    const longest = Math.max(range.maxt - range.mint, own.maxt - own.mint);
    if (wider.maxt - wider.mint > SPARE_TIME * longest) continue;
    range = wider;
    all.push(member);
  }
  return all.length > 1 ? {matchers: root.matchers, range, members: all} : undefined;
}

const equal = (a: Matcher, b: Matcher): boolean => a.name === b.name && a.op === b.op && a.value === b.value;

/** The series of a batch that matchers let through; columns and bytes are shared. */
function filtered(batch: SeriesBatch, matchers: readonly Matcher[]): SeriesBatch {
  const kept = batch.labels.map((labels) => matchers.every((m) => m.matches(labels.get(m.name))));
  const series = [...kept.keys()].filter((s) => kept[s]);
  if (series.length === batch.labels.length) return batch;
  return {...batch, ...pickSeries(batch, series)};
}

/** The labels and chunk columns of some series of a batch. */
function pickSeries(batch: SeriesBatch, series: readonly number[]) {
  const firstChunk = new Uint32Array(series.length + 1);
  const chunks: number[] = [];
  series.forEach((s, i) => {
    for (let c = batch.firstChunk[s]!; c < batch.firstChunk[s + 1]!; c++) chunks.push(c);
    firstChunk[i + 1] = chunks.length;
  });
  const pick = <T extends Float64Array | Uint32Array | Uint16Array | Uint8Array>(column: T): T => {
    const out = column.slice(0, chunks.length) as T;
    for (let i = 0; i < chunks.length; i++) out[i] = column[chunks[i]!]!;
    return out;
  };
  return {
    labels: series.map((s) => batch.labels[s]!),
    firstChunk,
    mint: pick(batch.mint),
    maxt: pick(batch.maxt),
    encoding: pick(batch.encoding),
    source: pick(batch.source),
    aggregate: pick(batch.aggregate),
    offset: pick(batch.offset),
    length: pick(batch.length),
  };
}
