import {mkdir, rename, rm} from "node:fs/promises";
import {join} from "node:path";
import {StrataError} from "@strata/base";
import {chunkSamples, isFloatEncoding, isHistogramEncoding} from "@strata/chunkenc";
import {compareLabels, Labels, newUlid} from "@strata/model";
import {
  type BlockCompaction,
  type BlockMeta,
  type BlockStats,
  encodeBlockMeta,
  type ThanosMeta,
} from "../block-meta.ts";
import {META_FILE} from "../block-reader.ts";
import {CHUNKS_DIR} from "../chunk-segments.ts";
import {INDEX_FILE} from "../index/index-format.ts";
import type {StoredChunks} from "../stored-chunks.ts";
import {encodeTombstones, TOMBSTONES_FILE, Tombstones} from "../tombstones.ts";
import {ChunkWriter, SEGMENT_BYTES} from "./chunk-writer.ts";
import {syncDir, writeError} from "./file-sink.ts";
import {IndexWriter} from "./index-writer.ts";
import {SeriesSpill} from "./series-spill.ts";
import {writeSynced} from "./synced-file.ts";

/** Suffix of a block directory that is not complete yet; start-up removes such leftovers. */
export const TMP_FOR_CREATION = ".tmp-for-creation";
export const TMP_FOR_DELETION = ".tmp-for-deletion";

export type BlockWriterOptions = {
  /** A new one by default. */
  readonly ulid?: string | undefined;
  /** Size at which chunk segments are cut. */
  readonly segmentBytes?: number | undefined;
  /**
   * All symbols, ascending by bytes, when the caller knows them: series then go straight into the index, and may be given
   * by symbol number. Without it label texts are collected and series entries wait in a temporary file.
   */
  readonly symbols?: AsyncIterable<string> | Iterable<string> | undefined;
};

/** What finish puts into meta.json beside the counts. */
export type BlockDescription = {
  /** ms, [minTime, maxTime). */
  readonly minTime: number;
  readonly maxTime: number;
  /** Level 1 with the block itself as source by default. */
  readonly compaction?: BlockCompaction | undefined;
  readonly thanos?: ThanosMeta | undefined;
  /** Deletions to go with it; an empty file by default, as Prometheus writes one. */
  readonly tombstones?: Tombstones | undefined;
};

/**
 * Writes a block: series in label order, each with its chunks in time order, whose bytes pass through untouched.
 *
 * ```
 * startSeries(labels) · await addChunk(…) … · await endSeries() … · await finish({minTime, maxTime})
 * ```
 *
 * All happens in `<ULID>.tmp-for-creation`, which `finish` syncs and renames; `abort` removes it. Memory grows with the
 * number of series and labels, not with chunks or samples.
 */
export class BlockWriter {
  readonly ulid: string;
  /** Where the block will be. */
  readonly dir: string;
  readonly #tmp: string;
  readonly #parent: string;
  readonly #chunks: ChunkWriter;
  readonly #index: IndexWriter;
  readonly #spill: SeriesSpill | undefined;
  readonly #stats = {numSamples: 0, numFloatSamples: 0, numHistogramSamples: 0, numSeries: 0, numChunks: 0};
  #labels: Labels | undefined;
  #refs: readonly number[] | undefined;
  #last = Labels.EMPTY;
  #mint: number[] = [];
  #maxt: number[] = [];
  #chunkRef: number[] = [];
  #ended = false;

  private constructor(
    parent: string,
    ulid: string,
    chunks: ChunkWriter,
    index: IndexWriter,
    spill: SeriesSpill | undefined,
  ) {
    this.ulid = ulid;
    this.#parent = parent;
    this.dir = join(parent, ulid);
    this.#tmp = this.dir + TMP_FOR_CREATION;
    this.#chunks = chunks;
    this.#index = index;
    this.#spill = spill;
  }

  /** Begins a block below `parent`, which is made when missing. */
  static async create(parent: string, options: BlockWriterOptions = {}): Promise<BlockWriter> {
    const ulid = options.ulid ?? newUlid(Date.now());
    const tmp = join(parent, ulid + TMP_FOR_CREATION);
    try {
      await rm(tmp, {recursive: true, force: true});
      await mkdir(tmp, {recursive: true});
    } catch (err) {
      throw writeError(err, tmp);
    }
    const index = await IndexWriter.create(join(tmp, INDEX_FILE));
    const chunks = await ChunkWriter.create(join(tmp, CHUNKS_DIR), options.segmentBytes ?? SEGMENT_BYTES);
    if (options.symbols === undefined) {
      return new BlockWriter(parent, ulid, chunks, index, await SeriesSpill.create(join(tmp, "series.tmp")));
    }
    for await (const symbol of options.symbols) {
      index.addSymbol(symbol);
      await index.drain();
    }
    await index.endSymbols();
    return new BlockWriter(parent, ulid, chunks, index, undefined);
  }

  /** Series written so far. */
  get series(): number {
    return this.#stats.numSeries;
  }

