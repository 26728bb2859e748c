import {open, rename, rm} from "node:fs/promises";
import {join} from "node:path";
import {StrataError} from "@strata/base";
import {indexHealth, META_FILE, segmentFiles} from "@strata/block";
import {type BlockMeta, EMPTY_THANOS_META, encodeBlockMeta, TOMBSTONES_FILE} from "@strata/tsdb/blocks";

export type CompleteOptions = {
  /** Whose counts of float and histogram samples the block keeps: downsampling has none of its own. */
  readonly statsOf?: BlockMeta | undefined;
  /** Does not hold chunks against the block's times. */
  readonly anyTimes?: boolean | undefined;
  /** Takes the index as it is (`--debug.accept-malformed-index`). */
  readonly acceptMalformed?: boolean | undefined;
};

/**
 * Reads back the index of the block just written below `parent` and puts what was found into its meta.json: segment files
 * and sizes. Takes the empty tombstones file away, which buckets do not have. Throws `corrupt` where the index is not
 * healthy.
 */
export async function completeBlock(
  parent: string,
  meta: BlockMeta,
  options: CompleteOptions = {},
): Promise<BlockMeta> {
  const dir = join(parent, meta.ulid);
  const times =
    options.anyTimes === true
      ? ([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const)
      : ([meta.minTime, meta.maxTime] as const);
  const health = await indexHealth(dir, ...times);
  if (health.anyError !== undefined && options.acceptMalformed !== true) {
    throw new StrataError("corrupt", `invalid result block ${dir}: ${health.anyError}`, {
      fields: {class: "result-unhealthy"},
    });
  }
  const thanos = meta.thanos ?? EMPTY_THANOS_META;
  const {numFloatSamples, numHistogramSamples} = (options.statsOf ?? meta).stats;
  const complete: BlockMeta = {
    ...meta,
    stats: {...meta.stats, numFloatSamples, numHistogramSamples},
    thanos: {
      ...thanos,
      segmentFiles: await segmentFiles(dir),
      // Compat: without two series or three chunks there is no size to see, and what was there before stays.
      seriesMaxSize: health.seriesSize.max > 0 ? health.seriesSize.max : thanos.seriesMaxSize,
      chunkMaxSize: health.chunkSize.max > 0 ? health.chunkSize.max : thanos.chunkMaxSize,
    },
  };
  await rm(join(dir, TOMBSTONES_FILE), {force: true});
  await replaceFile(join(dir, META_FILE), encodeBlockMeta(complete));
  return complete;
}

/** Writes a file so that a crash leaves either the old or the new content. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const tmp = `${path}.tmp`;
  const handle = await open(tmp, "w");
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(tmp, path);
}
