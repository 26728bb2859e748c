import {
  BlockCursor,
  type BlockMeta,
  BlockReader,
  BlockWriter,
  EMPTY_THANOS_META,
  mergeSymbols,
  readBlockMeta,
  type SymbolMap,
} from "@strata/tsdb/blocks";
import {completeBlock} from "../complete-block.ts";
import type {MergeInput} from "./messages.ts";

/**
 * Writes a block anew without the chunks that begin at the block's end or lie beyond its times altogether: an old
 * Prometheus put them into the next block too. Everything else keeps its bytes.
 */
export async function repairBlock({dir}: MergeInput, parent: string, ulid: string): Promise<BlockMeta | undefined> {
  // As it is in the bucket: the compactor's view of it lacks replica labels.
  const meta = await readBlockMeta(dir);
  const block = await BlockReader.open(dir);
  try {
    const {merged, maps} = mergeSymbols([block.index]);
    const writer = await BlockWriter.create(parent, {ulid, symbols: merged});
    try {
      const everything = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
      await copyInside(await BlockCursor.open(block, maps[0] as SymbolMap, ...everything), writer, meta);
      const {minTime, maxTime, compaction, thanos = EMPTY_THANOS_META} = meta;
      const section = {...thanos, source: "compactor.repair", files: [], segmentFiles: []};
      const written = await writer.finish({minTime, maxTime, compaction, thanos: section});
      return written && (await completeBlock(parent, written));
    } catch (err) {
      await writer.abort();
      throw err;
    }
  } finally {
    await block.close();
  }
}

async function copyInside(cursor: BlockCursor, writer: BlockWriter, meta: BlockMeta): Promise<void> {
  for (;;) {
    const more = cursor.next();
    if (!(typeof more === "boolean" ? more : await more)) return;
    const {chunks} = cursor;
    const keep: number[] = [];
    for (let i = cursor.from; i < cursor.to; i++) {
      const mint = chunks.mint[i] as number;
      if (mint < meta.maxTime && (chunks.maxt[i] as number) >= meta.minTime) keep.push(i);
    }
    if (keep.length === 0) continue;
    writer.startSeriesByRefs(cursor.refs);
    for (const i of keep) {
      const wait = writer.addStored(chunks, i, i + 1);
      if (wait !== undefined) await wait;
    }
    const wait = writer.endSeries();
    if (wait !== undefined) await wait;
  }
}
