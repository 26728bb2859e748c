import {StrataError} from "@strata/base";
import {ENCODING} from "@strata/chunkenc";
import {KernelArena} from "@strata/kernels";
import {
  BlockCursor,
  type BlockMeta,
  BlockReader,
  BlockWriter,
  EMPTY_THANOS_META,
  mergeSymbols,
  offsetOf,
  readBlockMeta,
  type StoredChunks,
  type SymbolMap,
  segmentOf,
} from "@strata/tsdb";
import {completeBlock} from "../complete-block.ts";
import {type AggregateChunk, aggregateChunk, downsampleAggregates} from "./aggregate-series.ts";
import {RawSeries} from "./raw-series.ts";
import {RESOLUTION} from "./resolution.ts";

export type DownsampleOptions = {
  readonly ulid?: string | undefined;
  /** External labels of the new block; those of the source by default. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
};

type Chunk = {readonly mint: number; readonly maxt: number; readonly data: Uint8Array};

/**
 * Downsamples the block directory `dir` to the next resolution (ms) into a new block below `parent`. One series is in
 * memory at a time, so memory does not grow with the block's length. The new meta.json is that of the source but for id,
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
    const everything = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
    const cursor = await BlockCursor.open(block, maps[0] as SymbolMap, ...everything);
    const {minTime, maxTime, compaction, thanos = EMPTY_THANOS_META} = source;
    await new Downsampling(block.dir, thanos.resolution, resolution, arena).run(cursor, writer, options.signal);
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

/** Goes through the series of one block. */
class Downsampling {
  readonly #dir: string;
  readonly #from: number;
  readonly #to: number;
  readonly #raw: RawSeries;
  /** What a raw chunk that lies in a downsampled block goes through first. */
  readonly #leftover: RawSeries | undefined;
  readonly #out: Chunk[] = [];

  constructor(dir: string, from: number, to: number, arena: KernelArena) {
    this.#dir = dir;
    this.#from = from;
    this.#to = to;
    this.#raw = new RawSeries(to, arena);
    this.#leftover = from === RESOLUTION.raw ? undefined : new RawSeries(from, arena);
  }

  async run(cursor: BlockCursor, writer: BlockWriter, signal: AbortSignal | undefined): Promise<void> {
    const out = this.#out;
    for (;;) {
      const more = cursor.next();
      if (!(typeof more === "boolean" ? more : await more)) return;
      signal?.throwIfAborted();
      out.length = 0;
      this.#series(cursor);
      if (out.length === 0) continue;
      writer.startSeriesByRefs(cursor.refs);
      for (const {mint, maxt, data} of out) {
        const wait = writer.addChunk(mint, maxt, ENCODING.aggregate, data);
        if (wait !== undefined) await wait;
      }
      const wait = writer.endSeries();
      if (wait !== undefined) await wait;
    }
  }

  #series(cursor: BlockCursor): void {
    const {chunks, from, to} = cursor;
    this.#checkOrder(chunks, from, to);
    const emit = (mint: number, maxt: number, data: Uint8Array): void => void this.#out.push({mint, maxt, data});
    if (this.#from === RESOLUTION.raw) this.#raw.downsample(chunks, from, to, emit);
    else downsampleAggregates(this.#aggregates(chunks, from, to), this.#from, this.#to, emit);
  }

  #aggregates(chunks: StoredChunks, from: number, to: number): AggregateChunk[] {
    const list: AggregateChunk[] = [];
    for (let i = from; i < to; i++) {
      const data = chunks.buffer[i] as Uint8Array;
      const at = (chunks.at[i] as number) + 1;
      const length = (chunks.end[i] as number) - at;
      const mint = chunks.mint[i] as number;
      const maxt = chunks.maxt[i] as number;
      if (data[at - 1] === ENCODING.aggregate) list.push(aggregateChunk(mint, maxt, data, at, length));
      else {
        // Compat: an old fault of the original left raw chunks, most of them empty, in downsampled blocks.
        const emit = (first: number, last: number, made: Uint8Array): void =>
          void list.push(aggregateChunk(first, last, made, 0, made.length));
        this.#leftover?.downsample(chunks, i, i + 1, emit);
      }
    }
    return list;
  }

  #checkOrder(chunks: StoredChunks, from: number, to: number): void {
    for (let i = from + 1; i < to; i++) {
      if ((chunks.mint[i] as number) > (chunks.maxt[i - 1] as number)) continue;
      const ref = chunks.ref[i] as number;
      throw new StrataError(
        "corrupt",
        `cannot downsample ${this.#dir}: chunk at ${offsetOf(ref)} of segment ${segmentOf(ref)} begins at ` +
          `${chunks.mint[i]}, before the one in front of it has ended (${chunks.maxt[i - 1]})`,
        {fields: {class: "chunk-out-of-order"}},
      );
    }
  }
}
