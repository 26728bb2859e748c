import {join} from "node:path";
import {setImmediate as turn} from "node:timers/promises";
import {StrataError} from "@strata/base";
import {ByteReader} from "@strata/bytes";
import {CUSTOM_BUCKETS_SCHEMA, EXPONENTIAL_SCHEMA_MAX, type Histogram, reduceSpans} from "@strata/model";
import {decodeHistogramRecord, type HistogramSample} from "../wal/histogram-records.ts";
import {
  decodeExemplars,
  decodeMarkers,
  decodeMetadata,
  decodeSeries,
  decodeStones,
  type RefExemplar,
} from "../wal/other-records.ts";
import {RECORD} from "../wal/record-type.ts";
import {decodeSamples, SampleColumns} from "../wal/sample-records.ts";
import {listCheckpoints, listSegments, type Segment, segmentName, WAL_DIR, WBL_DIR} from "../wal/segments.ts";
import {SegmentReader} from "../wal/wal-reader.ts";
import {damageOf, repairLog} from "../wal/wal-repair.ts";
import {type ChunkSnapshot, lastSnapshot, readSnapshot} from "./chunk-snapshot.ts";
import type {Head} from "./head.ts";
import type {HeadChunk} from "./head-chunk-files.ts";
import {OPEN} from "./series-store.ts";
import {STALE_HIGH, STALE_LOW, staleHistogram} from "./stale-histogram.ts";
import {collectGarbage} from "./truncate.ts";

export type ReplayOptions = {
  /** ms: what is older lies in blocks and is not read again. */
  readonly minValidTime?: number | undefined;
  readonly onProgress?: ((progress: ReplayProgress) => void) | undefined;
  /** After damage in the log the out-of-order log is left for the next start, as Prometheus does; by default it is read. */
  readonly stopAtDamage?: boolean | undefined;
};

/** `done` of `total` bytes of a log are read. */
export type ReplayProgress = {readonly log: "wal" | "wbl"; readonly done: number; readonly total: number};

export type ReplayReport = {
  readonly series: number;
  readonly samples: number;
  /** Samples and the like of series that no record introduces. */
  readonly unknownRefs: number;
  /** What was damaged and cut off, in words. */
  readonly repaired: readonly string[];
};

/** The event loop gets a turn after so many records. */
const TURN_RECORDS = 64;

/** Fills a fresh head from chunk files, checkpoint, log and out-of-order log. */
export async function replay(head: Head, options: ReplayOptions): Promise<ReplayReport> {
  const repaired: string[] = [];
  const r = new Replay(head);
  const damagedChunks = head.store.files.load((chunk) => r.addChunk(chunk));
  if (damagedChunks !== undefined) {
    head.stats.chunkCorruptions++;
    repaired.push(damagedChunks.message);
  }
  const walDir = join(head.dir, WAL_DIR);
  const snapshot = usableSnapshot(head.dir, repaired);
  if (snapshot === undefined && lastSnapshot(head.dir) !== undefined) head.stats.snapshotErrors++;
  if (snapshot !== undefined) r.snapshot(snapshot);
  const newest = listCheckpoints(walDir).at(-1);
  const checkpoint = newest !== undefined && newest.index >= (snapshot?.index ?? 0) ? newest : undefined;
  const from = Math.max(checkpoint === undefined ? 0 : checkpoint.index + 1, snapshot?.index ?? 0);
  const segments = listSegments(walDir).filter(({index}) => index >= from);
  const first = segments[0];
  if (first !== undefined && first.index !== from) {
    throw new StrataError("corrupt", `cannot read ${walDir}: segment ${segmentName(from)} is missing`, {
      fields: {file: walDir, offset: 0},
    });
  }
  // What a checkpoint lost cannot be told, so damage there is for a human to judge.
  if (checkpoint !== undefined)
    await readLog(listSegments(checkpoint.dir), "wal", options, (record) => r.record(record));
  const damaged = await readRepairing(
    walDir,
    segments,
    "wal",
    options,
    repaired,
    (record) => r.record(record),
    snapshot?.index === from ? snapshot.offset : 0,
  );
  if (!damaged || options.stopAtDamage !== true) {
    const wblDir = join(head.dir, WBL_DIR);
    await readRepairing(wblDir, listSegments(wblDir), "wbl", options, repaired, (record) => r.lateRecord(record));
  }
  if (damaged) head.stats.walCorruptions++;
  r.finish();
  return {series: head.series, samples: r.samples, unknownRefs: r.unknownRefs, repaired};
}

/** The newest snapshot of memory, if it can be read to its end: the log has all of it, too. */
function usableSnapshot(dir: string, repaired: string[]): ChunkSnapshot | undefined {
  const snapshot = lastSnapshot(dir);
  if (snapshot === undefined) return undefined;
  try {
    readSnapshot(snapshot, {series: () => undefined, deletion: () => undefined, exemplar: () => undefined});
    return snapshot;
  } catch (err) {
    if (!(err instanceof StrataError) || err.code !== "corrupt") throw err;
    repaired.push(err.message);
    return undefined;
  }
}

