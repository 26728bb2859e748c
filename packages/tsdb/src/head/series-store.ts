import {decodeChunk, ENCODING, histogramAt, MAX_XOR_BYTES} from "@strata/chunkenc";
import {type Histogram, RESET_HINT, type ResetHint} from "@strata/model";
import {ChunkList} from "./chunk-list.ts";
import {
  chunkEndTime,
  END_TIME_SAMPLES,
  HISTOGRAM_TARGET_BYTES,
  MAX_FLOAT_SAMPLES,
  MIN_HISTOGRAM_SAMPLES,
  rangeEnd,
} from "./cut-rules.ts";
import {FloatChunks} from "./float-chunks.ts";
import {grownF64, grownU8, grownU32} from "./grow.ts";
import type {HeadChunkFiles} from "./head-chunk-files.ts";
import {LateHidden} from "./late-hidden.ts";
import {OooList} from "./ooo-list.ts";
import {HistogramChunk, type OpenChunk, Xor2Chunk} from "./open-chunk.ts";
import {SeriesTable} from "./series-table.ts";

/** What becomes of a sample. The numbers below `refused` are no errors. */
export const APPEND = {
  /** In order. */
  ok: 0,
  /** Exactly the series' last sample again: nothing to do. */
  same: 1,
  /** Goes to the out-of-order samples. */
  ooo: 2,
  refused: 3,
  outOfOrder: 3,
  /** Another value at the time of the last sample. */
  duplicate: 4,
  outOfBounds: 5,
  tooOld: 6,
  /** No such series. */
  unknownSeries: 7,
} as const;
export type AppendStatus = (typeof APPEND)[keyof typeof APPEND];

/** What the open chunk of a series is. */
export const OPEN = {none: 0, xor: 1, object: 2} as const;
/** The end time of the open histogram chunk was reckoned from its size. */
const END_KNOWN = 1;

export type StoreOptions = {
  /** ms that a block spans. */
  readonly chunkRange: number;
};

/** Largest chunk that is copied out: an XOR chunk. */
const scratch = new Uint8Array(2048);

/** The samples of all series of a head, by slot: open chunks, lists of full ones, and out-of-order samples. No logging here. */
export class SeriesStore {
  readonly table = new SeriesTable();
  readonly floats = new FloatChunks();
  readonly chunks = new ChunkList();
  readonly files: HeadChunkFiles;
  readonly #range: number;
  /** Open chunks that are not XOR. */
  readonly objects = new Map<number, OpenChunk>();
  /** Out-of-order samples not yet in a chunk. */
  readonly ooo = new Map<number, OooList>();
  /** OPEN of each slot. */
  open: Uint8Array = new Uint8Array(0);
  /** Newest full chunk, in order and out of order. */
  newest: Uint32Array = new Uint32Array(0);
  newestOoo: Uint32Array = new Uint32Array(0);
  /** Time of the last sample in order; −Infinity before any. */
  maxt: Float64Array = new Float64Array(0);
  /** When the open chunk ends at the latest. */
  nextAt: Float64Array = new Float64Array(0);
  /** Samples ever appended in order (modulo 2³²): what a reader saw when it began. */
  total: Uint32Array = new Uint32Array(0);
  /** Chunks that were dropped: the number of the first that is left. */
  firstChunk: Uint32Array = new Uint32Array(0);
  firstOooChunk: Uint32Array = new Uint32Array(0);
  #flags: Uint8Array = new Uint8Array(0);
  /**
   * Number of the last float of the slot among all that were ever judged: a transaction's have numbers from its first on,
   * so that a mark tells whether the series' last sample is one of it, and which.
   */
  marks: Uint32Array = new Uint32Array(0);
  #nextMark = 1;
  /** Chunks begun, dropped, and laid down in files. */
  readonly counts = {created: 0, removed: 0, mapped: 0};
  /** Late samples in full chunks that selects under way may not see; see LateHidden. */
  readonly hidden = new LateHidden();
  /** Whether every chunk carries start times; see HeadOptions. */
  startTimes = false;
  /** How many series have out-of-order samples or chunks is not counted; these bound their times. */
  oooMint: number = Number.POSITIVE_INFINITY;
  oooMaxt: number = Number.NEGATIVE_INFINITY;

