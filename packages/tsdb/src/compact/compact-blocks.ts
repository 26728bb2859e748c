import {StrataError} from "@strata/base";
import {type BlockCompaction, type BlockMeta, HINT_OUT_OF_ORDER, type ThanosMeta} from "../block-meta.ts";
import type {BlockReader} from "../block-reader.ts";
import type {SeriesEntry} from "../index/series-entry.ts";
import {BlockWriter} from "../writer/block-writer.ts";
import {compareRefs} from "../writer/index-writer.ts";
import {BlockCursor, type SymbolMap} from "./block-cursor.ts";
import type {ChunkItem} from "./chunk-item.ts";
import {mergeSymbols} from "./merge-symbols.ts";
import {type MergeChunks, mergeOverlaps} from "./overlap-chunks.ts";

export type CompactOptions = {
  readonly ulid?: string | undefined;
  readonly segmentBytes?: number | undefined;
  /** The Thanos section of the new meta.json. */
  readonly thanos?: ThanosMeta | undefined;
  /** How overlapping chunks become new ones; by default one sample a time is kept. */
  readonly merge?: MergeChunks | undefined;
  /** What takes the place of all chunks of a series that several blocks hold; wins over `merge`. */
  readonly mergeSeries?: MergeSeries | undefined;
  /** Is shown each series of each input as its index has it, before anything of it is used; throws to end the merge. */
  readonly observe?: ((input: number, entry: SeriesEntry) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Emits, in order, the chunks that stand for those of one series in several blocks. */
export type MergeSeries = (lists: readonly (readonly ChunkItem[])[], emit: (chunk: ChunkItem) => void) => void;

/**
 * Merges blocks into one below `parent`. Chunks that overlap nothing keep their bytes; deletions of the inputs are
 * applied. Series are compared by symbol numbers, so no label text is read after the symbol tables. Memory holds a window
 * of each input, the symbols' numbers and what the writer keeps.
 *
 * Returns the new block's meta; undefined when no sample is left, and then nothing is written. Inputs stay as they are
 * and are not closed.
 */
export async function compactBlocks(
  inputs: readonly BlockReader[],
  parent: string,
  options: CompactOptions = {},
): Promise<BlockMeta | undefined> {
  if (inputs.length === 0) throw new StrataError("internal", "BUG: compaction of no blocks");
  const minTime = Math.min(...inputs.map((b) => b.meta.minTime));
  const maxTime = Math.max(...inputs.map((b) => b.meta.maxTime));
  const {merged, maps} = mergeSymbols(inputs.map((b) => b.index));
  const {ulid, segmentBytes, thanos} = options;
  const writer = await BlockWriter.create(parent, {ulid, segmentBytes, symbols: merged});
  try {
    const cursors: BlockCursor[] = [];
    for (const [i, block] of inputs.entries()) {
      const observe = options.observe && ((entry: SeriesEntry) => options.observe?.(i, entry));
      cursors.push(await BlockCursor.open(block, maps[i] as SymbolMap, minTime, maxTime - 1, {observe}));
    }
    await mergeSeries(cursors, writer, options);
    return await writer.finish({minTime, maxTime, compaction: compactionOf(inputs), thanos});
  } catch (err) {
    await writer.abort();
    throw err;
  }
}

async function mergeSeries(
  cursors: readonly BlockCursor[],
  writer: BlockWriter,
  options: CompactOptions,
): Promise<void> {
  let open: BlockCursor[] = [];
  for (const cursor of cursors) if (await cursor.next()) open.push(cursor);
  const items: ChunkItem[] = [];
  const emit = (chunk: ChunkItem): void => {
    items.push(chunk);
  };
  const equal: BlockCursor[] = [];
  const turns: BlockCursor[] = [];
  while (open.length > 0) {
    options.signal?.throwIfAborted();
    takeLeast(open, equal);
    const {refs} = equal[0] as BlockCursor;
    takeTurns(equal, turns);
    let wait: Promise<void> | undefined;
    const alone = equal.length === 1 || options.mergeSeries === undefined;
    // A block by itself may hold a chunk twice, which an index must not.
    if (alone && isAscending(turns)) {
      if (turns.length > 0) wait = copySeries(writer, refs, turns);
    } else {
      items.length = 0;
      const lists = equal.map((cursor) => cursor.items());
      if (options.mergeSeries !== undefined && equal.length > 1) options.mergeSeries(lists, emit);
      else mergeOverlaps(lists, emit, options.merge);
      if (items.length > 0) wait = writeSeries(writer, refs, items);
    }
    if (wait !== undefined) await wait;
    for (const cursor of equal) {
      const more = cursor.next();
      if (!(typeof more === "boolean" ? more : await more)) open = open.filter((other) => other !== cursor);
    }
  }
}

/** The cursors that have chunks for the current series, by the time of the first. */
function takeTurns(equal: readonly BlockCursor[], turns: BlockCursor[]): void {
  turns.length = 0;
  for (const cursor of equal) if (cursor.from < cursor.to) turns.push(cursor);
  if (turns.length > 1) turns.sort((a, b) => (a.chunks.mint[a.from] as number) - (b.chunks.mint[b.from] as number));
}

/** Whether each chunk begins behind the end of the one before it. */
function isAscending(turns: readonly BlockCursor[]): boolean {
  let end = Number.NEGATIVE_INFINITY;
  for (const {chunks, from, to} of turns) {
    const {mint, maxt} = chunks;
    for (let i = from; i < to; i++) {
      if (!((mint[i] as number) > end)) return false;
      end = maxt[i] as number;
    }
  }
  return true;
}

/** Puts into `least` the cursors, in input order, that stand at the least label set. */
function takeLeast(open: readonly BlockCursor[], least: BlockCursor[]): void {
  least.length = 0;
  for (const cursor of open) {
    const c = least.length === 0 ? 0 : compareRefs(cursor.refs, (least[0] as BlockCursor).refs);
    if (c < 0) least.length = 0;
    if (c <= 0) least.push(cursor);
  }
}

/** Copies the chunks of one series; a promise only where the disk has to be waited for. */
function copySeries(
  writer: BlockWriter,
  refs: readonly number[],
  turns: readonly BlockCursor[],
): Promise<void> | undefined {
  writer.startSeriesByRefs(refs);
  for (let i = 0; i < turns.length; i++) {
    const {chunks, from, to} = turns[i] as BlockCursor;
    const wait = writer.addStored(chunks, from, to);
    if (wait !== undefined) return copyRest(writer, wait, turns, i + 1);
  }
  return writer.endSeries();
}

async function copyRest(
  writer: BlockWriter,
  wait: Promise<void>,
  turns: readonly BlockCursor[],
  next: number,
): Promise<void> {
  await wait;
  for (let i = next; i < turns.length; i++) {
    const {chunks, from, to} = turns[i] as BlockCursor;
    await writer.addStored(chunks, from, to);
  }
  await writer.endSeries();
}

/** A promise only where the disk has to be waited for. */
function writeSeries(
  writer: BlockWriter,
  refs: readonly number[],
  chunks: readonly ChunkItem[],
): Promise<void> | undefined {
  writer.startSeriesByRefs(refs);
  for (let i = 0; i < chunks.length; i++) {
    const {mint, maxt, encoding, data, from, length, sum} = chunks[i] as ChunkItem;
    const wait = writer.addChunk(mint, maxt, encoding, data, from, length, sum);
    if (wait !== undefined) return finishSeries(writer, wait, chunks, i + 1);
  }
  return writer.endSeries();
}

async function finishSeries(
  writer: BlockWriter,
  wait: Promise<void>,
  chunks: readonly ChunkItem[],
  next: number,
): Promise<void> {
  await wait;
  for (const {mint, maxt, encoding, data, from, length, sum} of chunks.slice(next)) {
    await writer.addChunk(mint, maxt, encoding, data, from, length, sum);
  }
  await writer.endSeries();
}

/** Level, sources and parents of a block made of `inputs`. */
function compactionOf(inputs: readonly BlockReader[]): BlockCompaction {
  const metas = inputs.map((b) => b.meta);
  const sources = [...new Set(metas.flatMap((m) => m.compaction.sources))].sort();
  // Only what came out of order altogether is still out of order when merged.
  const outOfOrder = metas.every((m) => m.compaction.hints.includes(HINT_OUT_OF_ORDER));
  return {
    level: Math.max(...metas.map((m) => m.compaction.level)) + 1,
    sources,
    deletable: false,
    parents: metas.map(({ulid, minTime, maxTime}) => ({ulid, minTime, maxTime})),
    failed: false,
    hints: outOfOrder ? [HINT_OUT_OF_ORDER] : [],
  };
}