async function readRepairing(
  dir: string,
  segments: readonly Segment[],
  log: "wal" | "wbl",
  options: ReplayOptions,
  repaired: string[],
  visit: (record: ByteReader) => void,
  startOffset = 0,
): Promise<boolean> {
  try {
    await readLog(segments, log, options, visit, startOffset);
    return false;
  } catch (err) {
    const damage = err instanceof StrataError ? damageOf(err) : undefined;
    if (damage === undefined) throw err;
    repaired.push((err as StrataError).message);
    await repairLog(dir, damage);
    return true;
  }
}

async function readLog(
  segments: readonly Segment[],
  log: "wal" | "wbl",
  options: ReplayOptions,
  visit: (record: ByteReader) => void,
  startOffset = 0,
): Promise<void> {
  const total = segments.reduce((sum, {bytes}) => sum + bytes, 0);
  let before = 0;
  for (const segment of segments) {
    const reader = new SegmentReader(segment);
    try {
      let end = 0;
      if (startOffset > 0 && segment === segments[0]) {
        end = startOffset;
        reader.seek(startOffset);
      }
      for (let i = 1; reader.next(); i++) {
        try {
          visit(new ByteReader(reader.record, segment.path));
        } catch (err) {
          // A record that is whole but holds nonsense: damage as any other, and the cut goes before it.
          throw err instanceof StrataError && err.code === "corrupt" ? placed(err, segment, end) : err;
        }
        end = reader.end;
        if (i % TURN_RECORDS === 0) {
          options.onProgress?.({log, done: before + end, total});
          await turn();
        }
      }
    } finally {
      reader.close();
    }
    before += segment.bytes;
    options.onProgress?.({log, done: before, total});
  }
}

const placed = (err: StrataError, segment: Segment, offset: number): StrataError =>
  new StrataError("corrupt", err.message, {cause: err, fields: {file: segment.path, segment: segment.index, offset}});

class Replay {
  samples = 0;
  unknownRefs = 0;
  readonly #head: Head;
  readonly #chunks = new Map<number, HeadChunk[]>();
  readonly #lateChunks = new Map<number, HeadChunk[]>();
  /** References that name a series that has another one already. */
  readonly #alias = new Map<number, number>();
  readonly #columns = new SampleColumns(4096);
  /** References of all out-of-order chunks in the files. */
  readonly #lateRefs = new Set<number>();

  constructor(head: Head) {
    this.#head = head;
  }

