import {join} from "node:path";
import {StrataError} from "@strata/base";
import {ByteReader} from "@strata/bytes";
import type {Histogram, Labels, Matcher} from "@strata/model";
import type {LabelAnswer, LabelQuery, Queryable, Select, SeriesBatch} from "@strata/series";
import {selectPostings} from "../index/select-postings.ts";
import {Tombstones} from "../tombstones.ts";
import {encodeHistogramRecords, type HistogramSample} from "../wal/histogram-records.ts";
import {
  encodeExemplars,
  encodeMarkers,
  encodeMetadata,
  encodeStones,
  type MmapMarker,
  type RefMetadata,
  readLabels,
  SeriesRecord,
  type Stone,
} from "../wal/other-records.ts";
import {encodeSamples, SampleColumns} from "../wal/sample-records.ts";
import {logBytes, removeUnfinished, WAL_DIR, WBL_DIR} from "../wal/segments.ts";
import {WalWriter, type WalWriterOptions} from "../wal/wal-writer.ts";
import {Batch, type CommitResult, HeadAppender} from "./appender.ts";
import {Commit, hasStart, isAgain} from "./commit.ts";
import {ExemplarRing} from "./exemplars.ts";
import {CHUNKS_HEAD_DIR, HeadChunkFiles} from "./head-chunk-files.ts";
import {HeadReader} from "./head-reader.ts";
import {MemPostings} from "./mem-postings.ts";
import {type ReplayOptions, type ReplayReport, replay} from "./replay.ts";
import {APPEND, type AppendStatus, SeriesStore} from "./series-store.ts";
import {STALE_HIGH, STALE_LOW, staleHistogram} from "./stale-histogram.ts";
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
  /** What batches give as the chunks' source. */
  readonly source?: number | undefined;
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
  readonly #reader: HeadReader;
  #wal: WalWriter | undefined;
  #wbl: WalWriter | undefined;
  #lastRef = 0;
  #oldRef: number = Number.POSITIVE_INFINITY;
  /** Series that are not in the log yet. */
  readonly #unlogged = new SeriesRecord();
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
      head.report = await replay(head, options);
      head.#wal = WalWriter.open(join(dir, WAL_DIR), head.walOptions);
      if (head.outOfOrderWindow > 0) head.#wbl = WalWriter.open(join(dir, WBL_DIR), head.walOptions);
      head.store.files.begin();
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
    this.#unlogged.add(ref, bytes, from, to);
    return ref;
  }

  /** Adds a series under a given reference; returns its slot. */
  addSeries(ref: number, bytes: Uint8Array, from: number, to: number): number {
    if (!(ref > 0 && ref < 2 ** 32))
      throw new StrataError("limit", `cannot add series ${ref}: references have 32 bits`);
    const slot = this.store.addSeries(ref, bytes, from, to);
    this.postings.add(ref, readLabels(new ByteReader(bytes, "series", from, to)));
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
    return slot < 0 ? APPEND.unknownSeries : this.#judge(slot, t, undefined, low, high);
  }

  judgeHistogram(ref: number, t: number, h: Histogram): AppendStatus {
    const slot = this.store.table.slotOf(ref);
    return slot < 0 ? APPEND.unknownSeries : this.#judge(slot, t, h, 0, 0);
  }

  #judge(slot: number, t: number, h: Histogram | undefined, low: number, high: number): AppendStatus {
    const minValid = this.minAppendable;
    if (t >= minValid) {
      const last = this.store.maxt[slot] as number;
      if (t > last) return APPEND.ok;
      if (t === last) {
        const same =
          h === undefined ? this.store.isSameFloat(slot, low, high) : this.store.histogramKind(slot) === h.kind;
        return same ? APPEND.same : APPEND.duplicate;
      }
    }
    if (this.outOfOrderWindow > 0) return t >= this.maxTime - this.outOfOrderWindow ? APPEND.ooo : APPEND.tooOld;
    return t < minValid ? APPEND.outOfBounds : APPEND.outOfOrder;
  }

  /** Logs and applies a transaction. For HeadAppender. Only what is accepted is logged. */
  apply(batches: readonly Batch[]): CommitResult {
    const commit = new Commit(this.maxTime);
    for (const batch of batches) this.#sort(batch, commit);
    const records: Uint8Array[] = [];
    records.push(...this.#unlogged.records());
    for (const batch of batches) this.#encode(batch, records, batches.length > 1);
    try {
      if (records.length > 0) this.wal.log(records);
    } catch (err) {
      commit.undo(this.store.maxt);
      this.maxTime = commit.maxTimeBefore;
      throw err;
    }
    this.#unlogged.clear();
    for (const batch of batches) this.#append(batch);
    const {lateFloats, late, inOrder, refused} = commit;
    const outOfOrder = lateFloats.n > 0 || late.length > 0 ? this.#applyLate(lateFloats, late) : 0;
    return {inOrder, outOfOrder, refused};
  }

  /**
   * Judges a batch's samples one after the other, as if those before were applied: what is not in order leaves the batch.
   * Afterwards the series' last times and the head's are those of after the commit.
   */
  #sort(batch: Batch, commit: Commit): void {
    const {floats} = batch;
    const {ref, t, st, words} = floats;
    const {store} = this;
    const stale: HistogramSample[] = [];
    if (batch.slots.length < floats.n) batch.slots = new Uint32Array(floats.ref.length);
    const {slots} = batch;
    let kept = 0;
    for (let i = 0; i < floats.n; i++) {
      const slot = store.table.slotOf(ref[i] as number);
      const time = t[i] as number;
      const low = words[2 * i] as number;
      const high = words[2 * i + 1] as number;
      if (high === STALE_HIGH && low === STALE_LOW && slot >= 0) {
        // The series ended, and its samples are histograms: so is the marker.
        const kind = commit.kinds.get(slot) ?? store.histogramKind(slot);
        if (kind !== undefined) {
          stale.push({ref: ref[i] as number, t: time, st: st[i] as number, h: staleHistogram(kind)});
          continue;
        }
      }
      let status = slot < 0 ? APPEND.unknownSeries : this.#judge(slot, time, undefined, low, high);
      if (status !== APPEND.ok && slot >= 0 && commit.touched(slot) && time === store.maxt[slot]) {
        status = isAgain(floats, kept, ref[i] as number, time, low, high) ? APPEND.same : APPEND.duplicate;
      }
      if (status === APPEND.ok) {
        commit.note(slot, store.maxt[slot] as number);
        store.maxt[slot] = time;
        if (time > this.maxTime) this.maxTime = time;
        if (kept < i) floats.move(i, kept);
        slots[kept++] = slot;
      } else if (status === APPEND.ooo) {
        commit.lateFloats.pushWords(ref[i] as number, time, low, high, st[i] as number);
      } else if (status !== APPEND.same) commit.refused++;
    }
    floats.n = kept;
    commit.inOrder += kept;
    if (stale.length === 0 && batch.histograms.length === 0) return;
    const histograms = [...stale, ...batch.histograms];
    batch.histograms.length = 0;
    for (const sample of histograms) {
      const slot = store.table.slotOf(sample.ref);
      const status = slot < 0 ? APPEND.unknownSeries : this.#judge(slot, sample.t, sample.h, 0, 0);
      if (status === APPEND.ok) {
        commit.note(slot, store.maxt[slot] as number);
        commit.kinds.set(slot, sample.h.kind);
        store.maxt[slot] = sample.t;
        if (sample.t > this.maxTime) this.maxTime = sample.t;
        batch.histograms.push(sample);
        commit.inOrder++;
      } else if (status === APPEND.ooo) commit.late.push(sample);
      else if (status !== APPEND.same) commit.refused++;
    }
  }

  /** Puts what is left of a batch into the open chunks. */
  #append(batch: Batch): void {
    const {t, words, st, n} = batch.floats;
    const {slots} = batch;
    const {store} = this;
    let min = this.minTime;
    for (let i = 0; i < n; i++) {
      const time = t[i] as number;
      store.appendFloat(slots[i] as number, time, words[2 * i] as number, words[2 * i + 1] as number, st[i] as number);
      if (time < min) min = time;
    }
    for (const {ref: id, t: time, st: start, h} of batch.histograms) {
      store.appendHistogram(store.table.slotOf(id), time, h, start);
      if (time < min) min = time;
    }
    this.minTime = min;
    for (const metadata of batch.metadata) this.metadata.set(metadata.ref, metadata);
    for (const exemplar of batch.exemplars) {
      if (this.exemplars.check(exemplar) === "ok") this.exemplars.add(exemplar);
    }
  }

  #encode(batch: Batch, records: Uint8Array[], copied: boolean): void {
    const {startTimes} = this.store;
    if (batch.metadata.length > 0) records.push(encodeMetadata(batch.metadata));
    const {floats, histograms} = batch;
    if (floats.n > 0) {
      const record = encodeSamples(floats, 0, floats.n, startTimes || hasStart(floats));
      // The next encoding of samples overwrites the view.
      records.push(copied ? record.slice() : record);
    }
    if (histograms.length > 0) {
      const wide = startTimes || histograms.some(({st}) => st !== 0);
      records.push(
        ...encodeHistogramRecords(
          histograms.filter(({h}) => h.kind === "int"),
          wide,
        ),
      );
      records.push(
        ...encodeHistogramRecords(
          histograms.filter(({h}) => h.kind === "float"),
          wide,
        ),
      );
    }
    if (batch.exemplars.length > 0) records.push(encodeExemplars(batch.exemplars));
  }

  /** Widens the head's times. */
  noteTime(t: number): void {
    if (t < this.minTime) this.minTime = t;
    if (t > this.maxTime) this.maxTime = t;
  }

  /**
   * Logs and inserts out-of-order samples: in rounds, so that a list that is full goes to a chunk, and the log says so,
   * before the next sample of its series is logged.
   */
  #applyLate(floats: SampleColumns, histograms: readonly HistogramSample[]): number {
    const total = floats.n + histograms.length;
    let markers: MmapMarker[] = [];
    let roundFloats = new SampleColumns();
    let roundHistograms: HistogramSample[] = [];
    const pending = new Map<number, number>();
    let inserted = 0;
    const endRound = (): void => {
      const records: Uint8Array[] = [];
      const wide = this.store.startTimes;
      if (markers.length > 0) records.push(encodeMarkers(markers));
      if (roundFloats.n > 0) {
        records.push(encodeSamples(roundFloats, 0, roundFloats.n, wide || hasStart(roundFloats)).slice());
      }
      records.push(
        ...encodeHistogramRecords(
          roundHistograms.filter(({h}) => h.kind === "int"),
          wide,
        ),
      );
      records.push(
        ...encodeHistogramRecords(
          roundHistograms.filter(({h}) => h.kind === "float"),
          wide,
        ),
      );
      this.wbl?.log(records);
      const {ref, t, st, words, n} = roundFloats;
      for (let i = 0; i < n; i++) {
        const slot = this.store.table.slotOf(ref[i] as number);
        const low = words[2 * i] as number;
        const high = words[2 * i + 1] as number;
        if (this.store.insertOoo(slot, t[i] as number, st[i] as number, low, high, undefined)) inserted++;
      }
      for (const {ref: r, t: time, st: start, h} of roundHistograms) {
        if (this.store.insertOoo(this.store.table.slotOf(r), time, start, 0, 0, h)) inserted++;
      }
      markers = [];
      roundFloats = new SampleColumns();
      roundHistograms = [];
      pending.clear();
    };
    for (let i = 0; i < total; i++) {
      const h = i < floats.n ? undefined : (histograms[i - floats.n] as HistogramSample);
      const ref = h === undefined ? (floats.ref[i] as number) : h.ref;
      const slot = this.store.table.slotOf(ref);
      if ((this.store.ooo.get(slot)?.samples.length ?? 0) + (pending.get(ref) ?? 0) >= this.outOfOrderCap) endRound();
      const list = this.store.ooo.get(slot);
      if (list === undefined && !pending.has(ref)) markers.push({ref, chunkRef: 0});
      else if (list !== undefined && list.samples.length >= this.outOfOrderCap) {
        markers.push({ref, chunkRef: this.store.flushOoo(slot)});
      }
      pending.set(ref, (pending.get(ref) ?? 0) + 1);
      if (h === undefined) {
        const at = 2 * i;
        roundFloats.pushWords(
          ref,
          floats.t[i] as number,
          floats.words[at] as number,
          floats.words[at + 1] as number,
          floats.st[i] as number,
        );
      } else roundHistograms.push(h);
    }
    endRound();
    return inserted;
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
    if (!this.#unlogged.isEmpty) this.wal.log(this.#unlogged.records());
    await this.#wal?.close();
    await this.#wbl?.close();
    this.store.files.close();
  }
}
