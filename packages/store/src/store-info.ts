import type {Labels} from "@strata/model";
import type {BlockSet} from "./block-set.ts";

/** A stretch of time that some blocks of one label set cover without a gap, ms. */
export type CoveredRange = {readonly labels: Labels; readonly minTime: number; readonly maxTime: number};

/** How a store gateway introduces itself. Without blocks minTime is Infinity and maxTime -Infinity. */
export type BucketStoreInfo = {
  readonly labelSets: readonly Labels[];
  readonly minTime: number;
  readonly maxTime: number;
  readonly ranges: readonly CoveredRange[];
};

/** What the blocks offer; times are cut to [minTime, maxTime] of the component's flags. */
export function storeInfo(sets: Iterable<BlockSet>, minTime: number, maxTime: number): BucketStoreInfo {
  const filled = [...sets].filter((set) => !set.empty);
  filled.sort((a, b) => (a.labels.toString() < b.labels.toString() ? -1 : 1));
  const ranges = filled.flatMap(coveredRanges);
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const range of ranges) {
    min = Math.min(min, range.minTime);
    max = Math.max(max, range.maxTime);
  }
  return {
    labelSets: filled.map((set) => set.labels),
    minTime: ranges.length === 0 ? min : Math.max(min, minTime),
    maxTime: ranges.length === 0 ? max : Math.min(max, maxTime),
    ranges,
  };
}

function coveredRanges(set: BlockSet): CoveredRange[] {
  const blocks = [...set].sort((a, b) => a.minTime - b.minTime);
  const out: {labels: Labels; minTime: number; maxTime: number}[] = [];
  for (const {minTime, maxTime} of blocks) {
    const last = out.at(-1);
    if (last !== undefined && minTime <= last.maxTime) last.maxTime = Math.max(last.maxTime, maxTime);
    else out.push({labels: set.labels, minTime, maxTime});
  }
  return out;
}