  addChunk(chunk: HeadChunk): void {
    if (chunk.outOfOrder) this.#lateRefs.add(chunk.file * 2 ** 32 + chunk.offset);
    if (!chunk.outOfOrder && chunk.maxt < this.#head.minValidTime) return;
    const map = chunk.outOfOrder ? this.#lateChunks : this.#chunks;
    const list = map.get(chunk.ref);
    if (list === undefined) map.set(chunk.ref, [chunk]);
    else list.push(chunk);
  }

  /** Takes a snapshot in. The next sample of a series begins a new chunk. */
  snapshot(snapshot: ChunkSnapshot): void {
    const head = this.#head;
    const {store} = head;
    readSnapshot(snapshot, {
      series: (ref, bytes, from, to, open) => {
        this.#series(ref, bytes, from, to);
        const slot = this.#slot(ref);
        if (open === undefined || slot < 0 || open.maxt < head.minValidTime) return;
        if (open.mint <= (store.maxt[slot] as number)) return;
        if (store.open[slot] !== OPEN.none) return;
        const before = store.total[slot] as number;
        store.restore(slot, open.encoding, open.data);
        head.noteTime(open.mint);
        head.noteTime(store.maxt[slot] as number);
        this.samples += (store.total[slot] as number) - before;
      },
      deletion: (ref, mint, maxt) => this.#stone(ref, mint, maxt),
      exemplar: (exemplar) => this.#exemplar(exemplar),
    });
  }

  #exemplar(exemplar: RefExemplar): void {
    const head = this.#head;
    const ref = this.#alias.get(exemplar.ref) ?? exemplar.ref;
    if (exemplar.t < head.minValidTime || this.#slot(ref) < 0) return;
    const known = {...exemplar, ref};
    if (head.exemplars.check(known) === "ok") head.exemplars.add(known);
  }

  record(r: ByteReader): void {
    if (r.remaining === 0) return;
    const type = r.u8();
    switch (type) {
      case RECORD.series:
        decodeSeries(r, (ref, from, to) => this.#series(ref, r.data, from, to));
        return;
      case RECORD.samples:
      case RECORD.samplesV2:
        this.#floats(r, type);
        return;
      case RECORD.histograms:
      case RECORD.floatHistograms:
      case RECORD.customHistograms:
      case RECORD.customFloatHistograms:
      case RECORD.histogramsV2:
      case RECORD.floatHistogramsV2:
        this.#histograms(r, type);
        return;
      case RECORD.tombstones:
        for (const {ref, mint, maxt} of decodeStones(r)) this.#stone(ref, mint, maxt);
        return;
      case RECORD.exemplars:
        for (const exemplar of decodeExemplars(r)) this.#exemplar(exemplar);
        return;
      case RECORD.metadata:
        for (const metadata of decodeMetadata(r)) {
          const ref = this.#alias.get(metadata.ref) ?? metadata.ref;
          if (this.#slot(ref) >= 0) this.#head.metadata.set(ref, {...metadata, ref});
        }
        return;
      default:
    }
  }

  /** A record of the out-of-order log. */
  lateRecord(r: ByteReader): void {
    if (r.remaining === 0) return;
    const {store} = this.#head;
    const type = r.u8();
    if (type === RECORD.mmapMarkers) {
      for (const {ref, chunkRef} of decodeMarkers(r)) {
        // A chunk that did not make it to the disk has its samples only in the log. Compat: the original compares places,
        // and so takes a lost chunk for written once there are later ones.
        if (!this.#lateRefs.has(chunkRef)) continue;
        const slot = this.#slot(this.#alias.get(ref) ?? ref);
        if (slot >= 0) store.ooo.delete(slot);
        else this.unknownRefs++;
      }
    } else if (type === RECORD.samples || type === RECORD.samplesV2) {
      const columns = this.#columns;
      columns.clear();
      decodeSamples(r, type, columns);
      const {ref, t, st, words, n} = columns;
      for (let i = 0; i < n; i++) {
        this.#late(
          ref[i] as number,
          t[i] as number,
          st[i] as number,
          words[2 * i] as number,
          words[2 * i + 1] as number,
          undefined,
        );
      }
    } else if (type >= RECORD.histograms && type <= RECORD.floatHistogramsV2) {
      const samples: HistogramSample[] = [];
      decodeHistogramRecord(r, type, samples);
      for (const {ref, t, st, h} of samples) {
        const readable = normal(h);
        if (readable !== undefined) this.#late(ref, t, st, 0, 0, readable);
      }
    }
  }

  finish(): void {
    collectGarbage(this.#head);
  }

  #slot(ref: number): number {
    return this.#head.store.table.slotOf(ref);
  }

  #series(ref: number, bytes: Uint8Array, from: number, to: number): void {
    const head = this.#head;
    const {store} = head;
    let slot = store.table.find(bytes, from, to);
    if (slot < 0) {
      // A reference that was used before for other labels would mix two series up.
      if (this.#slot(ref) >= 0)
        throw new StrataError("corrupt", `cannot replay series ${ref}: it has other labels already`);
      slot = head.addSeries(ref, bytes, from, to);
      this.#attach(slot, ref);
      return;
    }
    const known = store.table.ref[slot] as number;
    head.reserveRef(Math.min(ref, 2 ** 32 - 2));
    if (known !== ref) {
      this.#alias.set(ref, known);
      this.#attach(slot, ref);
    }
  }

  /** Gives the series the chunks that were laid down under the reference; its open chunk holds nothing else then. */
  #attach(slot: number, ref: number): void {
    const {store} = this.#head;
    const chunks = this.#chunks.get(ref);
    if (chunks !== undefined) {
      this.#chunks.delete(ref);
      // Samples of an earlier record of the series: they stay, as a full chunk.
      store.cut(slot);
      for (const chunk of chunks) {
        store.newest[slot] = addTo(this.#head, store.newest[slot] as number, chunk);
        store.total[slot] = (store.total[slot] as number) + chunk.samples;
        this.#head.noteTime(chunk.mint);
        this.#head.noteTime(chunk.maxt);
      }
      store.sortChunks(slot);
    }
    const late = this.#lateChunks.get(ref);
    if (late === undefined) return;
    this.#lateChunks.delete(ref);
    for (const chunk of late) {
      store.newestOoo[slot] = addTo(this.#head, store.newestOoo[slot] as number, chunk);
      store.oooMint = Math.min(store.oooMint, chunk.mint);
      store.oooMaxt = Math.max(store.oooMaxt, chunk.maxt);
    }
  }

  #floats(r: ByteReader, type: number): void {
    const head = this.#head;
    const {store} = head;
    const {table} = store;
    if (type === RECORD.samplesV2) store.startTimes = true;
    const columns = this.#columns;
    columns.clear();
    decodeSamples(r, type, columns);
    const {ref, t, st, words, n} = columns;
    const aliased = this.#alias.size > 0;
    const minValid = head.minValidTime;
    for (let i = 0; i < n; i++) {
      let id = ref[i] as number;
      if (aliased) id = this.#alias.get(id) ?? id;
      const slot = table.slotOf(id);
      if (slot < 0) {
        this.unknownRefs++;
        continue;
      }
      const time = t[i] as number;
      if (time < minValid || time <= (store.maxt[slot] as number)) continue;
      const low = words[2 * i] as number;
      const high = words[2 * i + 1] as number;
      const kind =
        store.open[slot] === OPEN.object && high === STALE_HIGH && low === STALE_LOW
          ? store.histogramKind(slot)
          : undefined;
      if (kind !== undefined) store.appendHistogram(slot, time, staleHistogram(kind), st[i] as number);
      else store.appendFloat(slot, time, low, high, st[i] as number);
      if (time < head.minTime || time > head.maxTime) head.noteTime(time);
      this.samples++;
    }
  }

  #histograms(r: ByteReader, type: number): void {
    const head = this.#head;
    const {store} = head;
    if (type === RECORD.histogramsV2 || type === RECORD.floatHistogramsV2) store.startTimes = true;
    const samples: HistogramSample[] = [];
    decodeHistogramRecord(r, type, samples);
    for (const {ref, t, st, h} of samples) {
      const slot = this.#slot(this.#alias.get(ref) ?? ref);
      if (slot < 0) {
        this.unknownRefs++;
        continue;
      }
      if (t < head.minValidTime || t <= (store.maxt[slot] as number)) continue;
      const readable = normal(h);
      if (readable === undefined) continue;
      store.appendHistogram(slot, t, readable, st);
      head.noteTime(t);
      this.samples++;
    }
  }

  #stone(walRef: number, mint: number, maxt: number): void {
    const head = this.#head;
    if (maxt < head.minValidTime) return;
    const ref = this.#alias.get(walRef) ?? walRef;
    const slot = this.#slot(ref);
    if (slot < 0) {
      this.unknownRefs++;
      return;
    }
    if (mint <= -(2 ** 63) && maxt >= 2 ** 63) {
      // The whole series was deleted, whatever comes after belongs to a new life of it.
      head.store.dropOpen(slot);
      head.store.newest[slot] = 0;
      head.store.newestOoo[slot] = 0;
      head.store.maxt[slot] = Number.NEGATIVE_INFINITY;
      return;
    }
    head.tombstones.add(ref, {mint, maxt});
  }

  #late(walRef: number, t: number, st: number, low: number, high: number, h: Histogram | undefined): void {
    const head = this.#head;
    const slot = this.#slot(this.#alias.get(walRef) ?? walRef);
    if (slot < 0) {
      this.unknownRefs++;
      return;
    }
    const list = head.store.ooo.get(slot);
    if (list !== undefined && list.samples.length >= head.outOfOrderCap) head.store.flushOoo(slot);
    if (head.store.insertOoo(slot, t, st, low, high, h)) this.samples++;
  }
}

