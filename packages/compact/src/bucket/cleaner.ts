import {errorText, forEachLimit} from "@strata/base";
import {deleteBlock, readMark} from "@strata/block";
import {ulidTime} from "@strata/model";
import type {BlockMeta} from "@strata/tsdb/blocks";
import type {CompactContext} from "../context.ts";
import type {BucketState} from "./bucket-sync.ts";
import {holderOf} from "./garbage.ts";
import {DELETE_DETAILS} from "./marks.ts";
import {isExpired, type Retention} from "./retention.ts";

/** Blocks deleted at once. */
const DELETE_CONCURRENCY = 32;
/** How long an upload may take before what there is of it counts as aborted. */
const PARTIAL_AGE_MS = 48 * 3_600_000;

export type CleanContext = Pick<CompactContext, "bucket" | "logger" | "metrics" | "now">;

/** Details of marks of blocks that another block replaces. */
const REPLACED: ReadonlySet<string> = new Set([
  DELETE_DETAILS.compacted,
  DELETE_DETAILS.repaired,
  DELETE_DETAILS.outdated,
]);

/**
 * Deletes the blocks that were marked more than the delay ago. A block that was replaced is kept when no other block
 * holds its data any more, whatever its mark says: then something went wrong, and it is the last copy. How many went.
 */
export async function deleteMarked(
  ctx: CleanContext,
  state: BucketState,
  options: {readonly deleteDelayMs: number; readonly retention: Retention},
  signal: AbortSignal,
): Promise<number> {
  const {bucket, logger, metrics, now} = ctx;
  let kept = 0;
  let deleted = 0;
  const due: string[] = [];
  for (const [ulid, {time, details}] of state.deletionMarks) {
    if (now() / 1000 - time <= options.deleteDelayMs / 1000) continue;
    const meta = state.all.get(ulid);
    if (meta !== undefined && isLastCopy(meta, details, state, options.retention, now())) {
      kept++;
      logger.error("keeping marked block: no other block holds its data any more; remove the mark, or delete by hand", {
        block: ulid,
        details,
      });
      continue;
    }
    due.push(ulid);
  }
  metrics.keptMarked.set(kept);
  await forEachLimit(due, DELETE_CONCURRENCY, async (ulid) => {
    try {
      await deleteBlock(bucket, ulid, signal);
    } catch (err) {
      metrics.cleanupFailures.inc();
      // One block that cannot be deleted must not keep all others from being merged.
      if (signal.aborted) throw err;
      logger.error("cannot delete marked block, will try again", {block: ulid, err: errorText(err)});
      return;
    }
    deleted++;
    metrics.cleaned.inc();
    logger.info("deleted block that was marked for deletion", {block: ulid});
  });
  return deleted;
}

/** Whether a block is marked because another one holds its data, and none does any more. */
export function isLastCopy(
  meta: BlockMeta,
  details: string,
  state: Pick<BucketState, "all">,
  retention: Retention,
  now: number,
): boolean {
  if (!REPLACED.has(details)) return false;
  if (meta.stats.numSamples === 0 || isExpired(meta, retention, now)) return false;
  return holderOf(meta, state.all.values()) === undefined;
}

/**
 * Deletes folders of uploads that were begun more than two days ago and never finished, and finishes deletions that were
 * cut short. A block whose meta.json is there but damaged is neither: its data may be whole, so it is only named.
 */
export async function deletePartialUploads(
  ctx: CleanContext,
  partial: BucketState["partial"],
  options: {readonly deleteDelayMs: number},
  signal: AbortSignal,
): Promise<void> {
  const {logger, metrics} = ctx;
  for (const [ulid, {damaged}] of partial) {
    if (damaged) {
      const what = "block has a damaged meta.json, leaving it alone: restore the file, or delete the block";
      logger.error(what, {block: ulid});
      continue;
    }
    if (!(await isAbandoned(ctx, ulid, options.deleteDelayMs, signal))) continue;
    metrics.partialUploads.inc();
    try {
      await deleteBlock(ctx.bucket, ulid, signal);
      metrics.cleaned.inc();
      logger.info("deleted what was left of a block", {block: ulid});
    } catch (err) {
      metrics.cleanupFailures.inc();
      logger.warn("cannot delete what is left of a block, will try again", {block: ulid, err: errorText(err)});
      if (signal.aborted) throw err;
    }
  }
}

/** Nothing was written for two days; or the block was due for deletion, and its meta.json went first. */
async function isAbandoned(
  {bucket, logger, now}: CleanContext,
  ulid: string,
  deleteDelayMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  let newest: number | undefined;
  for await (const {lastModified} of bucket.list(ulid, {recursive: true}, signal)) {
    if (lastModified !== undefined) newest = Math.max(newest ?? 0, lastModified.getTime());
  }
  const marked = await readMark(bucket, ulid, "deletion", logger, signal);
  if (marked !== undefined && now() / 1000 - marked.time > deleteDelayMs / 1000) return true;
  return now() - (newest ?? ulidTime(ulid)) > PARTIAL_AGE_MS;
}
