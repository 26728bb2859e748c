import {StrataError} from "@strata/base";
import {ENCODING} from "@strata/chunkenc";
import {KernelArena} from "@strata/kernels";
import {
  BlockCursor,
  type BlockMeta,
  BlockReader,
  BlockWriter,
  EMPTY_THANOS_META,
  INDEX_V2,
  mergeSymbols,
  readBlockMeta,
  type SymbolMap,
} from "@strata/tsdb/blocks";
import {completeBlock} from "../complete-block.ts";
import {SeriesDownsampler, type SeriesSink} from "./downsample-series.ts";
import {DownsampleThread, type ThreadTask} from "./downsample-thread.ts";
import {openPart} from "./open-part.ts";
import {RESOLUTION} from "./resolution.ts";
import {PartClaims, seriesOfPart} from "./shared-parts.ts";

export type DownsampleOptions = {
  readonly ulid?: string | undefined;
  /** External labels of the new block; those of the source by default. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Samples from which on a second thread takes half of the series; never by default. */
  readonly threadSamples?: number | undefined;
};

/** A thread's start pays from this many samples on. PERF: it takes 0.15 s of CPU, two million samples 0.05 s. */
export const THREAD_SAMPLES = 10_000_000;

/**
 * Downsamples the block directory `dir` to the next resolution (ms) into a new block below `parent`. One series a thread
 * is in memory at a time, so memory does not grow with the block's length. The new meta.json is that of the source but for id,
 * resolution, source and counts. Undefined when no series has anything left, and then nothing is written.
 */
export async function downsampleBlock(
  dir: string,
  parent: string,
  resolution: number,
  options: DownsampleOptions = {},
): Promise<BlockMeta | undefined> {
  const source = await readBlockMeta(dir);
  const from = source.thanos?.resolution ?? RESOLUTION.raw;
  if (from >= resolution) {
    throw new StrataError("bad_data", `cannot downsample ${dir} to ${resolution} ms: it has one of ${from} ms`);
  }
  const block = await BlockReader.open(dir);
  try {
    const meta = await writeDownsampled(block, source, parent, resolution, options);
    // Chunks that reach beyond the block's times do so in the source, which is for others to judge.
    return meta && (await completeBlock(parent, meta, {statsOf: source, anyTimes: true}));
  } finally {
    await block.close();
  }
}

async function writeDownsampled(
  block: BlockReader,
  source: BlockMeta,
  parent: string,
  resolution: number,
  options: DownsampleOptions,
): Promise<BlockMeta | undefined> {
  const {merged, maps} = mergeSymbols([block.index]);
  const writer = await BlockWriter.create(parent, {ulid: options.ulid, symbols: merged});
  const arena = new KernelArena("downsampling");
  try {
    const {minTime, maxTime, compaction, thanos = EMPTY_THANOS_META} = source;
    const task = {dir: block.dir, from: thanos.resolution, to: resolution};
    const downsampler = new SeriesDownsampler(block.dir, task.from, task.to, arena);
    const {threadSamples = Number.POSITIVE_INFINITY, signal} = options;
    if (block.index.version === INDEX_V2 && source.stats.numSamples >= threadSamples) {
      await withThread(block, source.stats.numSamples, task, downsampler, sinkOf(writer), signal);
    } else {
      const everything = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
      const cursor = await BlockCursor.open(block, maps[0] as SymbolMap, ...everything);
      await downsampler.run(cursor, sinkOf(writer), signal);
    }
    const labels = options.labels ?? thanos.labels;
    const section = {...thanos, labels, resolution, source: "compactor", files: [], segmentFiles: []};
    return await writer.finish({minTime, maxTime, compaction, thanos: section});
  } catch (err) {
    await writer.abort();
    throw err;
  } finally {
    arena.close();
  }
}

const sinkOf = (writer: BlockWriter): SeriesSink => ({
  start: (refs) => writer.startSeriesByRefs(refs),
  chunk: (mint, maxt, data) => writer.addChunk(mint, maxt, ENCODING.aggregate, data),
  end: () => writer.endSeries(),
});

/** Downsamples all series with a second thread, as `shared-parts.ts` describes it. */
async function withThread(
  block: BlockReader,
  samples: number,
  task: Pick<ThreadTask, "dir" | "from" | "to">,
  downsampler: SeriesDownsampler,
  sink: SeriesSink,
  signal: AbortSignal | undefined,
): Promise<void> {
  const ids = await block.index.all();
  const size = seriesOfPart(ids.length, samples);
  const claims = new PartClaims(Math.ceil(ids.length / size));
  const thread = new DownsampleThread({...task, seriesOfPart: size, claims: claims.memory});
  try {
    for (let part = 0; part < claims.parts; part++) {
      if (claims.claim(part)) await downsampler.run(await openPart(block, ids, part, size), sink, signal);
      else await thread.write(part, sink);
    }
  } finally {
    await thread.close();
  }
}
