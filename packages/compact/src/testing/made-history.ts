import {rmSync} from "node:fs";
import {join} from "node:path";
import {StrataError} from "@strata/base";
import {DELETION_MARK_FILE, downloadBlock, META_FILE, resolutionOf, uploadBlock} from "@strata/block";
import {
  AGGREGATES,
  appendFloatChunk,
  ENCODING,
  encodeFloatChunks,
  newFloatColumns,
  splitAggregates,
} from "@strata/chunkenc";
import {Labels, newUlid, parseUlid} from "@strata/model";
import type {Bucket} from "@strata/objstore";
import {type BlockMeta, BlockReader, BlockWriter, EMPTY_THANOS_META} from "@strata/tsdb";

/*
 * History whose every value follows from its time, so that whatever is read anywhere can be checked alone: a counter that
 * never falls, and a gauge.
 */
export const SERIES = 2;
export const seriesLabels = (i: number): Labels => Labels.fromObject({__name__: "made", series: String(i)});
export const truth = (series: number, t: number): number =>
  series === 0 ? Math.floor(t / 1000) : Math.floor(t / 60_000) % 97;

export type MadeBlock = {
  readonly ulid: string;
  /** ms; samples at mint + offset, one each step, below maxt. */
  readonly mint: number;
  readonly maxt: number;
  readonly step: number;
  readonly offset?: number | undefined;
  /** Times that the source missed. */
  readonly skip?: ((t: number) => boolean) | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
};

/** The times of a block's samples. */
export function timesOf({mint, maxt, step, offset = 0, skip = () => false}: MadeBlock): number[] {
  const times: number[] = [];
  for (let t = mint + offset; t < maxt; t += step) if (!skip(t)) times.push(t);
  return times;
}

/** Writes a block as a Prometheus would; undefined where it has no samples. */
export async function writeMade(parent: string, block: MadeBlock): Promise<BlockMeta | undefined> {
  const times = timesOf(block);
  const writer = await BlockWriter.create(parent, {ulid: block.ulid});
  for (let i = 0; i < SERIES && times.length > 0; i++) {
    writer.startSeries(seriesLabels(i));
    const columns = {
      t: Float64Array.from(times),
      v: Float64Array.from(times, (t) => truth(i, t)),
      n: times.length,
    };
    for (const {mint, maxt, encoding, data} of encodeFloatChunks(columns)) {
      await writer.addChunk(mint, maxt, encoding, data);
    }
    await writer.endSeries();
  }
  const {labels} = block;
  const thanos = labels && {...EMPTY_THANOS_META, version: 1, labels, source: "sidecar", segmentFiles: ["000001"]};
  return writer.finish({minTime: block.mint, maxTime: block.maxt, thanos});
}

/** Writes a block and puts it into the bucket. */
export async function uploadMade(
  bucket: Bucket,
  parent: string,
  block: MadeBlock,
  now: () => number,
  signal: AbortSignal,
): Promise<void> {
  const meta = await writeMade(parent, {...block, labels: block.labels ?? {cluster: "a"}});
  if (meta === undefined) throw new StrataError("internal", "BUG: a made block without samples");
  const dir = join(parent, meta.ulid);
  await uploadBlock(bucket, dir, {hashFunc: "", concurrency: 1, now}, signal);
  rmSync(dir, {recursive: true});
}

/** A ULID of time `t` that is the same every time. */
export const madeUlid = (t: number, salt: number): string =>
  newUlid(
    t,
    Uint8Array.from({length: 10}, (_, i) => (salt * 31 + i * 7) & 0xff),
  );

/** What one block holds: times of raw samples of series 0, or ends of windows with their counts. */
export type Held = {readonly meta: BlockMeta; readonly times: readonly number[]; readonly counts: readonly number[]};

/** Reads the blocks of a bucket, each once, and checks every value in them. */
export class HistoryReader {
  readonly #bucket: Bucket;
  readonly #dir: string;
  readonly #known = new Map<string, Held>();

  /** Blocks are downloaded below `dir`, and removed again. */
  constructor(bucket: Bucket, dir: string) {
    this.#bucket = bucket;
    this.#dir = dir;
  }

