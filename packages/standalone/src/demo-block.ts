import {ENCODING, encodeXorChunks, type FloatColumns, newFloatColumns} from "@strata/chunkenc";
import {targetChunks} from "@strata/compact";
import {FloatDownsampler, KernelArena, kernel} from "@strata/kernels";
import {newUlid} from "@strata/model";
import {type BlockMeta, BlockWriter, EMPTY_THANOS_META} from "@strata/tsdb";
import {DEMO_EXTERNAL_LABELS, DEMO_STEP_MS, DEMO_YEAR_MS, type DemoSeries} from "./demo-series.ts";

export type DemoBlock = {
  /** ms, [from, to). */
  readonly from: number;
  readonly to: number;
  /** ms between samples. */
  readonly step: number;
  /** How often it would have been merged, had it come by itself. */
  readonly level: number;
  /** End of the whole history, ms: ages of series count from there. */
  readonly end: number;
};

/**
 * Writes the same made-up samples of `series`, which are in the order of their labels, below `dir` once for each resolution
 * (ms, 0 for raw), as blocks that name the same sources.
 */
export async function writeDemoBlocks(
  dir: string,
  series: readonly DemoSeries[],
  {from, to, step, level, end}: DemoBlock,
  resolutions: readonly number[],
): Promise<BlockMeta[]> {
  const columns = newFloatColumns(Math.ceil((to - from) / step));
  using arena = new KernelArena("demo history");
  const outs: Output[] = [];
  try {
    for (const resolution of resolutions) outs.push(await Output.create(dir, to, resolution, arena, columns.t.length));
    for (const [index, one] of series.entries()) {
      // Targets are not scraped all at once.
      const first = from + ((index * 37) % DEMO_STEP_MS);
      const skipped = Math.max(0, Math.ceil((end - one.age * DEMO_YEAR_MS - first) / step));
      const start = first + skipped * step;
      columns.n = Math.max(0, Math.ceil((to - start) / step));
      if (columns.n === 0) continue;
      for (let i = 0; i < columns.n; i++) columns.t[i] = start + i * step;
      one.fill(start, step, columns.v.subarray(0, columns.n));
      for (const out of outs) await out.add(one, columns);
    }
    const sources = outs.slice(0, 1).map(({ulid}) => ulid);
    const metas: BlockMeta[] = [];
    for (const out of outs) metas.push(...(await out.finish({from, to, level, sources})));
    return metas;
  } finally {
    for (const out of outs) await out.abort();
  }
}

/** One block at one resolution. */
class Output {
  readonly #writer: BlockWriter;
  readonly #resolution: number;
  readonly #downsampler: FloatDownsampler | undefined;
  readonly #t: number;
  readonly #v: number;

  private constructor(writer: BlockWriter, resolution: number, arena: KernelArena, room: number) {
    this.#writer = writer;
    this.#resolution = resolution;
    const isRaw = resolution === 0;
    this.#downsampler = isRaw ? undefined : new FloatDownsampler(kernel(), arena, resolution);
    this.#t = isRaw ? 0 : arena.alloc(8 * room);
    this.#v = isRaw ? 0 : arena.alloc(8 * room);
  }

  static async create(dir: string, t: number, resolution: number, arena: KernelArena, room: number): Promise<Output> {
    return new Output(await BlockWriter.create(dir, {ulid: newUlid(t)}), resolution, arena, room);
  }

  get ulid(): string {
    return this.#writer.ulid;
  }

  async add({labels}: DemoSeries, columns: FloatColumns): Promise<void> {
    const writer = this.#writer;
    writer.startSeries(labels);
    if (this.#downsampler === undefined) {
      for (const c of encodeXorChunks(columns)) await writer.addChunk(c.mint, c.maxt, c.encoding, c.data);
    } else {
      for (const c of this.#aggregated(this.#downsampler, columns)) {
        await writer.addChunk(c.mint, c.maxt, ENCODING.aggregate, c.data);
      }
    }
    await writer.endSeries();
  }

  #aggregated(downsampler: FloatDownsampler, {t, v, n}: FloatColumns) {
    const out: {mint: number; maxt: number; data: Uint8Array}[] = [];
    const emit = (mint: number, maxt: number, _: number, data: Uint8Array): void => void out.push({mint, maxt, data});
    const f64 = kernel().f64();
    f64.set(t.subarray(0, n), this.#t / 8);
    f64.set(v.subarray(0, n), this.#v / 8);
    const chunks = targetChunks(t[0] as number, t[n - 1] as number, 0, this.#resolution, n);
    downsampler.begin(Math.trunc(n / chunks) + 1);
    downsampler.push(this.#t, this.#v, n, emit);
    downsampler.end(emit);
    return out;
  }

  /** Nothing where no series was there yet. */
  async finish(about: {from: number; to: number; level: number; sources: readonly string[]}): Promise<BlockMeta[]> {
    const {from, to, level, sources} = about;
    const meta = await this.#writer.finish({
      minTime: from,
      maxTime: to,
      compaction: {level, sources, deletable: false, parents: [], failed: false, hints: []},
      thanos: {
        ...EMPTY_THANOS_META,
        version: 1,
        labels: DEMO_EXTERNAL_LABELS.toObject(),
        resolution: this.#resolution,
        source: level === 1 ? "sidecar" : "compactor",
      },
    });
    return meta === undefined ? [] : [meta];
  }

  abort(): Promise<void> {
    return this.#writer.abort();
  }
}