const addTo = (head: Head, older: number, c: HeadChunk): number =>
  head.store.chunks.add(older, c.mint, c.maxt, c.encoding, c.samples, c, c.length);

/** The histogram in a schema that may be stored; undefined when its schema is none. */
export function normal(h: Histogram): Histogram | undefined {
  if (h.schema === CUSTOM_BUCKETS_SCHEMA || (h.schema >= -9 && h.schema <= EXPONENTIAL_SCHEMA_MAX)) return h;
  if (h.schema < 0 || h.schema > 52) return undefined;
  const positive = reduceSpans(h.positiveSpans, h.schema, EXPONENTIAL_SCHEMA_MAX);
  const negative = reduceSpans(h.negativeSpans, h.schema, EXPONENTIAL_SCHEMA_MAX);
  return {
    ...h,
    schema: EXPONENTIAL_SCHEMA_MAX,
    positiveSpans: positive.spans,
    negativeSpans: negative.spans,
    positiveBuckets: reduced(h.positiveBuckets, positive.target),
    negativeBuckets: reduced(h.negativeBuckets, negative.target),
  } as Histogram;
}

function reduced(buckets: Float64Array | BigInt64Array, target: readonly number[]): Float64Array | BigInt64Array {
  const size = target.length === 0 ? 0 : (target.at(-1) as number) + 1;
  if (buckets instanceof Float64Array) {
    const out = new Float64Array(size);
    target.forEach((to, i) => {
      out[to] = (out[to] as number) + (buckets[i] as number);
    });
    return out;
  }
  const out = new BigInt64Array(size);
  let value = 0n;
  target.forEach((to, i) => {
    value += buckets[i] as bigint;
    out[to] = (out[to] as bigint) + value;
  });
  for (let i = size - 1; i > 0; i--) out[i] = (out[i] as bigint) - (out[i - 1] as bigint);
  return out;
}
