import {
  applyRetention,
  type BucketState,
  BucketSync,
  compactMetrics,
  deleteMarked,
  deletePartialUploads,
} from "@strata/compact";
import type {RelabelConfig} from "@strata/model";
import {newRegistry} from "@strata/telemetry";
import {bucketCleanupFlags, bucketRetentionFlags} from "../flags/tools.ts";
import {selectorRules} from "../selector-rules.ts";
import {type BucketWork, bucketTool} from "./tools-bucket-blocks.ts";
import type {CommandModule} from "./tree.ts";

type SweepFlags = {
  readonly "delete-delay": number;
  readonly "consistency-delay": number;
  readonly "block-sync-concurrency": number;
};

/** Nothing is kept for ever here: what a mark says is done, whatever the resolution. */
const NO_RETENTION = {raw: 0, fiveMinutes: 0, oneHour: 0};

export const bucketCleanup: CommandModule = bucketTool(bucketCleanupFlags, async ({flags}, work) => {
  const state = await look(work, flags, await selectorRules(flags["selector.relabel-config"]));
  const ctx = contextOf(work);
  const deleteDelayMs = flags["delete-delay"];
  await deletePartialUploads(ctx, state.partial, {deleteDelayMs}, work.signal);
  const deleted = await deleteMarked(ctx, state, {deleteDelayMs, retention: NO_RETENTION}, work.signal);
  work.log.info("cleanup done", {deleted});
});

export const bucketRetention: CommandModule = bucketTool(bucketRetentionFlags, async ({flags}, work) => {
  const retention = {
    raw: flags["retention.resolution-raw"],
    fiveMinutes: flags["retention.resolution-5m"],
    oneHour: flags["retention.resolution-1h"],
  };
  for (const [resolution, ms] of Object.entries(retention)) {
    if (ms > 0) work.log.info("retention policy is enabled", {resolution, days: ms / 86_400_000});
  }
  const state = await look(work, flags, await selectorRules(flags["selector.relabel-config"]));
  const marked = await applyRetention(contextOf(work), state, {retention, downsampling: true}, work.signal);
  work.log.info("retention applied", {marked});
});

const contextOf = ({bucket, log: logger}: BucketWork) => ({
  bucket,
  logger,
  metrics: compactMetrics(newRegistry()),
  now: Date.now,
});

/** The bucket as the compactor sees it. */
function look(
  {bucket, log, signal}: BucketWork,
  flags: SweepFlags,
  relabel: readonly RelabelConfig[],
): Promise<BucketState> {
  const sync = new BucketSync({
    bucket,
    strategy: "concurrent",
    metaConcurrency: flags["block-sync-concurrency"],
    minTime: () => Number.NEGATIVE_INFINITY,
    maxTime: () => Number.POSITIVE_INFINITY,
    relabel,
    replicaLabels: [],
    consistencyDelayMs: flags["consistency-delay"],
    deleteDelayMs: flags["delete-delay"],
    logger: log,
    registry: newRegistry(),
    now: Date.now,
  });
  return sync.sync(signal);
}
