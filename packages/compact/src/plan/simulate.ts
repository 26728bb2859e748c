import {resolutionOf} from "@strata/block";
import type {BlockMeta} from "@strata/tsdb/blocks";
import {overlappingBlocks, planCompaction} from "./planner.ts";

/**
 * What merging a plan would give, for reckoning what is still to do: times, level and sources; the id is that of the first
 * block.
 */
export function mergedMeta(plan: readonly BlockMeta[]): BlockMeta {
  const first = plan[0] as BlockMeta;
  return {
    ...first,
    minTime: Math.min(...plan.map(({minTime}) => minTime)),
    maxTime: Math.max(...plan.map(({maxTime}) => maxTime)),
    stats: {
      ...first.stats,
      numSamples: plan.reduce((sum, {stats}) => sum + stats.numSamples, 0),
      numSeries: Math.max(...plan.map(({stats}) => stats.numSeries)),
      numTombstones: 0,
    },
    compaction: {
      ...first.compaction,
      level: Math.max(...plan.map(({compaction}) => compaction.level)) + 1,
      sources: [...new Set(plan.flatMap(({compaction}) => compaction.sources))].sort(),
    },
  };
}

/** The group's blocks once a plan is merged, ascending by minTime. */
export const afterMerge = (metas: readonly BlockMeta[], plan: readonly BlockMeta[]): BlockMeta[] =>
  [...metas.filter((meta) => !plan.includes(meta)), mergedMeta(plan)].sort((a, b) => a.minTime - b.minTime);

/** What a group will do next: merge some blocks, or set them aside because they overlap and must not be merged. */
export type Step = {
  readonly action: "merge" | "set-aside";
  readonly reason: "overlap" | "range" | "tombstones";
  readonly plan: readonly BlockMeta[];
};

/** How blocks of one group are played through. */
export type PlayOptions = {
  readonly levels: readonly number[];
  /** Whether overlapping blocks are merged. */
  readonly vertical: boolean;
};

/**
 * Plays a group through until nothing is left to do, as if every merge went well. A merged block goes on under the id of
 * its first one. Returns the blocks that there are in the end, and the ids of those that are left out.
 */
export function* remainingSteps(
  metas: readonly BlockMeta[],
  excluded: Iterable<string>,
  {levels, vertical}: PlayOptions,
): Generator<Step, {readonly metas: readonly BlockMeta[]; readonly excluded: ReadonlySet<string>}> {
  const out = new Set(excluded);
  let left = metas;
  while (left.length > 1) {
    const plan = planCompaction(left, out, levels);
    if (plan.length === 0) break;
    const overlap = overlappingBlocks(plan).length > 0;
    // Blocks that were downsampled apart cannot be merged where they overlap.
    const aside = overlap ? (vertical ? plan.filter((meta) => resolutionOf(meta) > 0) : plan) : [];
    if (aside.length > 0) {
      for (const {ulid} of aside) out.add(ulid);
      yield {action: "set-aside", reason: "overlap", plan: aside};
      continue;
    }
    const reason = overlap ? "overlap" : plan.length > 1 ? "range" : "tombstones";
    yield {action: "merge", reason, plan};
    // A single block is rewritten for its deletions, after which there are none.
    left = afterMerge(left, plan);
  }
  return {metas: left, excluded: out};
}