  constructor(files: HeadChunkFiles, options: StoreOptions) {
    this.files = files;
    this.#range = options.chunkRange;
  }

  /** Adds a series. Where memory has no room for it nothing has changed. */
  addSeries(ref: number, bytes: Uint8Array, from: number, to: number): number {
    // One more than there are slots: the table may reuse one, and then needs no room.
    this.#reserve(this.table.slots + 1);
    const slot = this.table.add(ref, bytes, from, to);
    this.maxt[slot] = Number.NEGATIVE_INFINITY;
    this.total[slot] = 0;
    this.firstChunk[slot] = 0;
    this.firstOooChunk[slot] = 0;
    this.marks[slot] = 0;
    return slot;
  }

  #reserve(slots: number): void {
    this.floats.reserve(slots);
    this.marks = grownU32(this.marks, slots);
    this.open = grownU8(this.open, slots);
    this.#flags = grownU8(this.#flags, slots);
    this.newest = grownU32(this.newest, slots);
    this.newestOoo = grownU32(this.newestOoo, slots);
    this.maxt = grownF64(this.maxt, slots);
    this.nextAt = grownF64(this.nextAt, slots);
    this.total = grownU32(this.total, slots);
    this.firstChunk = grownU32(this.firstChunk, slots);
    this.firstOooChunk = grownU32(this.firstOooChunk, slots);
  }

  /** The mark of the first of `n` floats that are about to be judged. */
  beginMarks(n: number): number {
    if (this.#nextMark + n >= 2 ** 32) {
      this.marks.fill(0);
      this.#nextMark = 1;
    }
    const first = this.#nextMark;
    this.#nextMark += n;
    return first;
  }

  /** Makes room for so many floats, so that appending them cannot fail for memory. Throws RangeError. */
  reserveSamples(floats: number): void {
    this.floats.reserveSamples(floats);
    this.chunks.reserve(floats);
  }

  /** Whether the float equals the last sample of the slot, which has its time. */
  isSameFloat(slot: number, low: number, high: number): boolean {
    const kind = this.open[slot];
    if (kind === OPEN.none) return true;
    if (kind === OPEN.object && this.objects.get(slot)?.kind !== "floats") return false;
    const {words} = this.floats;
    return words[2 * slot] === low && words[2 * slot + 1] === high;
  }

  /** Appends a float behind the last sample. */
  appendFloat(slot: number, t: number, low: number, high: number, st: number): void {
    const {floats} = this;
    if (st !== 0 || this.startTimes || this.open[slot] === OPEN.object) {
      this.#appendObjectFloat(slot, t, low, high, st);
    } else {
      const n = floats.count[slot] as number;
      if (n > 0) {
        if (floats.bytes(slot) > MAX_XOR_BYTES) this.cut(slot);
        else {
          if (n === END_TIME_SAMPLES) {
            const {mint, t: last} = floats;
            this.nextAt[slot] = chunkEndTime(
              mint[slot] as number,
              last[slot] as number,
              this.nextAt[slot] as number,
              4,
            );
          }
          if (t >= (this.nextAt[slot] as number) || n >= MAX_FLOAT_SAMPLES) this.cut(slot);
        }
      }
      if (floats.count[slot] === 0) {
        this.counts.created++;
        this.open[slot] = OPEN.xor;
        this.nextAt[slot] = rangeEnd(t, this.#range);
      }
      floats.append(slot, t, low, high);
    }
    this.maxt[slot] = t;
    this.total[slot] = (this.total[slot] as number) + 1;
  }

  #appendObjectFloat(slot: number, t: number, low: number, high: number, st: number): void {
    const wide = st !== 0 || this.startTimes;
    let chunk = this.objects.get(slot);
    if (this.open[slot] === OPEN.xor || (chunk !== undefined && chunk.kind !== "floats")) chunk = this.#cutObject(slot);
    if (chunk?.kind === "floats") {
      const n = chunk.count;
      if (chunk.data().length > MAX_XOR_BYTES) chunk = this.#cutObject(slot);
      else {
        if (n === END_TIME_SAMPLES) {
          this.nextAt[slot] = chunkEndTime(chunk.mint, chunk.maxt, this.nextAt[slot] as number, 4);
        }
        if (t >= (this.nextAt[slot] as number) || n >= MAX_FLOAT_SAMPLES) chunk = this.#cutObject(slot);
      }
    }
    if (chunk?.kind !== "floats") {
      if (!wide) {
        // The chunk before was of another kind, and this sample needs no more than the plain encoding.
        this.appendPlain(slot, t, low, high);
        return;
      }
      chunk = new Xor2Chunk();
      this.counts.created++;
      this.objects.set(slot, chunk);
      this.open[slot] = OPEN.object;
      this.nextAt[slot] = rangeEnd(t, this.#range);
    }
    chunk.append(t, low, high, st);
    this.floats.words[2 * slot] = low;
    this.floats.words[2 * slot + 1] = high;
  }

  /** Begins an XOR chunk. */
  appendPlain(slot: number, t: number, low: number, high: number): void {
    this.counts.created++;
    this.open[slot] = OPEN.xor;
    this.nextAt[slot] = rangeEnd(t, this.#range);
    this.floats.append(slot, t, low, high);
  }

  #cutObject(slot: number): undefined {
    this.cut(slot);
    return undefined;
  }

  /** Appends a histogram behind the last sample. */
  appendHistogram(slot: number, t: number, h: Histogram, st: number): void {
    this.maxt[slot] = t;
    this.total[slot] = (this.total[slot] as number) + 1;
    let chunk = this.objects.get(slot);
    const wide = this.startTimes || st !== 0;
    if (this.open[slot] === OPEN.xor || (chunk !== undefined && !isLike(chunk, h, wide))) {
      this.cut(slot);
      chunk = undefined;
    }
    const open = chunk as HistogramChunk | undefined;
    if (open === undefined) {
      this.#beginHistograms(slot, firstHeader(h), t, h, st);
      return;
    }
    const {bytes, count, mint} = open;
    const known = ((this.#flags[slot] as number) & END_KNOWN) !== 0;
    const rangeStart = known ? rangeEnd(mint, this.#range) : (this.nextAt[slot] as number);
    if (!known && bytes >= HISTOGRAM_TARGET_BYTES / 4) {
      const end = chunkEndTime(mint, open.maxt, this.nextAt[slot] as number, HISTOGRAM_TARGET_BYTES / bytes);
      this.nextAt[slot] = end;
      this.#flags[slot] = END_KNOWN;
    }
    const isDue = t >= (this.nextAt[slot] as number) || bytes >= 2 * HISTOGRAM_TARGET_BYTES;
    if (isDue && (count >= MIN_HISTOGRAM_SAMPLES || t >= rangeStart)) {
      const header = open.headerAfter(h);
      this.cut(slot);
      this.#beginHistograms(slot, header, t, h, st);
      return;
    }
    const decision = open.decide(h);
    if (decision.kind === "append") {
      open.append(t, h, st, decision.layout);
      return;
    }
    this.cut(slot);
    const flags = this.#flags[slot] as number;
    this.#beginHistograms(slot, decision.header, t, h, st);
    // Compat: whether the end was reckoned is forgotten only where the chunk was cut for its size or time.
    this.#flags[slot] = flags;
  }

  #beginHistograms(slot: number, header: ResetHint, t: number, h: Histogram, st: number): void {
    this.objects.set(slot, new HistogramChunk(header, t, h, st, this.startTimes || st !== 0));
    this.counts.created++;
    this.open[slot] = OPEN.object;
    this.nextAt[slot] = rangeEnd(t, this.#range);
    this.#flags[slot] = 0;
  }

  /**
   * Takes the chunk `data` as the slot's open one, for which there must be none; the next sample begins another. Throws
   * `corrupt`.
   */
  restore(slot: number, encoding: number, data: Uint8Array): void {
    const decoded = decodeChunk(encoding, data, 0, data.length);
    if (decoded.kind === "aggregates" || decoded.columns.n === 0) return;
    const {n, t} = decoded.columns;
    if (decoded.kind === "floats") {
      const {v, st} = decoded.columns;
      const words = new Uint32Array(v.buffer, v.byteOffset, 2 * n);
      for (let i = 0; i < n; i++) {
        this.appendFloat(slot, t[i] as number, words[2 * i] as number, words[2 * i + 1] as number, st?.[i] ?? 0);
        this.nextAt[slot] = Number.POSITIVE_INFINITY;
      }
    } else {
      const {columns} = decoded;
      const st = columns.st;
      const first = t[0] as number;
      const chunk = new HistogramChunk(
        columns.resetHeader,
        first,
        histogramAt(columns, 0),
        st?.[0] ?? 0,
        st !== undefined,
      );
      for (let i = 1; i < n; i++) chunk.append(t[i] as number, histogramAt(columns, i), st?.[i] ?? 0, chunk.layout);
      this.objects.set(slot, chunk);
      this.counts.created++;
      this.open[slot] = OPEN.object;
      this.#flags[slot] = 0;
      this.maxt[slot] = t[n - 1] as number;
      this.total[slot] = (this.total[slot] as number) + n;
    }
    this.nextAt[slot] = t[n - 1] as number;
  }

  /** Whether the histogram equals the last sample of the slot, which has its time. */
  isSameHistogram(slot: number, h: Histogram): boolean {
    if (this.open[slot] === OPEN.none) return true;
    const chunk = this.objects.get(slot);
    return chunk !== undefined && chunk.kind !== "floats" && chunk.isLast(h);
  }

  /** A copy of the slot's open chunk, with the last float's words, or the last histogram. */
  openChunk(slot: number):
    | {
        mint: number;
        maxt: number;
        encoding: number;
        data: Uint8Array;
        low: number;
        high: number;
        last: Histogram | undefined;
      }
    | undefined {
    const kind = this.open[slot];
    if (kind === OPEN.none) return undefined;
    const [low, high] = [this.floats.words[2 * slot] as number, this.floats.words[2 * slot + 1] as number];
    if (kind === OPEN.xor) {
      const data = new Uint8Array(this.floats.bytes(slot));
      this.floats.copy(slot, data, 0);
      return {...this.openTimes(slot), encoding: ENCODING.xor, data, low, high, last: undefined};
    }
    const chunk = this.objects.get(slot) as OpenChunk;
    const last = chunk.kind === "floats" ? undefined : chunk.last;
    return {...this.openTimes(slot), encoding: chunk.encoding, data: chunk.data().slice(), low, high, last};
  }

  /** The kind of the last histogram of a slot whose open chunk holds histograms. */
  histogramKind(slot: number): Histogram["kind"] | undefined {
    const chunk = this.objects.get(slot);
    return chunk === undefined || chunk.kind === "floats" ? undefined : chunk.kind;
  }

  /** Ends the open chunk: it goes to the chunk files. */
  cut(slot: number): void {
    const kind = this.open[slot];
    if (kind === OPEN.none) return;
    const ref = this.table.ref[slot] as number;
    if (kind === OPEN.xor) {
      const {floats} = this;
      const length = floats.copy(slot, scratch, 0);
      const mint = floats.mint[slot] as number;
      const maxt = floats.t[slot] as number;
      const n = floats.count[slot] as number;
      const place = this.files.write(ref, mint, maxt, ENCODING.xor, false, scratch, 0, length);
      const older = this.newest[slot] as number;
      this.newest[slot] = this.chunks.add(older, mint, maxt, ENCODING.xor, n, place, length);
      floats.free(slot);
    } else {
      const chunk = this.objects.get(slot) as OpenChunk;
      const {mint, maxt, encoding, count} = chunk;
      const data = chunk.data();
      const place = this.files.write(ref, mint, maxt, encoding, false, data, 0, data.length);
      const older = this.newest[slot] as number;
      this.newest[slot] = this.chunks.add(older, mint, maxt, encoding, count, place, data.length);
      this.objects.delete(slot);
    }
    this.counts.mapped++;
    this.open[slot] = OPEN.none;
  }

  /**
   * Puts the slot's full chunks in order of time, after some were added out of it. What overlaps others goes to the chunks
   * out of order, where readers expect that.
   */
  sortChunks(slot: number): void {
    const {chunks} = this;
    const all = chunks.entries(this.newest[slot] as number);
    all.sort((a, b) => (chunks.mint[a] as number) - (chunks.mint[b] as number));
    let newest = 0;
    let maxt = Number.NEGATIVE_INFINITY;
    for (const i of all) {
      if ((chunks.mint[i] as number) <= maxt) {
        chunks.older[i] = this.newestOoo[slot] as number;
        this.newestOoo[slot] = i;
        this.total[slot] = (this.total[slot] as number) - (chunks.samples[i] as number);
        this.oooMint = Math.min(this.oooMint, chunks.mint[i] as number);
        this.oooMaxt = Math.max(this.oooMaxt, chunks.maxt[i] as number);
      } else {
        chunks.older[i] = newest;
        newest = i;
      }
      maxt = Math.max(maxt, chunks.maxt[i] as number);
    }
    this.newest[slot] = newest;
    this.maxt[slot] = Math.max(this.maxt[slot] as number, maxt);
  }

  /** Drops the open chunk with its samples. */
  dropOpen(slot: number): void {
    if (this.open[slot] === OPEN.none) return;
    this.counts.removed++;
    if (this.open[slot] === OPEN.xor) this.floats.free(slot);
    else this.objects.delete(slot);
    this.open[slot] = OPEN.none;
  }

  /** Lays the slot's out-of-order samples down as chunks; returns the reference of the last chunk, 0 for none. */
  flushOoo(slot: number): number {
    const list = this.ooo.get(slot);
    if (list === undefined) return 0;
    const ref = this.table.ref[slot] as number;
    let chunkRef = 0;
    for (const {mint, maxt, encoding, samples, data} of list.encode(this.startTimes)) {
      const place = this.files.write(ref, mint, maxt, encoding, true, data, 0, data.length);
      const older = this.newestOoo[slot] as number;
      this.newestOoo[slot] = this.chunks.add(older, mint, maxt, encoding, samples, place, data.length);
      this.hidden.note(this.newestOoo[slot] as number, list.samples, mint, maxt);
      this.counts.created++;
      this.counts.mapped++;
      chunkRef = place.file * 2 ** 32 + place.offset;
    }
    this.ooo.delete(slot);
    return chunkRef;
  }

  /** Adds an out-of-order sample of a commit to the slot's list; false when the list has one of its time. */
  insertOoo(
    slot: number,
    t: number,
    st: number,
    low: number,
    high: number,
    h: Histogram | undefined,
    commit = 0,
  ): boolean {
    let list = this.ooo.get(slot);
    if (list === undefined) {
      list = new OooList();
      this.ooo.set(slot, list);
    }
    if (!list.insert({t, st, low, high, h, commit})) return false;
    this.oooMint = Math.min(this.oooMint, t);
    this.oooMaxt = Math.max(this.oooMaxt, t);
    return true;
  }

  /** Open chunks of all series. */
  get openChunks(): number {
    let count = 0;
    for (const kind of this.open) if (kind !== OPEN.none) count++;
    return count;
  }

  /** First and last time of the slot's open chunk. */
  openTimes(slot: number): {mint: number; maxt: number} {
    if (this.open[slot] === OPEN.xor) {
      return {mint: this.floats.mint[slot] as number, maxt: this.floats.t[slot] as number};
    }
    const {mint, maxt} = this.objects.get(slot) as OpenChunk;
    return {mint, maxt};
  }

  /** Whether nothing is left of the series but its labels. */
  isEmpty(slot: number): boolean {
    return (
      this.open[slot] === OPEN.none &&
      this.newest[slot] === 0 &&
      this.newestOoo[slot] === 0 &&
      (this.ooo.get(slot)?.samples.length ?? 0) === 0
    );
  }

  /** Removes an empty series; the table has to be compacted when all are gone. */
  removeSeries(slot: number): void {
    this.ooo.delete(slot);
    this.table.remove(slot);
  }
}

/** Whether the open chunk can take such a histogram at all. */
function isLike(chunk: OpenChunk, h: Histogram, wide: boolean): boolean {
  if (chunk.kind === "floats" || chunk.kind !== h.kind) return false;
  const hasStart = chunk.encoding === ENCODING.histogramST || chunk.encoding === ENCODING.floatHistogramST;
  return hasStart || !wide;
}

function firstHeader(h: Histogram): ResetHint {
  return h.resetHint === RESET_HINT.gauge || h.resetHint === RESET_HINT.counterReset ? h.resetHint : RESET_HINT.unknown;
}
