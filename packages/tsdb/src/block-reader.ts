import {readFile} from "node:fs/promises";
import {join} from "node:path";
import {StrataError} from "@strata/base";
import {compareUtf8, Labels, type Matcher, shardOf} from "@strata/model";
import {
  AGGREGATE,
  BATCH_SERIES,
  type LabelAnswer,
  type LabelQuery,
  type Queryable,
  type Select,
  type SeriesBatch,
  SeriesBatchBuilder,
} from "@strata/series";
import {type BlockMeta, encodeBlockMeta, parseBlockMeta} from "./block-meta.ts";
import {maskChunk} from "./chunk-mask.ts";
import {CHUNKS_DIR, ChunkSegments, type ChunkVisitor, offsetOf, segmentOf, withClass} from "./chunk-segments.ts";
import {INDEX_FILE} from "./index/index-format.ts";
import {ENTRY_BATCH, IndexReader} from "./index/index-reader.ts";
import {selectLabelNames, selectLabelValues} from "./index/select-labels.ts";
import {selectPostings} from "./index/select-postings.ts";
import type {SeriesEntry} from "./index/series-entry.ts";
import {fileError, ReadArena} from "./random-access.ts";
import {reordered} from "./series-order.ts";
import {ROW_STRIDE, type SeriesRow, sortChunks} from "./series-row.ts";
import {
  covers,
  encodeTombstones,
  type Interval,
  readTombstones,
  TOMBSTONES_FILE,
  Tombstones,
  touches,
} from "./tombstones.ts";
import {replaceFile} from "./writer/synced-file.ts";

export const META_FILE = "meta.json";

export type BlockReaderOptions = {
  /** Labels that every series gets, winning over its own of the same name. */
  readonly externalLabels?: Labels | undefined;
  /** What the batches give as the chunks' source. */
  readonly source?: number | undefined;
  /** Shows the data as if nothing had been deleted. */
  readonly ignoreTombstones?: boolean | undefined;
};

/** A batch holds no more chunks than this, so that a batch of long series stays near a megabyte or two. */
const BATCH_CHUNKS = 8192;
const BATCH_BYTES = 1024 * 1024;
/** What a chunk is taken for where its successor's place does not tell its size. */
const CHUNK_GUESS = 256;

/**
 * A block directory as a source of series. Chunk bytes are handed out as they lie in the segments, encodings included;
 * chunks that reach beyond the asked range come whole. Only where a deletion cuts a chunk is it encoded anew.
 *
 * Chunks of downsampled blocks come in their packed form (encoding 255, aggregate "raw").
 */
