import {join} from "node:path";
import {StrataError} from "@strata/base";
import {ByteReader} from "@strata/bytes";
import type {Histogram, Labels, Matcher} from "@strata/model";
import type {LabelAnswer, LabelQuery, Queryable, Select, SeriesBatch} from "@strata/series";
import type {Registry} from "@strata/telemetry";
import {selectPostings} from "../index/select-postings.ts";
import {Tombstones} from "../tombstones.ts";
import {encodeStones, type RefMetadata, readLabels, SeriesRecord, type Stone} from "../wal/other-records.ts";
import {logBytes, removeUnfinished, WAL_DIR, WBL_DIR} from "../wal/segments.ts";
import {WalWriter, type WalWriterOptions} from "../wal/wal-writer.ts";
import {Batch, HeadAppender} from "./appender.ts";
import {writeSnapshot} from "./chunk-snapshot.ts";
import {ExemplarRing} from "./exemplars.ts";
import {CHUNKS_HEAD_DIR, HeadChunkFiles} from "./head-chunk-files.ts";
import {watchHead} from "./head-metrics.ts";
import {HeadReader} from "./head-reader.ts";
import {HeadObserver, HeadStats} from "./head-stats.ts";
import {MemPostings} from "./mem-postings.ts";
import {noRoom} from "./no-room.ts";
import {type ReplayOptions, type ReplayReport, replay} from "./replay.ts";
import {APPEND, type AppendStatus, SeriesStore} from "./series-store.ts";
import {truncateHead, truncateOoo} from "./truncate.ts";

export const DEFAULT_CHUNK_RANGE: number = 2 * 60 * 60 * 1000;

export type HeadOptions = ReplayOptions & {
  /** ms that a block spans. */
  readonly chunkRange?: number | undefined;
  /** ms behind the newest sample in which samples may come out of order; 0 is none. */
  readonly outOfOrderWindow?: number | undefined;
  /** Out-of-order samples of a series that make a chunk. */
  readonly outOfOrderCap?: number | undefined;
  /** Exemplars kept over all series; 0 is none. */
  readonly maxExemplars?: number | undefined;
  /** Chunks and log records carry start times; by default when the log that is replayed does. */
  readonly startTimes?: boolean | undefined;
  readonly wal?: WalWriterOptions | undefined;
  /** Labels that every series gets when it is read, winning over its own. */
  readonly externalLabels?: Labels | undefined;
  /** Closing writes a snapshot of memory, so that the next start need not read the log. */
  readonly snapshotOnClose?: boolean | undefined;
  /** What batches give as the chunks' source. */
  readonly source?: number | undefined;
  /** Where the head's metrics go, named as in Prometheus; one head a registry. */
  readonly registry?: Registry | undefined;
};

const DEFAULT_OOO_CAP = 32;
const SPARE_BATCHES = 16;
/** A batch that has grown beyond this is not kept. */
const SPARE_SAMPLES = 1 << 16;

/**
 * The writable part of a TSDB: recent samples in memory, in a log, and in chunk files. Commits take effect in one
 * synchronous step, so a reader sees a prefix of them; what is committed after a `select` began stays hidden from it.
 */
export class Head implements Queryable {
  readonly dir: string;
  readonly chunkRange: number;
  readonly store: SeriesStore;
  readonly postings: MemPostings;
  readonly exemplars: ExemplarRing;
  readonly metadata = new Map<number, RefMetadata>();
  readonly tombstones = new Tombstones();
  /** Series that were removed while the log still has records of them: the last segment that may. */
  readonly removed = new Map<number, number>();
  /** ms, both inclusive; +∞ and −∞ while there is no sample. */
  minTime: number = Number.POSITIVE_INFINITY;
  maxTime: number = Number.NEGATIVE_INFINITY;
  /** Samples before it are in blocks, or lost to them. */
  minValidTime: number;
  readonly outOfOrderWindow: number;
  readonly walOptions: WalWriterOptions;
  /** What start-up found. */
  report: ReplayReport = {series: 0, samples: 0, unknownRefs: 0, repaired: []};
  readonly outOfOrderCap: number;
  readonly #snapshotOnClose: boolean;
  readonly #reader: HeadReader;
  #wal: WalWriter | undefined;
  #wbl: WalWriter | undefined;
  #lastRef = 0;
  #oldRef: number = Number.POSITIVE_INFINITY;
  /** Series that are not in the log yet. */
  readonly unlogged = new SeriesRecord();
  readonly stats = new HeadStats();
  readonly observe = new HeadObserver();
  /** Batches that wait for the next transactions. */
  readonly #spare: Batch[] = [];
  #closed = false;

