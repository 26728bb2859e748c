import type {ByteBudget} from "@strata/base";
import {compareLabels, type Labels} from "@strata/model";
import {type SeriesRow, sortChunks} from "./series-row.ts";

/** What changes in the labels of a source's series before they are handed out. */
export type LabelChange = {
  /** Added to every series; of equal names these win. */
  readonly add: Labels;
  /** Taken away from every series, after `add`. */
  readonly remove: readonly string[];
};

/**
 * Gives rows, sorted by their own labels, back with changed labels and sorted by those. `names` are the label names the
 * source has: they tell how much the change can disturb the order.
 *
 * Adding the same labels to all moves only a row that is a prefix of others (`{a="1"}` before `{a="1", b="2"}` goes
 * behind it once z is added), so a few rows are held back. Where a series already has one of the names, or one is taken
 * away, any row may go anywhere: then all rows (not their chunks' bytes) are collected, counted in `budget`, and sorted.
 */
export function reordered(
  rows: AsyncIterable<readonly SeriesRow[]>,
  change: LabelChange,
  names: readonly string[],
  budget: ByteBudget,
): AsyncIterable<readonly SeriesRow[]> {
  const add = change.add.without(change.remove);
  const disturbed = names.some((name) => change.remove.includes(name) || change.add.has(name));
  if (disturbed) return resorted(rows, {add: change.add, remove: change.remove}, budget);
  return add.size === 0 ? rows : extended(rows, add);
}

async function* extended(rows: AsyncIterable<readonly SeriesRow[]>, add: Labels): AsyncGenerator<readonly SeriesRow[]> {
  // Rows that are prefixes of rows after them, ascending by their new labels. As deep as prefixes nest: a few.
  let held: SeriesRow[] = [];
  let next: {own: Labels; row: SeriesRow} | undefined;
  const release = (row: SeriesRow, out: SeriesRow[]): void => {
    while (held.length > 0 && compareLabels((held[0] as SeriesRow).labels, row.labels) <= 0) {
      out.push(held.shift() as SeriesRow);
    }
    out.push(row);
  };
  for await (const batch of rows) {
    const out: SeriesRow[] = [];
    for (const row of batch) {
      const current = next;
      next = {own: row.labels, row: {labels: row.labels.extend(add), chunks: row.chunks}};
      if (current === undefined) continue;
      if (isPrefix(current.own, row.labels)) held = inserted(held, current.row);
      else release(current.row, out);
    }
    if (out.length > 0) yield out;
  }
  const out: SeriesRow[] = [];
  if (next !== undefined) release(next.row, out);
  out.push(...held);
  if (out.length > 0) yield out;
}

function isPrefix(a: Labels, b: Labels): boolean {
  if (a.pairs.length >= b.pairs.length) return false;
  for (let i = a.pairs.length - 1; i >= 0; i--) if (a.pairs[i] !== b.pairs[i]) return false;
  return true;
}

function inserted(held: readonly SeriesRow[], row: SeriesRow): SeriesRow[] {
  const at = held.findIndex((other) => compareLabels(row.labels, other.labels) < 0);
  return at < 0 ? [...held, row] : held.toSpliced(at, 0, row);
}

/** What a collected row costs in memory, beside eight bytes for each number of its chunks. */
const ROW_BYTES = 120;
/** Rows handed on at a time. */
const OUT_ROWS = 512;

async function* resorted(
  rows: AsyncIterable<readonly SeriesRow[]>,
  change: LabelChange,
  budget: ByteBudget,
): AsyncGenerator<readonly SeriesRow[]> {
  let bytes = 0;
  try {
    const all: SeriesRow[] = [];
    for await (const batch of rows) {
      let more = 0;
      for (const row of batch) {
        const labels = row.labels.extend(change.add).without(change.remove);
        more += ROW_BYTES + 16 * labels.size + 8 * row.chunks.length;
        all.push({labels, chunks: row.chunks});
      }
      budget.take(more, "series to be sorted again");
      bytes += more;
    }
    all.sort((a, b) => compareLabels(a.labels, b.labels));
    const joined = joinEqual(all);
    for (let i = 0; i < joined.length; i += OUT_ROWS) yield joined.slice(i, i + OUT_ROWS);
  } finally {
    budget.give(bytes);
  }
}

/** Series that became equal are one, with the chunks of all. */
function joinEqual(sorted: readonly SeriesRow[]): SeriesRow[] {
  const out: SeriesRow[] = [];
  for (const row of sorted) {
    const last = out.at(-1);
    if (last?.labels.equals(row.labels)) {
      out[out.length - 1] = {labels: last.labels, chunks: sortChunks([...last.chunks, ...row.chunks])};
    } else out.push(row);
  }
  return out;
}