export class BlockReader implements Queryable {
  readonly dir: string;
  readonly index: IndexReader;
  readonly chunks: ChunkSegments;
  readonly externalLabels: Labels;
  #meta: BlockMeta;
  #tombstones: Tombstones;
  readonly #source: number;
  /** Selects under way; files are closed when the last of them ends. */
  #active = 0;
  #closed: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  private constructor(
    dir: string,
    meta: BlockMeta,
    index: IndexReader,
    chunks: ChunkSegments,
    tombstones: Tombstones,
    options: BlockReaderOptions,
  ) {
    this.dir = dir;
    this.#meta = meta;
    this.index = index;
    this.chunks = chunks;
    this.#tombstones = tombstones;
    this.externalLabels = options.externalLabels ?? Labels.EMPTY;
    this.#source = options.source ?? 0;
  }

  /** Opens the block in `dir`. Throws `corrupt` or `not_found` with the kind of damage in `fields.class`. */
  static async open(dir: string, options: BlockReaderOptions = {}): Promise<BlockReader> {
    const meta = await readBlockMeta(dir, {tsdbOnly: true});
    const chunks = await ChunkSegments.openDir(join(dir, CHUNKS_DIR));
    let index: IndexReader | undefined;
    try {
      index = await openIndex(dir);
      const tombstones = await readTombstones(join(dir, TOMBSTONES_FILE));
      return new BlockReader(
        dir,
        meta,
        index,
        chunks,
        options.ignoreTombstones ? new Tombstones() : tombstones,
        options,
      );
    } catch (err) {
      await chunks.close();
      await index?.close();
      throw err;
    }
  }

  get meta(): BlockMeta {
    return this.#meta;
  }

  get tombstones(): Tombstones {
    return this.#tombstones;
  }

  /**
   * Deletes samples of [mint, maxt] (ms, both inclusive) of all series that match: they are hidden at once. The tombstones file and meta.json are written anew, each in one step. Returns how many series it concerns.
   */
  async delete(matchers: readonly Matcher[], mint: number, maxt: number): Promise<number> {
    const own = this.#ownMatchers(matchers);
    if (own === undefined || !this.#reachesInto(mint, maxt)) return 0;
    const {ids} = await selectPostings(own, this.index);
    const next = new Tombstones();
    for (const [id, intervals] of this.tombstones) for (const interval of intervals) next.add(id, interval);
    let series = 0;
    await this.index.readSeries(ids, (id, _labels, entry) => {
      if (entry.chunks === 0) return;
      const from = Math.max(mint, entry.mint[0] as number);
      const to = Math.min(maxt, entry.maxt[entry.chunks - 1] as number);
      if (from > to) return;
      next.add(id, {mint: from, maxt: to});
      series++;
    });
    if (series === 0) return 0;
    const meta = {...this.meta, stats: {...this.meta.stats, numTombstones: next.total}};
    await replaceFile(join(this.dir, TOMBSTONES_FILE), encodeTombstones(next));
    await replaceFile(join(this.dir, META_FILE), encodeBlockMeta(meta));
    this.#tombstones = next;
    this.#meta = meta;
    return series;
  }

  /** Closes the files once the selects under way have ended; new ones are refused at once. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      if (this.#active > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
      await this.index.close();
      await this.chunks.close();
    })();
    return this.#closed;
  }

  async *select(q: Select, signal: AbortSignal): AsyncGenerator<SeriesBatch> {
    this.#enter();
    try {
      yield* this.#select(q, signal);
    } finally {
      this.#leave();
    }
  }

  async *#select(q: Select, signal: AbortSignal): AsyncGenerator<SeriesBatch> {
    const matchers = this.#ownMatchers(q.matchers);
    if (matchers === undefined || !this.#reachesInto(q.mint, q.maxt)) return;
    const change = {add: this.externalLabels, remove: q.withoutReplicaLabels};
    const needsNames = change.add.size > 0 || change.remove.length > 0;
    const names = needsNames ? await this.index.labelNames() : [];
    const rows = reordered(this.#rows(matchers, q, signal), change, names, q.budget);
    const batcher = new Batcher(this, this.#source, q.skipChunks);
    let series = 0;
    for await (const batch of rows) {
      for (const row of batch) {
        if (q.shard !== undefined && shardOf(row.labels, q.shard) !== q.shard.index) continue;
        if (q.limit > 0 && series >= q.limit) break;
        series++;
        batcher.add(row);
        while (batcher.isFull) {
          signal.throwIfAborted();
          yield await batcher.take();
        }
      }
      if (q.limit > 0 && series >= q.limit) break;
    }
    signal.throwIfAborted();
    if (!batcher.isEmpty) yield await batcher.take();
  }

  /** Rows of the index in its order, with the chunks that the request asks for. */
  async *#rows(matchers: readonly Matcher[], q: Select, signal: AbortSignal): AsyncGenerator<readonly SeriesRow[]> {
    const {ids, pending} = await selectPostings(matchers, this.index, {lazy: true});
    q.budget.take(ids.byteLength, "series ids of a block");
    try {
      for (let from = 0; from < ids.length; from += ENTRY_BATCH) {
        signal.throwIfAborted();
        const rows: SeriesRow[] = [];
        await this.index.readSeries(
          ids.subarray(from, from + ENTRY_BATCH),
          (id, labels, entry) => {
            if (!pending.every((m) => m.matches(labels.get(m.name)))) return;
            rows.push({labels, chunks: this.#wantedChunks(id, entry, q)});
          },
          (id, entry) => this.#hasWantedChunk(id, entry, q),
        );
        if (rows.length > 0) yield rows;
      }
    } finally {
      q.budget.give(ids.byteLength);
    }
  }

  #hasWantedChunk(id: number, entry: SeriesEntry, q: Select): boolean {
    const intervals = this.tombstones.get(id);
    for (let i = 0; i < entry.chunks; i++) if (isWanted(entry, i, q, intervals)) return true;
    return false;
  }

  #wantedChunks(id: number, entry: SeriesEntry, q: Select): number[] {
    const chunks: number[] = [];
    if (q.skipChunks) return chunks;
    const intervals = this.tombstones.get(id);
    for (let i = 0; i < entry.chunks; i++) {
      if (!isWanted(entry, i, q, intervals)) continue;
      chunks.push(entry.mint[i] as number, entry.maxt[i] as number, entry.chunkRef[i] as number, id);
    }
    return sortChunks(chunks);
  }

  async labelNames(q: LabelQuery, _signal: AbortSignal): Promise<LabelAnswer> {
    return this.#labels(q, async (matchers) => {
      const own = await selectLabelNames(matchers, this.index);
      if (own.length === 0) return own;
      const external = this.externalLabels.pairs.filter((_, i) => i % 2 === 0);
      const names = new Set([...own, ...external].filter((name) => !q.withoutReplicaLabels.includes(name)));
      return [...names].sort(compareUtf8);
    });
  }

  async labelValues(name: string, q: LabelQuery, _signal: AbortSignal): Promise<LabelAnswer> {
    return this.#labels(q, async (matchers) => {
      if (q.withoutReplicaLabels.includes(name)) return [];
      const external = this.externalLabels.get(name);
      if (external === "") return selectLabelValues(name, matchers, this.index);
      const {ids} = await selectPostings(matchers, this.index);
      return ids.length > 0 ? [external] : [];
    });
  }

  /** Names or values, when the block's times reach into the asked range. */
  async #labels(
    q: LabelQuery,
    ask: (matchers: readonly Matcher[]) => Promise<readonly string[]>,
  ): Promise<LabelAnswer> {
    this.#enter();
    try {
      const matchers = this.#ownMatchers(q.matchers);
      const values = matchers !== undefined && this.#reachesInto(q.mint, q.maxt) ? await ask(matchers) : [];
      return {values: q.limit > 0 ? values.slice(0, q.limit) : values, warnings: []};
    } finally {
      this.#leave();
    }
  }

  #reachesInto(mint: number, maxt: number): boolean {
    return this.meta.minTime <= maxt && mint < this.meta.maxTime;
  }

  /** The matchers that the external labels do not decide; undefined when those refuse one. */
  #ownMatchers(matchers: readonly Matcher[]): readonly Matcher[] | undefined {
    const own: Matcher[] = [];
    for (const m of matchers) {
      const external = this.externalLabels.get(m.name);
      if (external === "") own.push(m);
      else if (!m.matches(external)) return undefined;
    }
    return own;
  }

  #enter(): void {
    if (this.#closed !== undefined)
      throw new StrataError("unavailable", `cannot read ${this.dir}: the block is closed`);
    this.#active++;
  }

  #leave(): void {
    this.#active--;
    if (this.#active === 0) this.#onIdle?.();
  }
}

