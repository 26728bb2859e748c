import {rm} from "node:fs/promises";
import {availableParallelism} from "node:os";
import {join} from "node:path";
import {errorText, forEachLimit, withContext} from "@strata/base";
import {downloadBlock, resolutionOf} from "@strata/block";
import {newUlid} from "@strata/model";
import type {BlockMeta} from "@strata/tsdb/blocks";
import type {BucketState} from "./bucket/bucket-sync.ts";
import {type Failures, HaltError} from "./bucket/failures.ts";
import {QUARANTINE_REASON, quarantine} from "./bucket/marks.ts";
import {isExpired, neededResolution, type Retention} from "./bucket/retention.ts";
import {uploadVerified} from "./bucket/verified-upload.ts";
import type {CompactContext} from "./context.ts";
import {DOWNSAMPLE_RANGE, RESOLUTION} from "./downsample/resolution.ts";

/** Where blocks are downsampled, below the data directory. */
export const DOWNSAMPLE_DIR = "downsample";

/** A block, and the resolution it is to be downsampled to. */
export type DownsampleTask = {readonly meta: BlockMeta; readonly to: number};

/**
 * The blocks to downsample: those whose sources are not all in blocks of the next resolution, and that are long enough. A
 * shorter one is waited for to be merged; but not beyond its retention, where it would be lost, unless it is `pending`:
 * its group could not be merged this time, and will be.
 */
export function blocksToDownsample(
  state: Pick<BucketState, "metas" | "noDownsample" | "deletionMarks">,
  retention: Retention,
  now: number,
  pending: ReadonlySet<string> = new Set(),
): DownsampleTask[] {
  const done = {
    [RESOLUTION.fiveMinutes]: sourcesOf(state, RESOLUTION.fiveMinutes),
    [RESOLUTION.oneHour]: sourcesOf(state, RESOLUTION.oneHour),
  };
  const tasks: DownsampleTask[] = [];
  for (const meta of [...state.metas.values()].sort((a, b) => (a.ulid < b.ulid ? -1 : 1))) {
    const resolution = resolutionOf(meta);
    if (resolution === RESOLUTION.oneHour || state.noDownsample.has(meta.ulid)) continue;
    if (state.deletionMarks.has(meta.ulid)) continue;
    const raw = resolution === RESOLUTION.raw;
    const to = raw ? RESOLUTION.fiveMinutes : RESOLUTION.oneHour;
    if (meta.compaction.sources.every((source) => done[to].has(source))) continue;
    const long = meta.maxTime - meta.minTime >= (raw ? DOWNSAMPLE_RANGE.raw : DOWNSAMPLE_RANGE.fiveMinutes);
    const expiring = isExpired(meta, retention, now) && neededResolution(meta, retention, now) === to;
    if (long || (expiring && !pending.has(meta.ulid))) tasks.push({meta, to});
  }
  return tasks;
}

function sourcesOf(state: Pick<BucketState, "metas" | "deletionMarks">, resolution: number): Set<string> {
  const sources = new Set<string>();
  for (const meta of state.metas.values()) {
    if (resolutionOf(meta) !== resolution || state.deletionMarks.has(meta.ulid)) continue;
    for (const source of meta.compaction.sources) sources.add(source);
  }
  return sources;
}

/**
 * Downsamples the tasks, some at once. A block that cannot be is set aside; other trouble goes to `failures`. How many new
 * blocks there are.
 */
export async function downsampleBlocks(
  ctx: CompactContext,
  tasks: readonly DownsampleTask[],
  concurrency: number,
  failures: Failures,
  signal: AbortSignal,
): Promise<number> {
  let made = 0;
  // With several blocks at once every core has work already.
  const twoThreads = concurrency <= 1 && availableParallelism() > 1;
  await forEachLimit(tasks, Math.max(1, concurrency), async (task) => {
    const resolution = String(resolutionOf(task.meta));
    try {
      if (await downsampleOne(ctx, task, twoThreads, signal)) made++;
      ctx.metrics.downsamplings.with({resolution}).inc();
    } catch (err) {
      if (signal.aborted) throw err;
      ctx.metrics.downsampleFailures.with({resolution}).inc();
      if (err instanceof HaltError) throw err;
      ctx.logger.error("cannot downsample block, will try again", {block: task.meta.ulid, err: errorText(err)});
      failures.add(withContext(err, `downsampling ${task.meta.ulid}`));
    }
  });
  return made;
}

/** False where nothing came of it. */
async function downsampleOne(
  ctx: CompactContext,
  {meta, to}: DownsampleTask,
  twoThreads: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const {bucket, pool, logger, metrics, acceptMalformed} = ctx;
  const root = join(ctx.dataDir, DOWNSAMPLE_DIR);
  const dir = join(root, meta.ulid);
  const stop = metrics.downsampleSeconds.with({resolution: String(resolutionOf(meta))}).startTimer();
  await downloadBlock(bucket, meta.ulid, dir, ctx.filesConcurrency, signal, {shared: true});
  const ulid = newUlid(ctx.now());
  const made = join(root, ulid);
  const input = {dir, meta};
  const job = {kind: "downsample", input, parent: root, ulid, resolution: to, acceptMalformed, twoThreads} as const;
  const result = await pool.run(job, signal);
  if (result.kind === "unsound") {
    const text = result.findings.map((finding) => finding.text).join("; ");
    if (ctx.haltOnError) throw new HaltError(`block ${meta.ulid} cannot be downsampled: ${text}`);
    const details =
      `${text}. The block is downsampled no more, and kept beyond its retention. Upload it anew from where it was made, or ` +
      "mend it with «tools bucket verify --repair», then delete this mark; or delete the block.";
    await quarantine(ctx, "no-downsample", meta.ulid, {reason: QUARANTINE_REASON.corrupt, details}, signal);
  } else if (result.meta === undefined) {
    const details = "No series has any sample but stale markers: there is nothing to downsample.";
    await quarantine(ctx, "no-downsample", meta.ulid, {reason: QUARANTINE_REASON.empty, details}, signal);
  } else {
    await uploadVerified(ctx, made, signal);
    logger.info("uploaded downsampled block", {block: ulid, source: meta.ulid, resolution: to});
  }
  await rm(dir, {recursive: true, force: true});
  await rm(made, {recursive: true, force: true});
  stop();
  return result.kind === "written" && result.meta !== undefined;
}
