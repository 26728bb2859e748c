import {chunkSamples} from "@strata/chunkenc";
import {compareLabels, newUlid} from "@strata/model";
import {type BlockMeta, HINT_OUT_OF_ORDER} from "../block-meta.ts";
import {maskChunk} from "../chunk-mask.ts";
import type {ChunkItem} from "../compact/chunk-item.ts";
import {mergeOverlaps} from "../compact/overlap-chunks.ts";
import {covers, type Interval, touches} from "../tombstones.ts";
import {BlockWriter} from "../writer/block-writer.ts";
import {rangeEnd} from "./cut-rules.ts";
import type {Head} from "./head.ts";
import type {ReadChunk} from "./head-reader.ts";

/** Which samples of a head go into a block. */
type Part = "in-order" | "out-of-order" | "all";

/** Gives the event loop a turn after so many series. */
const TURN_SERIES = 256;

/**
 * Writes all blocks that are due to `dir` and drops their samples from the head: in order ones while more than a block and
 * a half is there, then all that came out of order. `written` hears of each block before the head lets go of its
 * samples, so that at every moment they can be read from one of the two. Returns the blocks.
 */
export async function compactHead(
  head: Head,
  dir: string,
  written: (meta: BlockMeta) => Promise<void>,
): Promise<BlockMeta[]> {
  const metas: BlockMeta[] = [];
  let truncated = false;
  while (head.isCompactable) {
    const mint = head.minTime;
    const maxt = rangeEnd(mint, head.chunkRange);
    const meta = await writeHeadBlock(head, dir, mint, maxt);
    if (meta !== undefined) {
      await written(meta);
      metas.push(meta);
    }
    await head.truncate(maxt);
    truncated = true;
  }
  if (truncated) metas.push(...(await compactOutOfOrder(head, dir, written)));
  return metas;
}

/** Writes everything the head holds, whether due or not, and leaves the head as it is. For snapshots. */
export const snapshotHead = (head: Head, dir: string): Promise<BlockMeta | undefined> =>
  writeHeadBlock(head, dir, head.minTime, head.maxTime + 1, "all");

/** Writes blocks of all that came out of order, aligned to the block range, then drops it from the head. */
export async function compactOutOfOrder(
  head: Head,
  dir: string,
  written: (meta: BlockMeta) => Promise<void>,
): Promise<BlockMeta[]> {
  const {store} = head;
  if (store.oooMint > store.oooMaxt) return [];
  const segment = head.wbl?.nextSegment() ?? 0;
  for (const slot of [...store.ooo.keys()]) store.flushOoo(slot);
  const {oooMint, oooMaxt} = store;
  // Only what there is now goes into the blocks; samples go on arriving meanwhile.
  const covered = new Map<number, number>();
  for (let slot = 0; slot < store.table.slots; slot++) {
    const ref = store.table.ref[slot] as number;
    if (ref !== 0 && store.newestOoo[slot] !== 0) covered.set(ref, store.newestOoo[slot] as number);
  }
  const metas: BlockMeta[] = [];
  const range = head.chunkRange;
  for (let from = Math.floor(oooMint / range) * range; from <= oooMaxt; from += range) {
    const meta = await writeHeadBlock(head, dir, from, from + range, "out-of-order");
    if (meta === undefined) continue;
    await written(meta);
    metas.push(meta);
  }
  await head.truncateOoo(covered, oooMaxt + 1, segment);
  return metas;
}

/** Writes the samples of [mint, maxt) (ms) as a block; undefined when there are none. */
export async function writeHeadBlock(
  head: Head,
  dir: string,
  mint: number,
  maxt: number,
  part: Part = "in-order",
): Promise<BlockMeta | undefined> {
  const {table} = head.store;
  const ulid = newUlid(Date.now());
  const writer = await BlockWriter.create(dir, {ulid});
  try {
    const series: {ref: number; labels: ReturnType<typeof table.labels>}[] = [];
    for (let slot = 0; slot < table.slots; slot++) {
      if (table.ref[slot] !== 0) series.push({ref: table.ref[slot] as number, labels: table.labels(slot)});
    }
    series.sort((a, b) => compareLabels(a.labels, b.labels));
    for (const [i, {ref, labels}] of series.entries()) {
      const slot = table.slotOf(ref);
      if (slot < 0) continue;
      const chunks = collect(head, slot, mint, maxt, part);
      if (chunks.length > 0) {
        writer.startSeries(labels);
        for (const {mint: from, maxt: to, encoding, data, from: at, length} of chunks) {
          head.observe.blockChunk(length, chunkSamples(encoding, data, at, length), to - from);
          const wait = writer.addChunk(from, to, encoding, data, at, length);
          if (wait !== undefined) await wait;
        }
        const wait = writer.endSeries();
        if (wait !== undefined) await wait;
      }
      if (i % TURN_SERIES === TURN_SERIES - 1) await new Promise((resolve) => setImmediate(resolve));
    }
    const hints = part === "out-of-order" ? [HINT_OUT_OF_ORDER] : [];
    const compaction = {level: 1, sources: [ulid], deletable: false, parents: [], failed: false, hints};
    return await writer.finish({minTime: mint, maxTime: maxt, compaction});
  } catch (err) {
    await writer.abort();
    throw err;
  }
}

/** The slot's chunks for a block: cut to its range, without what is deleted, one sample a time. */
function collect(head: Head, slot: number, mint: number, maxt: number, part: Part): ChunkItem[] {
  const ref = head.store.table.ref[slot] as number;
  const last = maxt - 1;
  const outside: Interval[] = [
    {mint: Number.NEGATIVE_INFINITY, maxt: mint - 1},
    ...head.tombstones.get(ref),
    {mint: maxt, maxt: Number.POSITIVE_INFINITY},
  ];
  const clip = (chunk: ReadChunk): ChunkItem[] => {
    if (covers(outside, chunk.mint, chunk.maxt)) return [];
    if (!touches(outside, chunk.mint, chunk.maxt)) return [chunk];
    const place = {name: `head chunk of series ${ref}`, offset: 0};
    const left = maskChunk(chunk.encoding, chunk.data, chunk.from, chunk.length, outside, place);
    return left === undefined ? [] : [{...left, from: 0, length: left.data.length}];
  };
  const inOrder: ChunkItem[] = [];
  const late: ChunkItem[][] = [];
  if (part !== "out-of-order") {
    head.reader.inOrder(slot, mint, last, head.store.total[slot] as number, (c) => inOrder.push(...clip(c)));
  }
  if (part !== "in-order") head.reader.outOfOrder(slot, mint, last, (c) => late.push(clip(c)));
  if (late.length === 0) return inOrder;
  const out: ChunkItem[] = [];
  mergeOverlaps([inOrder, ...late], (chunk) => out.push(chunk));
  return out;
}
