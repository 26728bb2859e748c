import {resolutionOf} from "@strata/block";
import {formatGoDuration, formatRfc3339} from "@strata/model";
import type {BlockMeta} from "@strata/tsdb/blocks";
import type {BlocksPlan, PlannedCompaction, PlannedDeletion, PlannedGroup, PlannedMark} from "@strata/web";
import type {BucketState} from "./bucket/bucket-sync.ts";
import {isLastCopy} from "./bucket/cleaner.ts";
import {CoarserData} from "./bucket/coarser-data.ts";
import {DELETE_DETAILS} from "./bucket/marks.ts";
import {awaitedResolution, isExpired, type Retention, retentionOf} from "./bucket/retention.ts";
import {DOWNSAMPLE_RANGE, RESOLUTION} from "./downsample/resolution.ts";
import {blocksToDownsample, type DownsampleTask} from "./downsample-bucket.ts";
import {type Group, groupBlocks} from "./plan/groups.ts";
import {mergedMeta, type PlayOptions, remainingSteps, type Step} from "./plan/simulate.ts";

export type BlocksPlanOptions = PlayOptions & {
  readonly replicaLabels: readonly string[];
  readonly downsampling: boolean;
  readonly retention: Retention;
  readonly deleteDelayMs: number;
};

/** What the compactor is going to do with the blocks of `state`, and why, for the page of blocks. */
export function blocksPlan(state: BucketState, options: BlocksPlanOptions, now: number): BlocksPlan {
  const {levels, vertical, replicaLabels, downsampling, retention, deleteDelayMs: deleteDelay} = options;
  const tasks = new Map<string, DownsampleTask>();
  if (downsampling) for (const task of blocksToDownsample(state, retention, now)) tasks.set(task.meta.ulid, task);
  return {
    settings: {levels, vertical, replicaLabels, downsampling, retention, deleteDelay},
    groups: groupBlocks(state.metas.values()).map((group) => planGroup(group, state, tasks, options)),
    deletions: [...markedForDeletion(state, options, now), ...beyondRetention(state, options, now)].sort(
      (a, b) => a.at - b.at || (a.block < b.block ? -1 : 1),
    ),
    marks: allMarks(state),
  };
}

function planGroup(
  group: Group,
  state: BucketState,
  tasks: ReadonlyMap<string, DownsampleTask>,
  options: PlayOptions,
): PlannedGroup {
  const {key, labels, resolution, metas} = group;
  const members = new Members();
  const compactions: PlannedCompaction[] = [];
  const steps = remainingSteps(metas, state.noCompact.keys(), options);
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) {
    compactions.push(planned(step.value, members, whyStep(step.value, options.levels)));
    if (step.value.action === "merge") members.merge(step.value.plan);
  }
  const {metas: left, excluded} = step.value;
  return {
    key,
    labels: labels.toObject(),
    resolution,
    blocks: metas.length,
    minTime: Math.min(...metas.map(({minTime}) => minTime)),
    maxTime: Math.max(...metas.map(({maxTime}) => maxTime)),
    samples: samplesOf(metas),
    compactions,
    waiting: waitingFor(left, excluded, members, options),
    downsamplings: metas.flatMap(({ulid, stats}) => {
      const task = tasks.get(ulid);
      return task === undefined
        ? []
        : [{block: ulid, to: task.to, samples: stats.numSamples, why: whyDownsample(task)}];
    }),
  };
}

/** Which blocks of the bucket a block of the play consists of. */
class Members {
  readonly #blocks = new Map<string, readonly string[]>();

