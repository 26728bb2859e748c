import {mkdir, statfs} from "node:fs/promises";
import type {BlockMeta} from "@strata/tsdb/blocks";

/** Bytes of a sample and of a series where meta.json does not say how large a block is: more than most have. */
const SAMPLE_BYTES = 4;
const SERIES_BYTES = 1024;

/**
 * Whether the disk below `dir` takes the blocks of several plans at once: what is merged, and what comes out. A file system
 * that does not tell is taken for full.
 */
export async function hasRoom(dir: string, blocks: readonly BlockMeta[]): Promise<boolean> {
  await mkdir(dir, {recursive: true});
  const {bavail, bsize} = await statfs(dir).catch(() => ({bavail: 0, bsize: 0}));
  const bytes = blocks.reduce((sum, meta) => sum + sizeOf(meta), 0);
  return 2 * bytes <= bavail * bsize;
}

function sizeOf({thanos, stats}: BlockMeta): number {
  const listed = (thanos?.files ?? []).reduce((sum, {sizeBytes}) => sum + sizeBytes, 0);
  return listed > 0 ? listed : stats.numSamples * SAMPLE_BYTES + stats.numSeries * SERIES_BYTES;
}
