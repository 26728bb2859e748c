import type {BlockMeta} from "@strata/tsdb";

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
