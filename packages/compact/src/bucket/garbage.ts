import {resolutionOf} from "@strata/block";
import type {BlockMeta} from "@strata/tsdb/blocks";
import type {CompactContext} from "../context.ts";
import type {BucketState} from "./bucket-sync.ts";
import {DELETE_DETAILS, mark} from "./marks.ts";
import {missingObject} from "./verified-upload.ts";

/**
 * Marks the blocks whose data another block holds too, as they are left behind by a compaction that was cut short before
 * it could mark its sources. The other block must have all its objects. How many were marked.
 */
export async function collectGarbage(ctx: CompactContext, state: BucketState, signal: AbortSignal): Promise<number> {
  const {metrics, logger} = ctx;
  metrics.garbageCollections.inc();
  const stop = metrics.garbageSeconds.startTimer();
  let marked = 0;
  try {
    for (const ulid of state.duplicates) {
      const meta = state.all.get(ulid);
      if (meta === undefined || state.deletionMarks.has(ulid)) continue;
      const holder = holderOf(meta, state.metas.values());
      if (holder === undefined) continue;
      const missing = await missingObject(ctx.bucket, holder, signal);
      if (missing !== undefined) {
        logger.warn("keeping block, what holds its data is not whole", {block: ulid, holder: holder.ulid, missing});
        continue;
      }
      await mark(ctx, "deletion", ulid, {details: DELETE_DETAILS.outdated}, signal);
      metrics.garbageCollected.inc();
      marked++;
    }
  } catch (err) {
    metrics.garbageFailures.inc();
    throw err;
  } finally {
    stop();
  }
  return marked;
}

/** The first of `blocks` that holds all sources of `meta` at its resolution. */
export function holderOf(meta: BlockMeta, blocks: Iterable<BlockMeta>): BlockMeta | undefined {
  const {sources} = meta.compaction;
  for (const other of blocks) {
    if (other.ulid === meta.ulid || resolutionOf(other) !== resolutionOf(meta)) continue;
    if (other.compaction.sources.length < sources.length) continue;
    const own = new Set(other.compaction.sources);
    if (sources.every((source) => own.has(source))) return other;
  }
  return undefined;
}
