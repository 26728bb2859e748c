import type {BlockReader} from "../block-reader.ts";
import {maskChunk} from "../chunk-mask.ts";
import {type ChunkVisitor, offsetOf, segmentOf} from "../chunk-segments.ts";
import {ENTRY_BATCH} from "../index/index-reader.ts";
import {SeriesEntry} from "../index/series-entry.ts";
import {ReadArena} from "../random-access.ts";
import {covers, type Interval, touches} from "../tombstones.ts";
import type {ChunkItem} from "./chunk-item.ts";

/** Chunks whose bytes are read together, unless one series has more. */
const WINDOW_CHUNKS = 2048;

type Window = {readonly refs: number[]; readonly chunks: ChunkItem[]}[];

/** The number, among the symbols of the block to be, that a symbol reference of an input stands for. */
export type SymbolMap = {get(ref: number): number};

/**
 * Goes through the series of one input block in order, a window at a time, with the bytes of their chunks: labels as
 * symbol numbers of the output, chunks clipped to the output's times and cut at deletions. Nothing is decoded but what
 * is clipped or cut.
 */
export class BlockCursor {
  /** Labels of the current series (name, value, …) and its chunks, whose bytes are good until the next `next`. */
  refs: readonly number[] = [];
  chunks: readonly ChunkItem[] = [];
  readonly #block: BlockReader;
  readonly #symbols: SymbolMap;
  /** Times that the output does not have. */
  readonly #outside: readonly Interval[];
  readonly #entries: SeriesEntry[] = [];
  readonly #arenas = [new ReadArena(), new ReadArena()];
  #turn = 0;
  #ids: Uint32Array = new Uint32Array(0);
  #nextId = 0;
  /** Entries [at, count) are decoded and not in a window yet. */
  #at = 0;
  #count = 0;
  #window: Window = [];
  #position = 0;
  /** The window behind this one, being read while this one is used. */
  #ahead: Promise<Window | undefined> | undefined;

  private constructor(block: BlockReader, symbols: SymbolMap, mint: number, maxt: number) {
    this.#block = block;
    this.#symbols = symbols;
    this.#outside = [
      {mint: Number.NEGATIVE_INFINITY, maxt: mint - 1},
      {mint: maxt + 1, maxt: Number.POSITIVE_INFINITY},
    ];
  }

  /** A cursor before the first series; [mint, maxt] in ms, both inclusive. */
  static async open(block: BlockReader, symbols: SymbolMap, mint: number, maxt: number): Promise<BlockCursor> {
    const cursor = new BlockCursor(block, symbols, mint, maxt);
    cursor.#ids = await block.index.all();
    return cursor;
  }

  /** Steps to the next series. A promise only where a window has to be read; false at the end. */
  next(): boolean | Promise<boolean> {
    if (this.#position >= this.#window.length) return this.#fill();
    const {refs, chunks} = this.#window[this.#position++] as Window[number];
    this.refs = refs;
    this.chunks = chunks;
    return true;
  }

  async #fill(): Promise<boolean> {
    const window = await (this.#ahead ?? this.#read());
    this.#ahead = undefined;
    if (window === undefined) return false;
    this.#window = window;
    this.#position = 0;
    // PERF: reading waits for the disk while merging keeps the thread busy; one window ahead lets both go on.
    this.#ahead = this.#read();
    // Its failure is met when the window is asked for; an abandoned merge never asks.
    this.#ahead.catch(() => {});
    return this.next();
  }

  /** The next window that is not empty; undefined at the end. */
  async #read(): Promise<Window | undefined> {
    if (this.#at >= this.#count && !(await this.#decode())) return undefined;
    return this.#readWindow();
  }

  async #decode(): Promise<boolean> {
    const ids = this.#ids.subarray(this.#nextId, this.#nextId + ENTRY_BATCH);
    if (ids.length === 0) return false;
    while (this.#entries.length < ids.length) this.#entries.push(new SeriesEntry());
    await this.#block.index.decodeEntries(ids, this.#entries);
    this.#nextId += ids.length;
    this.#at = 0;
    this.#count = ids.length;
    return true;
  }

  /** Takes decoded entries up to a window's size and reads their chunks. */
  async #readWindow(): Promise<Window> {
    const window: Window = [];
    const wanted: number[] = [];
    const owners: number[] = [];
    const times: number[] = [];
    const cuts: (readonly Interval[])[] = [];
    const first = this.#nextId - this.#count;
    for (; this.#at < this.#count && wanted.length < WINDOW_CHUNKS; this.#at++) {
      const entry = this.#entries[this.#at] as SeriesEntry;
      const deleted = this.#block.tombstones.get(this.#ids[first + this.#at] as number);
      const intervals = deleted.length === 0 ? this.#outside : [...this.#outside, ...deleted];
      const refs: number[] = [];
      for (let i = 0; i < entry.labels * 2; i++) refs.push(this.#symbols.get(entry.labelRefs[i] as number));
      window.push({refs, chunks: []});
      for (let i = 0; i < entry.chunks; i++) {
        const mint = entry.mint[i] as number;
        const maxt = entry.maxt[i] as number;
        if (covers(intervals, mint, maxt)) continue;
        wanted.push(entry.chunkRef[i] as number);
        owners.push(window.length - 1);
        times.push(mint, maxt);
        cuts.push(touches(intervals, mint, maxt) ? intervals : NO_CUT);
      }
    }
    // The other arena holds the window in use; the one before that has been written.
    const arena = this.#arenas[this.#turn++ % 2] as ReadArena;
    arena.reset();
    const visit: ChunkVisitor = (i, encoding, data, from, length, sum) => {
      const mint = times[2 * i] as number;
      const maxt = times[2 * i + 1] as number;
      const chunk: ChunkItem = {mint, maxt, encoding, data, from, length, sum};
      const left = this.#cut(chunk, cuts[i] as readonly Interval[], wanted[i] as number);
      if (left !== undefined) window[owners[i] as number]?.chunks.push(left);
    };
    await this.#block.chunks.read(wanted, visit, arena);
    return window;
  }

  #cut(chunk: ChunkItem, intervals: readonly Interval[], ref: number): ChunkItem | undefined {
    if (intervals === NO_CUT) return chunk;
    const place = {name: `${this.#block.dir} segment ${segmentOf(ref)}`, offset: offsetOf(ref)};
    const left = maskChunk(chunk.encoding, chunk.data, chunk.from, chunk.length, intervals, place);
    return left && {...left, from: 0, length: left.data.length};
  }
}

const NO_CUT: readonly Interval[] = [];