  /** All blocks that have a meta.json; those with a deletion mark only on demand. Throws where a value is wrong. */
  async live(options: {readonly marked: boolean}, signal: AbortSignal): Promise<Held[]> {
    const files = new Map<string, Set<string>>();
    for await (const {name} of this.#bucket.list("", {recursive: true}, signal)) {
      const [ulid = "", file = ""] = name.split("/");
      if (parseUlid(ulid) === undefined) continue;
      const list = files.get(ulid) ?? new Set<string>();
      files.set(ulid, list.add(file));
    }
    const held: Held[] = [];
    for (const [ulid, list] of files) {
      if (!list.has(META_FILE) || (!options.marked && list.has(DELETION_MARK_FILE))) continue;
      const known = this.#known.get(ulid) ?? (await this.#read(ulid, signal));
      this.#known.set(ulid, known);
      held.push(known);
    }
    return held;
  }

  async #read(ulid: string, signal: AbortSignal): Promise<Held> {
    const dir = join(this.#dir, ulid);
    const meta = await downloadBlock(this.#bucket, ulid, dir, 1, signal);
    const block = await BlockReader.open(dir);
    try {
      const held = resolutionOf(meta) === 0 ? await readRaw(block) : await readAggregates(block, resolutionOf(meta));
      return {meta, ...held};
    } finally {
      await block.close();
      rmSync(dir, {recursive: true});
    }
  }
}

async function readRaw(block: BlockReader): Promise<Omit<Held, "meta">> {
  let times: number[] = [];
  for (const id of await block.index.all()) {
    const {labels, entry} = await block.index.series(id);
    const series = Number(labels.get("series"));
    const columns = newFloatColumns(256);
    await block.chunks.read(entry.chunkRef.slice(0, entry.chunks), (_, encoding, buffer, at, length) => {
      appendFloatChunk(encoding, buffer, at, length, columns);
    });
    for (let i = 0; i < columns.n; i++) {
      const t = columns.t[i] as number;
      if (columns.v[i] !== truth(series, t) || (i > 0 && t <= (columns.t[i - 1] as number))) {
        throw new Error(`${block.dir}: series ${series} has ${columns.v[i]} at ${t}, not ${truth(series, t)}`);
      }
    }
    if (series === 0) times = [...columns.t.subarray(0, columns.n)];
  }
  return {times, counts: []};
}

/** Checks what must hold of each window of a series that follows `truth`. */
async function readAggregates(block: BlockReader, resolution: number): Promise<Omit<Held, "meta">> {
  let times: number[] = [];
  let counts: number[] = [];
  for (const id of await block.index.all()) {
    const {labels, entry} = await block.index.series(id);
    const series = Number(labels.get("series"));
    const columns = AGGREGATES.map(() => newFloatColumns(256));
    await block.chunks.read(entry.chunkRef.slice(0, entry.chunks), (_, encoding, buffer, at, length) => {
      if (encoding !== ENCODING.aggregate) throw new Error(`${block.dir}: chunk of encoding ${encoding}`);
      splitAggregates(buffer, at, length).forEach((part, i) => {
        if (part === undefined) throw new Error(`${block.dir}: no ${AGGREGATES[i]}`);
        appendFloatChunk(part.encoding, buffer, part.from, part.length, columns[i] as (typeof columns)[number]);
      });
    });
    const [count, sum, min, max] = columns as unknown as {t: Float64Array; v: Float64Array; n: number}[];
    if (count === undefined || sum === undefined || min === undefined || max === undefined) throw new Error("BUG");
    for (let i = 0; i < count.n; i++) {
      const t = count.t[i] as number;
      const start = Math.floor(t / resolution) * resolution;
      const mean = (sum.v[i] as number) / (count.v[i] as number);
      const [least, most] = [min.v[i] as number, max.v[i] as number];
      const [lower, upper] = series === 0 ? [truth(0, start), truth(0, t)] : [0, 96];
      if (!(lower <= least && least <= mean && mean <= most && most <= upper)) {
        throw new Error(
          `${block.dir}: series ${series} at ${t}: ${least} ≤ ${mean} ≤ ${most} not in [${lower}, ${upper}]`,
        );
      }
    }
    if (series === 0) {
      times = [...count.t.subarray(0, count.n)];
      counts = [...count.v.subarray(0, count.n)];
    }
  }
  return {times, counts};
}
