import {INDEX_FILE, resolutionOf} from "@strata/block";
import type {BlockMeta} from "@strata/tsdb/blocks";
import {overlappingBlocks, planCompaction} from "./planner.ts";

/** A block to be left out of compaction from now on. */
export type Exclusion = {readonly ulid: string; readonly reason: string; readonly details: string};

export type LimitedPlan = {readonly plan: readonly BlockMeta[]; readonly exclusions: readonly Exclusion[]};

export type PlanLimits = {
  readonly levels: readonly number[];
  /** Bytes that the indexes of one plan may have together; 0 for no limit. */
  readonly maxIndexBytes: number;
  /** Whether overlapping blocks are merged: then downsampled ones among them are excluded, as they cannot be. */
  readonly vertical: boolean;
  /** Size of a block's index where its meta.json does not tell. */
  readonly indexBytes: (meta: BlockMeta) => Promise<number>;
};

/** Reasons of no-compact marks, as the original writes them. */
export const EXCLUDE_REASON = {
  indexSize: "index-size-exceeding",
  outOfOrder: "block-index-out-of-order-chunk",
  downsampledOverlap: "downsample-vertical-compaction",
} as const;

/** Part of the limit that a plan may come near to. */
const INDEX_SHARE = 0.85;

/**
 * Plans until the plan is within the limits; each time it is not, the block that is to blame is excluded. Compat: what was
 * excluded for its index does not count while downsampled blocks are looked for.
 */
export async function planWithin(
  metas: readonly BlockMeta[],
  excluded: ReadonlySet<string>,
  limits: PlanLimits,
): Promise<LimitedPlan> {
  const exclusions = new Map<string, Exclusion>();
  const downsampled = new Set(excluded);
  for (;;) {
    const plan = await planByIndexSize(metas, downsampled, limits, exclusions);
    if (!limits.vertical || overlappingBlocks(plan).length === 0) return {plan, exclusions: [...exclusions.values()]};
    const found = plan.filter((meta) => resolutionOf(meta) > 0);
    if (found.length === 0) return {plan, exclusions: [...exclusions.values()]};
    for (const {ulid} of found) {
      downsampled.add(ulid);
      exclusions.set(ulid, {
        ulid,
        reason: EXCLUDE_REASON.downsampledOverlap,
        details:
          "verticalCompactionDownsampleFilter: Downsampled block, see https://github.com/thanos-io/thanos/issues/6775",
      });
    }
  }
}

async function planByIndexSize(
  metas: readonly BlockMeta[],
  excluded: ReadonlySet<string>,
  {levels, maxIndexBytes, indexBytes}: PlanLimits,
  exclusions: Map<string, Exclusion>,
): Promise<readonly BlockMeta[]> {
  const limit = Math.trunc(maxIndexBytes * INDEX_SHARE);
  const out = new Set(excluded);
  for (;;) {
    const plan = planCompaction(metas, out, levels);
    if (maxIndexBytes <= 0) return plan;
    const biggest = await exceeding(plan, limit, indexBytes);
    if (biggest === undefined) return plan;
    out.add(biggest);
    exclusions.set(biggest, {
      ulid: biggest,
      reason: EXCLUDE_REASON.indexSize,
      details: `largeTotalIndexSizeFilter: Total compacted block's index size could exceed: ${maxIndexBytes} with this block. See https://github.com/thanos-io/thanos/issues/1424`,
    });
  }
}

/** Where the sum over the plan, in order, reaches the limit: the block with the biggest index up to there. */
async function exceeding(
  plan: readonly BlockMeta[],
  limit: number,
  indexBytes: (meta: BlockMeta) => Promise<number>,
): Promise<string | undefined> {
  let total = 0;
  let most = Number.NEGATIVE_INFINITY;
  let biggest: string | undefined;
  for (const meta of plan) {
    const listed = meta.thanos?.files.find(({relPath}) => relPath === INDEX_FILE)?.sizeBytes ?? 0;
    const size = listed > 0 ? listed : await indexBytes(meta);
    if (size > most) {
      most = size;
      biggest = meta.ulid;
    }
    total += size;
    if (total >= limit) return biggest;
  }
  return undefined;
}