const isWanted = (entry: SeriesEntry, i: number, q: Select, deleted: readonly Interval[]): boolean => {
  const mint = entry.mint[i] as number;
  const maxt = entry.maxt[i] as number;
  return mint <= q.maxt && maxt >= q.mint && (deleted.length === 0 || !covers(deleted, mint, maxt));
};

/** Collects rows and turns some hundred at a time into a batch with their chunks read. */
class Batcher {
  readonly #block: BlockReader;
  readonly #source: number;
  readonly #skipChunks: boolean;
  readonly #builder = new SeriesBatchBuilder();
  /** Chunks are read here and copied into the batch. */
  readonly #arena = new ReadArena();
  #rows: SeriesRow[] = [];
  #numbers = 0;
  #bytes = 0;

  constructor(block: BlockReader, source: number, skipChunks: boolean) {
    this.#block = block;
    this.#source = source;
    this.#skipChunks = skipChunks;
  }

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  get isFull(): boolean {
    return (
      this.#rows.length >= BATCH_SERIES || this.#numbers >= BATCH_CHUNKS * ROW_STRIDE || this.#bytes >= BATCH_BYTES
    );
  }

  add(row: SeriesRow): void {
    this.#rows.push(row);
    this.#numbers += row.chunks.length;
    this.#bytes += bytesOf(row.chunks);
  }