  /** Begins the next series, above the one before it. Only without the option `symbols`. */
  startSeries(labels: Labels): void {
    if (this.#spill === undefined) throw new StrataError("internal", "BUG: this block takes symbol numbers");
    if (this.#stats.numSeries > 0 && compareLabels(this.#last, labels) >= 0) {
      throw new StrataError("conflict", `cannot write block ${this.ulid}: series ${labels} is not above ${this.#last}`);
    }
    this.#labels = labels;
    this.#last = labels;
    this.#begin();
  }

  /** Begins the next series by symbol numbers (name, value, name, value …). Only with the option `symbols`. */
  startSeriesByRefs(refs: readonly number[]): void {
    this.#refs = refs;
    this.#begin();
  }

  #begin(): void {
    this.#chunks.startSeries();
    this.#mint.length = 0;
    this.#maxt.length = 0;
    this.#chunkRef.length = 0;
  }

  /**
   * Adds the chunk data[from, from + length) to the series; [mint, maxt] in ms, both inclusive, behind the last chunk's.
   * `sum` is the CRC32C of encoding and data, where it is known. Gives a promise only where the disk has to be waited for: `const wait = addChunk(…); if (wait) await wait;`.
   */
  addChunk(
    mint: number,
    maxt: number,
    encoding: number,
    data: Uint8Array,
    from = 0,
    length: number = data.length - from,
    sum?: number | undefined,
  ): Promise<void> | undefined {
    const wait = this.#chunks.prepare(length);
    if (wait !== undefined) return wait.then(() => this.#put(mint, maxt, encoding, data, from, length, sum));
    this.#put(mint, maxt, encoding, data, from, length, sum);
    return undefined;
  }

  #put(
    mint: number,
    maxt: number,
    encoding: number,
    data: Uint8Array,
    from: number,
    length: number,
    sum: number | undefined,
  ): void {
    this.#chunkRef.push(this.#chunks.add(encoding, data, from, length, sum));
    this.#count(mint, maxt, encoding, data, from, length);
  }

  /** Adds rows [from, to) of `chunks` as they are. Like `addChunk`, waits only where it must. */
  addStored(chunks: StoredChunks, from: number, to: number): Promise<void> | undefined {
    const {mint, maxt, buffer, at, end} = chunks;
    for (let i = from; i < to; i++) {
      const data = buffer[i] as Uint8Array;
      const start = at[i] as number;
      const length = (end[i] as number) - start - 1;
      this.#count(mint[i] as number, maxt[i] as number, data[start] as number, data, start + 1, length);
    }
    return this.#chunks.addStored(chunks, from, to, this.#chunkRef);
  }

  #count(mint: number, maxt: number, encoding: number, data: Uint8Array, from: number, length: number): void {
    this.#mint.push(mint);
    this.#maxt.push(maxt);
    const samples = chunkSamples(encoding, data, from, length);
    this.#stats.numChunks++;
    this.#stats.numSamples += samples;
    if (isFloatEncoding(encoding)) this.#stats.numFloatSamples += samples;
    if (isHistogramEncoding(encoding)) this.#stats.numHistogramSamples += samples;
  }

  /** Ends the series. Like `addChunk`, waits only where it must. */
  endSeries(): Promise<void> | undefined {
    const chunks = {mint: this.#mint, maxt: this.#maxt, chunkRef: this.#chunkRef, count: this.#mint.length};
    this.#stats.numSeries++;
    if (this.#spill !== undefined) return this.#spill.add(this.#labels as Labels, chunks);
    this.#index.addSeries(this.#refs as readonly number[], chunks);
    return this.#index.drain();
  }

  /**
   * Finishes all files, syncs them and makes the block visible. Without any sample there is no block: the result is then
   * undefined and nothing is left behind.
   */
  async finish(description: BlockDescription): Promise<BlockMeta | undefined> {
    this.#ended = true;
    try {
      // PERF: the chunks go to the disk while the index's lists are made; one after the other took a fifth of a merge.
      await together(this.#chunks.finish(), this.#finishIndex());
      if (this.#stats.numSamples === 0) {
        await this.#remove();
        return undefined;
      }
      const tombstones = description.tombstones ?? new Tombstones();
      const meta = this.#meta(description, tombstones.total);
      await together(
        writeSynced(join(this.#tmp, TOMBSTONES_FILE), encodeTombstones(tombstones)),
        writeSynced(join(this.#tmp, META_FILE), encodeBlockMeta(meta)),
        syncDir(join(this.#tmp, CHUNKS_DIR)),
      );
      await syncDir(this.#tmp);
      await rename(this.#tmp, this.dir);
      await syncDir(this.#parent);
      return meta;
    } catch (err) {
      await this.#remove();
      throw writeError(err, this.#tmp);
    }
  }

  async #finishIndex(): Promise<void> {
    await this.#spill?.replay(this.#index);
    await this.#index.finish();
  }

  #meta(description: BlockDescription, numTombstones: number): BlockMeta {
    const {minTime, maxTime, thanos} = description;
    const stats: BlockStats = {...this.#stats, numTombstones};
    const own: BlockCompaction = {
      level: 1,
      sources: [this.ulid],
      deletable: false,
      parents: [],
      failed: false,
      hints: [],
    };
    const compaction = description.compaction ?? own;
    return {ulid: this.ulid, minTime, maxTime, stats, compaction, version: 1, thanos};
  }

  /** Gives up and removes what was written. Safe to call twice and after `finish`. */
  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#remove();
  }

  async #remove(): Promise<void> {
    await this.#spill?.close();
    await this.#index.abort();
    await this.#chunks.abort();
    await rm(this.#tmp, {recursive: true, force: true});
  }
}

/** Waits for all, also when one fails: nothing writes on while the caller cleans up. */
async function together(...work: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(work);
  await Promise.all(work);
}
