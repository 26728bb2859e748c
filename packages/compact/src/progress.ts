import type {BlockMeta} from "@strata/tsdb/blocks";
import type {BucketState} from "./bucket/bucket-sync.ts";
import {isExpired, type Retention} from "./bucket/retention.ts";
import {blocksToDownsample} from "./downsample-bucket.ts";
import type {BACKLOGS, CompactMetrics} from "./metrics.ts";
import {groupBlocks} from "./plan/groups.ts";
import {type PlayOptions, remainingSteps} from "./plan/simulate.ts";

const HOUR_MS = 3_600_000;

export type ProgressOptions = PlayOptions & {
  readonly downsampling: boolean;
  readonly retention: Retention;
};

/** Work of one kind: how many steps and blocks, and how much data waits for it. */
type Backlog = {readonly steps: number; readonly blocks: number; readonly samples: number; readonly hours: number};

/**
 * Reckons what is still to do and shows it. Merges are played through until nothing is left to merge. Samples and hours
 * are those of the blocks that wait now, so that a compactor that falls behind is seen as such.
 */
export function showProgress(metrics: CompactMetrics, state: BucketState, options: ProgressOptions, now: number): void {
  const merging = mergeBacklog(state, options);
  metrics.todoCompactions.set(merging.steps);
  metrics.todoCompactionBlocks.set(merging.blocks);
  show(metrics, "compaction", merging);
  const tasks = options.downsampling ? blocksToDownsample(state, options.retention, now) : [];
  const downsampling = backlogOf(tasks.map(({meta}) => meta));
  metrics.todoDownsampleBlocks.set(downsampling.blocks);
  show(metrics, "downsampling", downsampling);
  const expired = [...state.metas.values()].filter(
    (meta) => isExpired(meta, options.retention, now) && !state.deletionMarks.has(meta.ulid),
  );
  metrics.todoDeletionBlocks.set(expired.length);
  show(metrics, "retention", backlogOf(expired));
}

function mergeBacklog(state: BucketState, options: PlayOptions): Backlog {
  let steps = 0;
  let blocks = 0;
  const waiting = new Set<BlockMeta>();
  for (const group of groupBlocks(state.metas.values())) {
    for (const {action, plan} of remainingSteps(group.metas, state.noCompact.keys(), options)) {
      if (action === "set-aside") continue;
      steps++;
      blocks += plan.length;
      for (const meta of plan) if (state.metas.get(meta.ulid) === meta) waiting.add(meta);
    }
  }
  return {...backlogOf([...waiting]), steps, blocks};
}

const backlogOf = (metas: readonly BlockMeta[]): Backlog => ({
  steps: metas.length,
  blocks: metas.length,
  samples: metas.reduce((sum, {stats}) => sum + stats.numSamples, 0),
  hours: metas.reduce((sum, {minTime, maxTime}) => sum + (maxTime - minTime) / HOUR_MS, 0),
});

function show(metrics: CompactMetrics, work: (typeof BACKLOGS)[number], {samples, hours}: Backlog): void {
  metrics.backlogSamples.with({work}).set(samples);
  metrics.backlogHours.with({work}).set(hours);
}
