import {encodeXorChunks} from "@strata/chunkenc";
import {Labels} from "@strata/model";
import {BlockWriter, EMPTY_THANOS_META} from "@strata/tsdb";

/** Length of a block, ms. */
export const BLOCK_MS = 7_200_000;
const STEP_MS = 30_000;
/** Samples of each series in a block, and in each of its chunks. */
export const PER_BLOCK: number = BLOCK_MS / STEP_MS;
export const PER_CHUNK = 120;
/** Values of the label `n`, one a series of the metric `m`. */
export const SERIES = ["a", "b", "c"] as const;

/** Writes a block with external labels into a bucket's directory: three series over [start, start + BLOCK_MS), ms. */
export async function writeSmallBlock(bucket: string, ulid: string, start: number, cluster = "c"): Promise<void> {
  const writer = await BlockWriter.create(bucket, {ulid});
  for (const [i, n] of SERIES.entries()) {
    const t = Float64Array.from({length: PER_BLOCK}, (_, k) => start + 13 + 1000 * i + k * STEP_MS);
    const v = Float64Array.from({length: PER_BLOCK}, (_, k) => k * 1.5 + i);
    writer.startSeries(Labels.fromObject({__name__: "m", n}));
    const chunks = encodeXorChunks({t, v, st: undefined, n: PER_BLOCK}, 0, PER_BLOCK, PER_CHUNK);
    for (const c of chunks) await writer.addChunk(c.mint, c.maxt, c.encoding, c.data);
    await writer.endSeries();
  }
  await writer.finish({
    minTime: start,
    maxTime: start + BLOCK_MS,
    thanos: {...EMPTY_THANOS_META, labels: {cluster}, source: "test", segmentFiles: ["000001"]},
  });
}