  of(plan: readonly BlockMeta[]): string[] {
    return plan.flatMap(({ulid}) => this.#blocks.get(ulid) ?? [ulid]);
  }

  merge(plan: readonly BlockMeta[]): void {
    this.#blocks.set(mergedMeta(plan).ulid, this.of(plan));
  }
}

function planned({action, reason, plan}: Step, members: Members, why: string): PlannedCompaction {
  const {minTime, maxTime, stats, compaction} = mergedMeta(plan);
  const {level} = compaction;
  return {action, reason, blocks: members.of(plan), minTime, maxTime, level, samples: stats.numSamples, why};
}

function whyStep({action, reason, plan}: Step, levels: readonly number[]): string {
  if (action === "set-aside") {
    return resolutionOf(plan[0] as BlockMeta) > 0
      ? "The blocks overlap and are downsampled already, so that they cannot be merged: they get a no-compact mark."
      : "The blocks overlap, and merging of overlapping blocks is off: they get a no-compact mark.";
  }
  if (reason === "overlap") return "The blocks overlap in time: they are merged first.";
  if (reason === "tombstones") return "Many series of the block are deleted: it is written anew without them.";
  const {range, start} = rangeOf(plan, levels);
  return `The ${length(range)} from ${formatRfc3339(start)} are complete.`;
}

/** The merge that comes once there are blocks newer than all; null where none would come even then. */
function waitingFor(
  metas: readonly BlockMeta[],
  excluded: ReadonlySet<string>,
  members: Members,
  options: PlayOptions,
): PlannedCompaction | null {
  const newest = metas.at(-1);
  if (newest === undefined) return null;
  const later = {...newest, ulid: "", minTime: Number.MAX_SAFE_INTEGER, maxTime: Number.MAX_SAFE_INTEGER};
  // The newest block is left alone, and a range that is not full waits for one more.
  const step = remainingSteps([...metas, later, later], excluded, options).next();
  if (step.done === true || step.value.action !== "merge") return null;
  const {range, start} = rangeOf(step.value.plan, options.levels);
  const end = formatRfc3339(start + range);
  const why = `The ${length(range)} up to ${end} may still fill: they are merged once newer blocks are there.`;
  return planned(step.value, members, why);
}

/** The aligned range that a plan fills: the shortest one that holds all its blocks. */
function rangeOf(plan: readonly BlockMeta[], levels: readonly number[]): {range: number; start: number} {
  const {minTime, maxTime} = mergedMeta(plan);
  for (const range of levels.slice(1)) {
    const start = Math.floor(minTime / range) * range;
    if (maxTime <= start + range) return {range, start};
  }
  return {range: maxTime - minTime, start: minTime};
}

function whyDownsample({meta}: DownsampleTask): string {
  const span = meta.maxTime - meta.minTime;
  const least = resolutionOf(meta) === RESOLUTION.raw ? DOWNSAMPLE_RANGE.raw : DOWNSAMPLE_RANGE.fiveMinutes;
  return span >= least
    ? `The block spans ${length(span)}, ${length(least)} are enough, and its coarser block is missing.`
    : "The block is beyond its retention and its coarser block is missing: it must not be lost.";
}

function markedForDeletion(state: BucketState, options: BlocksPlanOptions, now: number): PlannedDeletion[] {
  return [...state.deletionMarks].map(([ulid, {time, details}]) => {
    const meta = state.all.get(ulid);
    const last = meta !== undefined && isLastCopy(meta, details, state, options.retention, now);
    return {
      block: ulid,
      resolution: meta === undefined ? 0 : resolutionOf(meta),
      reason: "marked",
      at: time * 1000 + options.deleteDelayMs,
      why: details,
      held: last ? "No other block holds its data any more: remove the mark, or delete the block by hand." : null,
    };
  });
}

function beyondRetention(state: BucketState, options: BlocksPlanOptions, now: number): PlannedDeletion[] {
  const coarser = new CoarserData(state);
  const found: PlannedDeletion[] = [];
  for (const meta of state.metas.values()) {
    if (!isExpired(meta, options.retention, now) || state.deletionMarks.has(meta.ulid)) continue;
    const resolution = resolutionOf(meta);
    const awaited = awaitedResolution(meta, state, options, now);
    found.push({
      block: meta.ulid,
      resolution,
      reason: "retention",
      at: now + options.deleteDelayMs,
      why: DELETE_DETAILS.retention(formatGoDuration(retentionOf(resolution, options.retention))),
      held: (awaited !== undefined && coarser.missingSource(meta, awaited)) || null,
    });
  }
  return found;
}

function allMarks(state: BucketState): PlannedMark[] {
  const of = (kind: PlannedMark["kind"], marks: BucketState["noCompact"]): PlannedMark[] =>
    [...marks].map(([block, {reason, details, time}]) => ({block, kind, reason, details, time: time * 1000}));
  return [
    ...of("deletion", state.deletionMarks),
    ...of("no-compact", state.noCompact),
    ...of("no-downsample", state.noDownsample),
  ].sort((a, b) => (a.block < b.block ? -1 : a.block > b.block ? 1 : 0));
}

const samplesOf = (metas: readonly BlockMeta[]): number => metas.reduce((sum, {stats}) => sum + stats.numSamples, 0);

/** A duration as people write lengths of blocks: `2 h`, `14 d`. */
function length(ms: number): string {
  const hours = ms / HOUR_MS;
  return hours >= 48 && hours % 24 === 0 ? `${hours / 24} d` : `${Number(hours.toFixed(1))} h`;
}

const HOUR_MS = 3_600_000;
