import type {BlockMeta} from "@strata/tsdb/blocks";

const HOUR_MS = 3_600_000;

/** ms; block lengths from the finest to the coarsest. The first is never aimed at, only what Prometheus writes. */
export const COMPACTION_LEVELS: readonly number[] = [1, 2, 8, 48, 336].map((hours) => hours * HOUR_MS);

/** Deleted series, as a part of all, from which on a block is rewritten alone. */
const TOMBSTONE_SHARE = 0.05;

/**
 * Which blocks of one group to merge next, [] for none. `metas` ascend by minTime; `excluded` are blocks with a no-compact
 * mark. Blocks that overlap go first. Else the first time range of the finest level that is complete, or has no newer
 * block to wait for; the newest block is left alone, because its range may still fill. Excluded blocks split a range.
 */
export function planCompaction(
  metas: readonly BlockMeta[],
  excluded: ReadonlySet<string>,
  levels: readonly number[] = COMPACTION_LEVELS,
): readonly BlockMeta[] {
  const newest = metas.at(-1);
  if (newest === undefined) return [];
  const free = metas.filter(({ulid}) => !excluded.has(ulid));
  const overlapping = overlappingBlocks(free);
  if (overlapping.length > 0) return overlapping;
  const older = metas.slice(0, -1);
  const range = firstRange(older, excluded, levels);
  if (range.length > 0) return range;
  return mostlyDeleted(excluded.has(newest.ulid) ? free : free.slice(0, -1), levels);
}

/** The first run of blocks that overlap one another; metas ascend by minTime. */
export function overlappingBlocks(metas: readonly BlockMeta[]): readonly BlockMeta[] {
  const found: BlockMeta[] = [];
  let end = metas[0]?.maxTime ?? 0;
  for (let i = 1; i < metas.length; i++) {
    const meta = metas[i] as BlockMeta;
    if (meta.minTime < end) {
      // Compat: the block just before goes in, which need not be the one that reaches so far.
      if (found.length === 0) found.push(metas[i - 1] as BlockMeta);
      found.push(meta);
    } else if (found.length > 0) {
      break;
    }
    end = Math.max(end, meta.maxTime);
  }
  return found;
}

function firstRange(
  metas: readonly BlockMeta[],
  excluded: ReadonlySet<string>,
  levels: readonly number[],
): readonly BlockMeta[] {
  const newest = metas.at(-1);
  if (newest === undefined) return [];
  for (const range of levels.slice(1)) {
    for (const part of splitByRange(metas, range)) {
      const first = part[0] as BlockMeta;
      const last = part.at(-1) as BlockMeta;
      if (part.length < 2 || part.some((meta) => meta.compaction.failed)) continue;
      if (last.maxTime - first.minTime !== range && last.maxTime > newest.minTime) continue;
      const run = firstRunOfTwo(part, excluded);
      if (run.length > 0) return run;
    }
  }
  return [];
}

/** The first run of at least two blocks between excluded ones. */
function firstRunOfTwo(part: readonly BlockMeta[], excluded: ReadonlySet<string>): readonly BlockMeta[] {
  let run: BlockMeta[] = [];
  for (const meta of part) {
    if (!excluded.has(meta.ulid)) run.push(meta);
    else if (run.length > 1) return run;
    else run = [];
  }
  return run.length > 1 ? run : [];
}

/** Blocks by aligned windows of `range` ms, those that reach over a window's end left out. */
function splitByRange(metas: readonly BlockMeta[], range: number): BlockMeta[][] {
  const parts: BlockMeta[][] = [];
  for (let i = 0; i < metas.length; ) {
    const {minTime} = metas[i] as BlockMeta;
    const end = Math.floor(minTime / range) * range + range;
    const part: BlockMeta[] = [];
    for (; i < metas.length && (metas[i] as BlockMeta).maxTime <= end; i++) part.push(metas[i] as BlockMeta);
    if (part.length > 0) parts.push(part);
    else i++;
  }
  return parts;
}

function mostlyDeleted(metas: readonly BlockMeta[], levels: readonly number[]): readonly BlockMeta[] {
  const least = levels[Math.trunc(levels.length / 2)] ?? 0;
  for (const meta of metas.toReversed()) {
    if (meta.maxTime - meta.minTime < least) break;
    if (meta.stats.numTombstones / (meta.stats.numSeries + 1) > TOMBSTONE_SHARE) return [meta];
  }
  return [];
}