  /** A batch of the first rows; a row with very many chunks goes on in the next batch. */
  async take(): Promise<SeriesBatch> {
    const last = this.#rows.at(-1) as SeriesRow;
    const over = this.#numbers - BATCH_CHUNKS * ROW_STRIDE;
    // The last row is what made the batch too large: what does not fit of it is left for the next one.
    const cut = over > 0 ? last.chunks.length - over : last.chunks.length;
    const rows = this.#rows;
    const rest = over > 0 ? last.chunks.slice(cut) : [];
    if (over > 0) rows[rows.length - 1] = {labels: last.labels, chunks: last.chunks.slice(0, cut)};
    this.#rows = rest.length > 0 ? [{labels: last.labels, chunks: rest}] : [];
    this.#numbers = rest.length;
    this.#bytes = bytesOf(rest);
    await this.#read(rows);
    return this.#builder.finish();
  }

  async #read(rows: readonly SeriesRow[]): Promise<void> {
    const refs: number[] = [];
    for (const row of rows) for (let i = 2; i < row.chunks.length; i += ROW_STRIDE) refs.push(row.chunks[i] as number);
    let row = -1;
    let at = 0;
    let started = false;
    const advance = (): void => {
      for (row++; row < rows.length && (rows[row] as SeriesRow).chunks.length === 0; row++) this.#addEmpty(rows[row]);
      at = 0;
      started = false;
    };
    advance();
    const visit: ChunkVisitor = (_, encoding, buffer, from, length) => {
      const {labels, chunks} = rows[row] as SeriesRow;
      const start = (): void => {
        if (!started) this.#builder.startSeries(labels);
        started = true;
      };
      this.#addChunk(chunks, at, encoding, buffer, from, length, start);
      at += ROW_STRIDE;
      if (at === chunks.length) advance();
    };
    this.#arena.reset();
    await this.#block.chunks.read(refs, visit, this.#arena);
  }

  #addEmpty(row: SeriesRow | undefined): void {
    if (this.#skipChunks && row !== undefined) this.#builder.startSeries(row.labels);
  }

  /** Adds chunk `at` of a row; a chunk that deletions cut is encoded anew, and may be gone altogether. */
  #addChunk(
    chunks: readonly number[],
    at: number,
    encoding: number,
    buffer: Uint8Array,
    from: number,
    length: number,
    start: () => void,
  ): void {
    const [mint, maxt, ref, id] = chunks.slice(at, at + ROW_STRIDE) as [number, number, number, number];
    const deleted = this.#block.tombstones.get(id);
    if (deleted.length === 0 || !touches(deleted, mint, maxt)) {
      start();
      this.#builder.addChunk(mint, maxt, encoding, this.#source, AGGREGATE.raw, buffer, from, length);
      return;
    }
    const place = {name: `${this.#block.dir} segment ${segmentOf(ref)}`, offset: offsetOf(ref)};
    const left = maskChunk(encoding, buffer, from, length, deleted, place);
    if (left === undefined) return;
    start();
    const {data} = left;
    this.#builder.addChunk(left.mint, left.maxt, left.encoding, this.#source, AGGREGATE.raw, data, 0, data.length);
  }
}

/** About how many bytes the chunks of a row take: the distance to the next one, as they lie side by side. */
function bytesOf(chunks: readonly number[]): number {
  let bytes = 0;
  for (let i = 2; i < chunks.length; i += ROW_STRIDE) {
    const distance = (chunks[i + ROW_STRIDE] ?? 0) - (chunks[i] as number);
    bytes += distance > 0 && distance < BATCH_BYTES ? distance : CHUNK_GUESS;
  }
  return bytes;
}

/** The meta.json of the block in `dir`; a missing one is `not_found` of class `meta-missing`. */
export async function readBlockMeta(dir: string, options: {tsdbOnly?: boolean | undefined} = {}): Promise<BlockMeta> {
  const path = join(dir, META_FILE);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (err) {
    throw withClass(fileError(err, path), "meta-missing");
  }
  return parseBlockMeta(text, path, options);
}

async function openIndex(dir: string): Promise<IndexReader> {
  try {
    return await IndexReader.openFile(join(dir, INDEX_FILE));
  } catch (err) {
    throw err instanceof StrataError && err.code === "not_found" ? withClass(err, "index-missing") : err;
  }
}
