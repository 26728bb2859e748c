import type {ByteBudget} from "@strata/base";
import {compareLabels, type Labels} from "@strata/model";
import {ascending, joinSeries, type SeriesPart, SourceMap} from "./join-series.ts";
import {LoserTree} from "./loser-tree.ts";
import {BATCH_BYTES, BATCH_SERIES, type SeriesBatch, SeriesBatchBuilder} from "./series-batch.ts";

export type MergeOptions = {
  /** At most so many series; 0 or left out is no limit. */
  readonly limit?: number | undefined;
  /** Series in an output batch. */
  readonly batchSeries?: number | undefined;
};

/**
 * Merges inputs that are each in label order into one stream in label order. Series of equal labels, from several inputs
 * or in a row from one, become one series whose chunks are sorted by mint and maxt, exact duplicates removed. Warnings of
 * the inputs are passed on with the next batch. `source` numbers the (input, source) pairs.
 *
 * Holds one batch per input and the one being built. All inputs are asked at once for their first batch. When one fails
 * or the consumer stops, all are closed; one that is just being waited for must end by its own signal.
 */
export async function* mergeBatches(
  inputs: readonly AsyncIterable<SeriesBatch>[],
  options: MergeOptions = {},
): AsyncGenerator<SeriesBatch, void, undefined> {
  const limit = options.limit || Number.POSITIVE_INFINITY;
  const batchSeries = options.batchSeries ?? BATCH_SERIES;
  const out = new SeriesBatchBuilder();
  const nextSource = {value: 0};
  const cursors = inputs.map((input) => new Cursor(input, new SourceMap(nextSource), out));
  try {
    await Promise.all(cursors.map((c) => c.load()));
    if (cursors.length === 0) return;
    const tree = new LoserTree(cursors.length, (a, b) => compareHeads(cursors[a]!, cursors[b]!));
    const parts: SeriesPart[] = [];
    let count = 0;
    for (let head = cursors[tree.winner]!; head.labels !== undefined && count < limit; head = cursors[tree.winner]!) {
      if (count + head.rowsLeft <= limit && head.wholeBatch && precedesOthers(head, cursors)) {
        if (!out.empty) yield out.finish();
        count += head.rowsLeft;
        yield head.takeBatch();
        await head.load();
        tree.replay();
        continue;
      }
      const labels = head.labels;
      let current = head;
      parts.length = 0;
      do {
        parts.push(current.part());
        if (!current.step()) await current.load();
        tree.replay();
        current = cursors[tree.winner]!;
      } while (current.labels !== undefined && compareLabels(current.labels, labels) === 0);
      joinSeries(parts, out);
      count++;
      if (out.series >= batchSeries || out.byteLength >= BATCH_BYTES) yield out.finish();
    }
    if (!out.empty) yield out.finish();
  } finally {
    await Promise.all(cursors.map((c) => c.close()));
  }
}

/**
 * One input with its labels cut: drops the labels `names` from every series and sorts again, because what was in order
 * need not be afterwards. Series that become equal are joined. Holds the whole input, counted in `budget`.
 */
export async function* sortWithout(
  input: AsyncIterable<SeriesBatch>,
  names: readonly string[],
  budget: ByteBudget,
  options: MergeOptions = {},
): AsyncGenerator<SeriesBatch, void, undefined> {
  const out = new SeriesBatchBuilder();
  const rows: (SeriesPart & {labels: Labels})[] = [];
  let held = 0;
  try {
    for await (const batch of input) {
      budget.take(batch.bytes.byteLength, "series to sort again without replica labels");
      held += batch.bytes.byteLength;
      const labels = batch.labels.map((l) => l.without(names));
      const cut: SeriesBatch = {...batch, labels};
      for (let row = 0; row < labels.length; row++)
        rows.push({batch: cut, row, sources: undefined, labels: labels[row]!});
      for (const w of batch.warnings) out.addWarning(w);
    }
    rows.sort((a, b) => compareLabels(a.labels, b.labels));
    const batchSeries = options.batchSeries ?? BATCH_SERIES;
    const limit = options.limit || Number.POSITIVE_INFINITY;
    for (let from = 0, count = 0; from < rows.length && count < limit; count++) {
      let to = from + 1;
      while (to < rows.length && compareLabels(rows[from]!.labels, rows[to]!.labels) === 0) to++;
      joinSeries(rows.slice(from, to), out);
      from = to;
      if (out.series >= batchSeries || out.byteLength >= BATCH_BYTES) yield out.finish();
    }
    if (!out.empty) yield out.finish();
  } finally {
    budget.give(held);
  }
}

