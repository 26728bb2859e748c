import {rm, writeFile} from "node:fs/promises";
import {join} from "node:path";
import {errorText, StrataError} from "@strata/base";
import {downloadBlock, type IndexHealth, indexHealth, META_FILE, resolutionOf, segmentFiles} from "@strata/block";
import {uploadVerified} from "@strata/compact";
import {
  type BlockMeta,
  BlockReader,
  compactBlocks,
  EMPTY_THANOS_META,
  encodeBlockMeta,
  mergeOverlaps,
  verifyBlock,
} from "@strata/tsdb";
import type {Issue, VerifyContext} from "./issue.ts";
import {backupAndDelete} from "./safe-delete.ts";

/**
 * Reads every block whole: index order, symbols, posting lists, times of chunks, and the checksum of each chunk. A repair
 * writes a block anew without chunks that lie outside its times, merges chunks that overlap, and removes the old one.
 */
export const indexKnownIssues: Issue = {
  id: "index_known_issues",
  repairable: true,
  async verify(ctx) {
    const {logger, repair} = ctx;
    logger.info("started verifying issue", {"with-repair": repair});
    for (const meta of await ctx.blocks()) {
      if (ctx.ulids.length > 0 && !ctx.ulids.includes(meta.ulid)) continue;
      ctx.signal.throwIfAborted();
      const dir = join(ctx.tmpDir, meta.ulid);
      try {
        await verifyOne(ctx, meta, dir);
      } finally {
        await rm(dir, {recursive: true, force: true});
      }
    }
    logger.info("verified issue", {"with-repair": repair});
  },
};

async function verifyOne(ctx: VerifyContext, meta: BlockMeta, dir: string): Promise<void> {
  const {logger} = ctx;
  const id = meta.ulid;
  await downloadBlock(ctx.bucket, id, dir, 1, ctx.signal);
  const found = await findTrouble(meta, dir);
  if (found === undefined) {
    logger.debug("no issue", {id});
    return;
  }
  logger.warn("detected issue", {id, err: found.text});
  if (!ctx.repair) return;
  try {
    await repair(ctx, meta, dir, found);
    logger.info("all good, continuing", {id});
  } catch (err) {
    if (ctx.signal.aborted) throw err;
    logger.error("could not repair index", {id, err: errorText(err)});
  }
}

type Trouble = {readonly text: string; readonly health: IndexHealth | undefined};

async function findTrouble(meta: BlockMeta, dir: string): Promise<Trouble | undefined> {
  let health: IndexHealth;
  try {
    health = await indexHealth(dir, meta.minTime, meta.maxTime);
  } catch (err) {
    return {text: `gather index issues ${meta.ulid}: ${errorText(err)}`, health: undefined};
  }
  const text = health.anyError;
  if (text !== undefined) return {text, health};
  const {errors} = await verifyBlock(dir);
  if (errors.length === 0) return undefined;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return {text: `${errorText(errors[0]?.error)}${more}`, health: undefined};
}

async function repair(ctx: VerifyContext, meta: BlockMeta, dir: string, {text, health}: Trouble): Promise<void> {
  if (health === undefined) {
    throw new StrataError(
      "bad_data",
      `${text}: damaged data cannot be made anew; upload the block again from where it was made`,
    );
  }
  if (resolutionOf(meta) > 0) throw new StrataError("bad_data", "cannot repair downsampled blocks");
  const partly = health.outsideChunks - health.completelyOutsideChunks - health.issue347Chunks;
  if (partly > 0)
    throw new StrataError("bad_data", `${partly} chunks reach beyond the block's times: samples would be lost`);
  if (health.outOfOrderLabels > 0)
    throw new StrataError("bad_data", "series with labels out of order cannot be repaired");
  const written = await rewritten(meta, dir, ctx.tmpDir, ctx.signal);
  if (written === undefined) throw new StrataError("bad_data", "no sample of the block lies within its times");
  const made = join(ctx.tmpDir, written.ulid);
  try {
    const problem = await findTrouble(written, made);
    if (problem !== undefined) throw new StrataError("internal", `repaired block is invalid: ${problem.text}`);
    ctx.logger.info("uploading repaired block", {id: meta.ulid, newID: written.ulid});
    await uploadVerified({bucket: ctx.bucket, hashFunc: "", filesConcurrency: 1, now: Date.now}, made, ctx.signal);
    await backupAndDelete(ctx, dir, meta.ulid);
  } finally {
    await rm(made, {recursive: true, force: true});
  }
}

/** Every chunk a list of its own: what overlaps is merged, exact duplicates count once, what lies outside is left out. */
async function rewritten(
  meta: BlockMeta,
  dir: string,
  parent: string,
  signal: AbortSignal,
): Promise<BlockMeta | undefined> {
  const block = await BlockReader.open(dir);
  let made: BlockMeta | undefined;
  try {
    made = await compactBlocks([block], parent, {
      mergeSeries: (lists, emit) =>
        mergeOverlaps(
          lists.flat().map((chunk) => [chunk]),
          emit,
        ),
      signal,
    });
  } finally {
    await block.close();
  }
  if (made === undefined) return undefined;
  const {ulid, stats} = made;
  const segments = await segmentFiles(join(parent, ulid));
  const thanos = {...(meta.thanos ?? EMPTY_THANOS_META), source: "bucket.repair", segmentFiles: segments, files: []};
  const written = {...meta, ulid, stats, thanos};
  await writeFile(join(parent, ulid, META_FILE), encodeBlockMeta(written));
  return written;
}