  private constructor(dir: string, options: HeadOptions) {
    this.dir = dir;
    this.chunkRange = options.chunkRange ?? DEFAULT_CHUNK_RANGE;
    this.outOfOrderWindow = options.outOfOrderWindow ?? 0;
    this.outOfOrderCap = options.outOfOrderCap ?? DEFAULT_OOO_CAP;
    this.minValidTime = options.minValidTime ?? Number.NEGATIVE_INFINITY;
    this.walOptions = options.wal ?? {compression: "snappy"};
    this.#snapshotOnClose = options.snapshotOnClose === true;
    this.exemplars = new ExemplarRing(options.maxExemplars ?? 0);
    this.store = new SeriesStore(new HeadChunkFiles(join(dir, CHUNKS_HEAD_DIR)), {chunkRange: this.chunkRange});
    this.store.startTimes = options.startTimes === true;
    this.postings = new MemPostings((ref) => this.labelsOf(ref));
    this.#reader = new HeadReader(this, options.externalLabels, options.source ?? 0);
  }

  /**
   * Opens the head of a data directory (made when missing): lays out chunk files, replays checkpoint, log and out-of-order
   * log, repairs a damaged log by cutting it off, and begins new segments.
   */
  static async open(dir: string, options: HeadOptions = {}): Promise<Head> {
    const head = new Head(dir, options);
    try {
      removeUnfinished(join(dir, WAL_DIR));
      const start = performance.now();
      head.report = await replay(head, options);
      head.stats.replaySeconds = (performance.now() - start) / 1000;
      head.#wal = WalWriter.open(join(dir, WAL_DIR), head.walOptions);
      // Also without a window, where another run left a log: it has to be shortened when its samples are in a block.
      const wblDir = join(dir, WBL_DIR);
      if (head.outOfOrderWindow > 0 || logBytes(wblDir) > 0) head.#wbl = WalWriter.open(wblDir, head.walOptions);
      head.store.files.begin();
      if (options.registry !== undefined) watchHead(options.registry, head);
    } catch (err) {
      head.store.files.abandon();
      await head.#wal?.close();
      await head.#wbl?.close();
      throw err;
    }
    return head;
  }

  /** Number of the segment that is being written; -1 while the head is being opened. */
  get currentSegment(): number {
    return this.#wal?.segment ?? -1;
  }

  /** Whether the series may belong to a transaction that is not over: it is younger than the last collection of garbage. */
  isYoung(ref: number): boolean {
    return ref > this.#oldRef;
  }

  /** All series so far count as old from now on. */
  noteCollected(): void {
    this.#oldRef = this.#lastRef;
  }

  /** Number of series. */
  get series(): number {
    return this.store.table.size;
  }

  /** Bytes on disk: logs and chunk files. */
  get bytes(): number {
    return logBytes(join(this.dir, WAL_DIR)) + logBytes(join(this.dir, WBL_DIR)) + this.store.files.bytes;
  }