/** Where a merge stands in one input. */
class Cursor {
  readonly #iterator: AsyncIterator<SeriesBatch>;
  readonly #sources: SourceMap;
  readonly #warnings: SeriesBatchBuilder;
  #batch: SeriesBatch | undefined;
  #row = 0;
  #pending = false;
  #done = false;
  /** Whether the batch may be passed on as it is. */
  #clean = false;

  constructor(input: AsyncIterable<SeriesBatch>, sources: SourceMap, warnings: SeriesBatchBuilder) {
    this.#iterator = input[Symbol.asyncIterator]();
    this.#sources = sources;
    this.#warnings = warnings;
  }

  /** Labels of the row the cursor is at; undefined when the input has ended. */
  get labels(): Labels | undefined {
    return this.#batch?.labels[this.#row];
  }

  /** The last labels of the batch at hand. */
  get lastLabels(): Labels | undefined {
    return this.#batch?.labels.at(-1);
  }

  get rowsLeft(): number {
    return (this.#batch?.labels.length ?? 0) - this.#row;
  }

  get wholeBatch(): boolean {
    return this.#row === 0 && this.#clean;
  }

  part(): SeriesPart {
    return {batch: this.#batch!, row: this.#row, sources: this.#sources};
  }

  /** Goes to the next row; false when another batch has to be loaded first. */
  step(): boolean {
    this.#row++;
    return this.rowsLeft > 0;
  }

  /** The batch at hand, its sources renumbered; `load` must follow. */
  takeBatch(): SeriesBatch {
    const batch = this.#batch!;
    const source = batch.source.map((s) => this.#sources.get(s));
    return {...batch, source, warnings: []};
  }

  /** Waits for the next batch that has rows. */
  async load(): Promise<void> {
    this.#batch = undefined;
    this.#row = 0;
    while (!this.#done) {
      this.#pending = true;
      const {value, done} = await this.#iterator.next();
      this.#pending = false;
      if (done === true) {
        this.#done = true;
        return;
      }
      for (const w of value.warnings) this.#warnings.addWarning(w);
      if (value.labels.length === 0) continue;
      this.#batch = value;
      this.#clean = clean(value);
      return;
    }
  }

  async close(): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    const closed = this.#iterator.return?.();
    // An input that is being waited for answers only once its own signal ends it; its error has no reader any more.
    if (this.#pending) void closed?.catch(() => {});
    else await closed;
  }
}

/** Below so many series a batch is rather copied into the next output batch than passed on alone. */
const WORTH_PASSING = 32;

/** Whether a batch needs no work: no equal labels in a row, no chunks to sort or drop. */
function clean(batch: SeriesBatch): boolean {
  const {labels} = batch;
  if (labels.length < WORTH_PASSING && batch.bytes.length < BATCH_BYTES / 8) return false;
  for (let row = 0; row < labels.length; row++) {
    if (row > 0 && compareLabels(labels[row - 1]!, labels[row]!) === 0) return false;
    if (!ascending(batch, row)) return false;
  }
  return true;
}

/** Exhausted cursors sort last. */
function compareHeads(a: Cursor, b: Cursor): number {
  const x = a.labels;
  const y = b.labels;
  if (x === undefined || y === undefined) return (x === undefined ? 1 : 0) - (y === undefined ? 1 : 0);
  return compareLabels(x, y);
}

/** Whether every series of the batch at `head` comes before all that the other cursors are at. */
function precedesOthers(head: Cursor, cursors: readonly Cursor[]): boolean {
  const last = head.lastLabels!;
  for (const c of cursors) {
    if (c !== head && c.labels !== undefined && compareLabels(last, c.labels) >= 0) return false;
  }
  return true;
}
