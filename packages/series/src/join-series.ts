import {AGGREGATE, type Aggregate, type SeriesBatch, type SeriesBatchBuilder} from "./series-batch.ts";

/** One row of a batch: series `row` and its chunks. */
export type SeriesPart = {
  readonly batch: SeriesBatch;
  readonly row: number;
  /** Maps the batch's source numbers to those of the output; undefined keeps them. */
  readonly sources: SourceMap | undefined;
};

/** Gives each (input, source) pair of a merge its own number, so that replicas stay apart. */
export class SourceMap {
  readonly #next: {value: number};
  readonly #ids: number[] = [];

  /** Maps of one merge share the counter `next`. */
  constructor(next: {value: number}) {
    this.#next = next;
  }

  get(source: number): number {
    let id = this.#ids[source];
    if (id === undefined) {
      // The column holds 16 bits; beyond that sources share the last number, which only costs a hint.
      id = Math.min(this.#next.value++, 0xffff);
      this.#ids[source] = id;
    }
    return id;
  }
}

/**
 * Adds one series to `out`: the chunks of all `parts`, which have equal labels, sorted by mint, maxt and then bytes, each
 * exact duplicate once. A downsampled chunk counts as one: it is a duplicate only when all its columns are.
 */
export function joinSeries(parts: readonly SeriesPart[], out: SeriesBatchBuilder): void {
  const first = parts[0] as SeriesPart;
  out.startSeries(first.batch.labels[first.row]!);
  if (parts.length === 1 && ascending(first.batch, first.row)) {
    const {batch, row} = first;
    copyEntries(first, batch.firstChunk[row]!, batch.firstChunk[row + 1]!, out);
    return;
  }
  if (parts.every((p) => ascending(p.batch, p.row))) mergeAscending(parts, out);
  else sortAll(parts, out);
}

/**
 * Parts that need no sorting in themselves: the next chunk is always the least of their heads, and duplicates of it can
 * only be other heads.
 */
function mergeAscending(parts: readonly SeriesPart[], out: SeriesBatchBuilder): void {
  const heads = parts.map((part): Group => headAt(part, part.batch.firstChunk[part.row]!));
  for (;;) {
    let least: Group | undefined;
    let at = -1;
    for (let i = 0; i < heads.length; i++) {
      const head = heads[i]!;
      if (head.to === head.from) continue;
      const c = least === undefined ? -1 : compareGroups(head, least);
      if (c < 0) {
        least = head;
        at = i;
      } else if (c === 0) heads[i--] = headAt(head.part, head.to);
    }
    if (least === undefined) return;
    copyEntries(least.part, least.from, least.to, out);
    heads[at] = headAt(least.part, least.to);
  }
}

/** The chunk that begins at entry `from` of a part; an empty one at its end. */
function headAt(part: SeriesPart, from: number): Group {
  const end = part.batch.firstChunk[part.row + 1]!;
  return {part, from, to: from < end ? groupEnd(part.batch, from, end) : from};
}

function sortAll(parts: readonly SeriesPart[], out: SeriesBatchBuilder): void {
  const groups: Group[] = [];
  for (const part of parts) {
    const end = part.batch.firstChunk[part.row + 1]!;
    for (let from = part.batch.firstChunk[part.row]!; from < end; ) {
      const to = groupEnd(part.batch, from, end);
      groups.push({part, from, to});
      from = to;
    }
  }
  groups.sort(compareGroups);
  let last: Group | undefined;
  for (const group of groups) {
    if (last !== undefined && compareGroups(last, group) === 0) continue;
    copyEntries(group.part, group.from, group.to, out);
    last = group;
  }
}

/** Whether each chunk of the row starts after the one before it, so that there is nothing to sort or drop. */
export function ascending(batch: SeriesBatch, row: number): boolean {
  const {mint, aggregate} = batch;
  const end = batch.firstChunk[row + 1]!;
  for (let i = batch.firstChunk[row]! + 1; i < end; i++) {
    if (mint[i]! > mint[i - 1]!) continue;
    // Columns of one downsampled chunk: equal times, ascending aggregate.
    const sameChunk =
      mint[i] === mint[i - 1] && batch.maxt[i] === batch.maxt[i - 1] && aggregate[i]! > aggregate[i - 1]!;
    if (!sameChunk) return false;
  }
  return true;
}

/** One chunk with all its columns: entries [from, to) of a part. */
type Group = {readonly part: SeriesPart; readonly from: number; readonly to: number};

function groupEnd(batch: SeriesBatch, from: number, end: number): number {
  const {mint, maxt, aggregate, source} = batch;
  let to = from + 1;
  while (
    to < end &&
    aggregate[to]! > aggregate[to - 1]! &&
    mint[to] === mint[from] &&
    maxt[to] === maxt[from] &&
    source[to] === source[from]
  ) {
    to++;
  }
  return to;
}

/** Column order of the comparison. Compat: raw, count, sum, min, max, counter, as Thanos' proxy compares them. */
const COLUMNS = [AGGREGATE.raw, AGGREGATE.count, AGGREGATE.sum, AGGREGATE.min, AGGREGATE.max, AGGREGATE.counter];

/**
 * Compat: by mint and maxt ascending; then, column by column, a missing one last, a smaller encoding first, larger bytes
 * first. Bytes begin with the number of samples, so of two replicas' chunks the fuller comes first.
 */
function compareGroups(a: Group, b: Group): number {
  const x = a.part.batch;
  const y = b.part.batch;
  if (x.mint[a.from] !== y.mint[b.from]) return x.mint[a.from]! - y.mint[b.from]!;
  if (x.maxt[a.from] !== y.maxt[b.from]) return x.maxt[a.from]! - y.maxt[b.from]!;
  for (const column of COLUMNS) {
    const i = entryOf(a, column);
    const j = entryOf(b, column);
    if (i < 0 && j < 0) continue;
    if (i < 0 || j < 0) return i < 0 ? 1 : -1;
    if (x.encoding[i] !== y.encoding[j]) return x.encoding[i]! - y.encoding[j]!;
    const c = compareChunkBytes(y, j, x, i);
    if (c !== 0) return c;
  }
  return 0;
}

function entryOf(group: Group, column: Aggregate): number {
  const {aggregate} = group.part.batch;
  for (let i = group.from; i < group.to; i++) if (aggregate[i] === column) return i;
  return -1;
}

/** PERF: Buffer's own compare takes ranges; its static twin would need a view of each. Works on any Uint8Array. */
function compareChunkBytes(x: SeriesBatch, i: number, y: SeriesBatch, j: number): number {
  const from = x.offset[i]!;
  const other = y.offset[j]!;
  const compare = Buffer.prototype.compare;
  return compare.call(x.bytes as Buffer, y.bytes, other, other + y.length[j]!, from, from + x.length[i]!);
}

function copyEntries(part: SeriesPart, from: number, to: number, out: SeriesBatchBuilder): void {
  const b = part.batch;
  for (let i = from; i < to; i++) {
    const source = part.sources === undefined ? b.source[i]! : part.sources.get(b.source[i]!);
    const aggregate = b.aggregate[i] as Aggregate;
    out.addChunk(b.mint[i]!, b.maxt[i]!, b.encoding[i]!, source, aggregate, b.bytes, b.offset[i]!, b.length[i]!);
  }
}