  get wal(): WalWriter {
    if (this.#wal === undefined) throw new StrataError("unavailable", `cannot write to ${this.dir}: it is not open`);
    return this.#wal;
  }

  get wbl(): WalWriter | undefined {
    return this.#wbl;
  }

  /** An empty batch, for HeadAppender. */
  takeBatch(): Batch {
    return this.#spare.pop() ?? new Batch();
  }

  giveBatch(batch: Batch): void {
    if (this.#spare.length >= SPARE_BATCHES || batch.floats.ref.length > SPARE_SAMPLES) return;
    batch.clear();
    this.#spare.push(batch);
  }

  appender(): HeadAppender {
    return new HeadAppender(this);
  }

  /** The reference of the series with the encoded labels bytes[from, to), made when there is none. */
  refOf(bytes: Uint8Array, from: number, to: number): number {
    const slot = this.store.table.find(bytes, from, to);
    if (slot >= 0) return this.store.table.ref[slot] as number;
    const ref = this.#lastRef + 1;
    this.addSeries(ref, bytes, from, to);
    this.unlogged.add(ref, bytes, from, to);
    return ref;
  }

  /** Adds a series under a given reference; returns its slot. Throws `limit`, with nothing changed, without room for it. */
  addSeries(ref: number, bytes: Uint8Array, from: number, to: number): number {
    if (!(ref > 0 && ref < 2 ** 32))
      throw new StrataError("limit", `cannot add series ${ref}: references have 32 bits`);
    const labels = readLabels(new ByteReader(bytes, "series", from, to));
    let slot = -1;
    try {
      slot = this.store.addSeries(ref, bytes, from, to);
      this.postings.add(ref, labels);
    } catch (err) {
      if (slot >= 0) this.store.removeSeries(slot);
      // Some posting lists may have the reference: no other series gets it.
      this.#lastRef = Math.max(this.#lastRef, ref);
      throw noRoom(err, `cannot add a series to the ${this.series} of ${this.dir}`);
    }
    this.stats.seriesCreated++;
    this.#lastRef = Math.max(this.#lastRef, ref);
    return slot;
  }

  /** Series are numbered on from `ref`. */
  reserveRef(ref: number): void {
    this.#lastRef = Math.max(this.#lastRef, ref);
  }

  /** Whether there is such a series. */
  has(ref: number): boolean {
    return this.store.table.slotOf(ref) >= 0;
  }

  labelsOf(ref: number): Labels | undefined {
    const slot = this.store.table.slotOf(ref);
    return slot < 0 ? undefined : this.store.table.labels(slot);
  }

  /** Samples before it cannot be in order any more; ms. */
  get minAppendable(): number {
    return Math.max(this.minValidTime, this.maxTime - this.chunkRange / 2);
  }

  /** What would become of a float, after all that is committed. */
  judgeFloat(ref: number, t: number, low: number, high: number): AppendStatus {
    const slot = this.store.table.slotOf(ref);
    return slot < 0 ? APPEND.unknownSeries : this.judge(slot, t, undefined, low, high);
  }

  judgeHistogram(ref: number, t: number, h: Histogram): AppendStatus {
    const slot = this.store.table.slotOf(ref);
    return slot < 0 ? APPEND.unknownSeries : this.judge(slot, t, h, 0, 0);
  }

  /** What would become of the slot's sample: a histogram, or a float by its words. */
  judge(slot: number, t: number, h: Histogram | undefined, low: number, high: number): AppendStatus {
    const minValid = this.minAppendable;
    if (t >= minValid) {
      const last = this.store.maxt[slot] as number;
      if (t > last) return APPEND.ok;
      if (t === last) {
        const {store} = this;
        const same = h === undefined ? store.isSameFloat(slot, low, high) : store.isSameHistogram(slot, h);
        return same ? APPEND.same : APPEND.duplicate;
      }
    }
    if (this.outOfOrderWindow > 0) return t >= this.maxTime - this.outOfOrderWindow ? APPEND.ooo : APPEND.tooOld;
    return t < minValid ? APPEND.outOfBounds : APPEND.outOfOrder;
  }

  /** Counts a sample that is refused. */
  noteRefused(status: AppendStatus, kind: "float" | "histogram", t: number): void {
    const {refused} = this.stats;
    if (status !== APPEND.unknownSeries && status !== APPEND.duplicate) this.noteLate(t);
    if (status === APPEND.outOfOrder) refused[kind].outOfOrder++;
    else if (status === APPEND.outOfBounds) refused[kind].outOfBounds++;
    else if (status === APPEND.tooOld) refused[kind].tooOld++;
    else if (status === APPEND.unknownSeries) this.stats.seriesNotFound++;
  }

  /** Observes by how much a sample comes late. Nothing is late in a head that is empty, as it is after a flush. */
  noteLate(t: number): void {
    if (t < this.maxTime) this.observe.lateness((this.maxTime - t) / 1000);
  }

  /** Widens the head's times. */
  noteTime(t: number): void {
    if (t < this.minTime) this.minTime = t;
    if (t > this.maxTime) this.maxTime = t;
  }

  /** Waits until what was logged is as durable as the policy says. */
  async acknowledge(): Promise<void> {
    await this.wal.acknowledge();
    await this.#wbl?.acknowledge();
  }

  /** Deletes samples of [mint, maxt] (ms, both inclusive) of all series that match: they are hidden at once. */
  async delete(matchers: readonly Matcher[], mint: number, maxt: number): Promise<number> {
    const {ids} = await selectPostings(matchers, this.postings);
    const from = Math.max(mint, this.minTime);
    const to = Math.min(maxt, this.maxTime);
    const stones: Stone[] = [];
    for (const ref of ids) if (from <= to) stones.push({ref, mint: from, maxt: to});
    if (stones.length === 0) return 0;
    this.wal.log([encodeStones(stones)]);
    for (const stone of stones) this.tombstones.add(stone.ref, stone);
    await this.acknowledge();
    return stones.length;
  }

  select(q: Select, signal: AbortSignal): AsyncIterable<SeriesBatch> {
    return this.#reader.select(q, signal);
  }

  labelNames(q: LabelQuery, signal: AbortSignal): Promise<LabelAnswer> {
    return this.#reader.labelNames(q, signal);
  }

  labelValues(name: string, q: LabelQuery, signal: AbortSignal): Promise<LabelAnswer> {
    return this.#reader.labelValues(name, q, signal);
  }

  get reader(): HeadReader {
    return this.#reader;
  }

  /** Whether there is more than a block and a half of data. */
  get isCompactable(): boolean {
    return this.maxTime - this.minTime > (this.chunkRange / 2) * 3;
  }

  /** Drops samples before `mint`, which are in a block by now, and shortens the log. Waits for readers of such times. */
  async truncate(mint: number): Promise<void> {
    await this.#reader.idleBefore(mint);
    await truncateHead(this, mint);
  }

  /**
   * Drops out-of-order chunks, of each series the one given in `covered` (entry of the chunk list by reference) and all
   * before it, and segments of their log below `segment`. Waits for readers of times before `mint`.
   */
  async truncateOoo(covered: ReadonlyMap<number, number>, mint: number, segment: number): Promise<void> {
    await this.#reader.idleBefore(mint);
    await truncateOoo(this, covered, segment);
  }

  /** Closes log and files. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (!this.unlogged.isEmpty) this.wal.log(this.unlogged.records());
      // Full chunks are not in the snapshot, so they have to be in their files before it can be relied upon.
      this.store.files.flush();
      if (this.#snapshotOnClose) await writeSnapshot(this);
    } finally {
      await this.#wal?.close();
      await this.#wbl?.close();
      this.store.files.close();
    }
  }
}
