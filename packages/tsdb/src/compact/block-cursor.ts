import {crc32c} from "@strata/bytes";
import type {BlockReader} from "../block-reader.ts";
import {maskChunk} from "../chunk-mask.ts";
import {offsetOf, segmentOf} from "../chunk-segments.ts";
import type {EntryScanner} from "../index/entry-scanner.ts";
import {SeriesEntry} from "../index/series-entry.ts";
import {ReadArena} from "../random-access.ts";
import {StoredChunks} from "../stored-chunks.ts";
import {covers, type Interval, touches} from "../tombstones.ts";
import type {ChunkItem} from "./chunk-item.ts";

/** Series and chunks whose bytes are read together, and about how many bytes, unless one series has more. */
const WINDOW_SERIES = 1024;
const WINDOW_CHUNKS = 2048;
const WINDOW_BYTES = 1024 * 1024;

/** The number, among the symbols of the block to be, that a symbol reference of an input stands for. */
export type SymbolMap = {get(ref: number): number};

export type CursorOptions = {
  /** Sees each entry as it is read; throws to end the walk. */
  readonly observe?: ((entry: SeriesEntry) => void) | undefined;
  /** The series to go through, ascending; all of the block by default. */
  readonly ids?: Uint32Array | undefined;
};

/** Some series one after the other: labels and chunks of series i end at labelsEnd[i] and chunksEnd[i]. */
class Window {
  count = 0;
  /** Symbol numbers: name, value, name … */
  labels = new Uint32Array(4096);
  readonly labelsEnd = new Uint32Array(WINDOW_SERIES);
  readonly chunksEnd = new Uint32Array(WINDOW_SERIES);
  readonly chunks = new StoredChunks();
  readonly arena = new ReadArena();

  get isFull(): boolean {
    const {count, ref} = this.chunks;
    if (this.count === WINDOW_SERIES || count >= WINDOW_CHUNKS) return true;
    return count > 0 && Math.abs((ref[count - 1] as number) - (ref[0] as number)) >= WINDOW_BYTES;
  }

  reset(): void {
    this.count = 0;
    this.chunks.count = 0;
    this.arena.reset();
  }
}

/** What is taken out of the chunk in one row of a window. */
type Cut = {readonly row: number; readonly intervals: readonly Interval[]};

/**
 * Goes through the series of one input block in order, a window at a time, with the bytes of their chunks: labels as
 * symbol numbers of the output, chunks clipped to the output's times and cut at deletions. Nothing is decoded but what
 * is clipped or cut.
 */
export class BlockCursor {
  /** Labels of the current series (name, value, …) and its chunks, rows [from, to); good until the next `next`. */
  readonly refs: number[] = [];
  chunks = new StoredChunks();
  from = 0;
  to = 0;
  readonly #block: BlockReader;
  readonly #symbols: SymbolMap;
  readonly #observe: ((entry: SeriesEntry) => void) | undefined;
  readonly #mint: number;
  readonly #maxt: number;
  /** Times that the output does not have. */
  readonly #outside: readonly Interval[];
  readonly #entry = new SeriesEntry();
  readonly #scanner: EntryScanner;
  /** One in use, one being read. */
  readonly #windows = [new Window(), new Window()];
  #turn = 0;
  #ids: Uint32Array = new Uint32Array(0);
  #nextId = 0;
  #window = new Window();
  #position = 0;
  /** The window behind this one, being read while this one is used. */
  #ahead: Promise<Window | undefined> | undefined;

  private constructor(
    block: BlockReader,
    symbols: SymbolMap,
    mint: number,
    maxt: number,
    observe: ((entry: SeriesEntry) => void) | undefined,
  ) {
    this.#block = block;
    this.#observe = observe;
    this.#scanner = block.index.scanner();
    this.#symbols = symbols;
    this.#mint = mint;
    this.#maxt = maxt;
    this.#outside = [
      {mint: Number.NEGATIVE_INFINITY, maxt: mint - 1},
      {mint: maxt + 1, maxt: Number.POSITIVE_INFINITY},
    ];
  }

  /** A cursor before the first series; [mint, maxt] in ms, both inclusive. */
  static async open(
    block: BlockReader,
    symbols: SymbolMap,
    mint: number,
    maxt: number,
    {observe, ids}: CursorOptions = {},
  ): Promise<BlockCursor> {
    const cursor = new BlockCursor(block, symbols, mint, maxt, observe);
    cursor.#ids = ids ?? (await block.index.all());
    return cursor;
  }

  /** Steps to the next series. A promise only where a window has to be read; false at the end. */
  next(): boolean | Promise<boolean> {
    const window = this.#window;
    const i = this.#position;
    if (i >= window.count) return this.#fill();
    this.#position++;
    this.from = this.to;
    this.to = window.chunksEnd[i] as number;
    const start = i === 0 ? 0 : (window.labelsEnd[i - 1] as number);
    const end = window.labelsEnd[i] as number;
    this.refs.length = end - start;
    for (let k = start; k < end; k++) this.refs[k - start] = window.labels[k] as number;
    return true;
  }

  /** The chunks of the current series as objects. */
  items(): ChunkItem[] {
    const {mint, maxt, buffer, at, end, sum} = this.chunks;
    const items: ChunkItem[] = [];
    for (let i = this.from; i < this.to; i++) {
      const data = buffer[i] as Uint8Array;
      const start = at[i] as number;
      items.push({
        mint: mint[i] as number,
        maxt: maxt[i] as number,
        encoding: data[start] as number,
        data,
        from: start + 1,
        length: (end[i] as number) - start - 1,
        sum: sum[i] as number,
      });
    }
    return items;
  }

  async #fill(): Promise<boolean> {
    const window = await (this.#ahead ?? this.#read());
    this.#ahead = undefined;
    if (window === undefined) return false;
    this.#window = window;
    this.chunks = window.chunks;
    this.#position = 0;
    this.to = 0;
    // PERF: reading waits for the disk while merging keeps the thread busy; one window ahead lets both go on.
    this.#ahead = this.#read();
    // Its failure is met when the window is asked for; an abandoned merge never asks.
    this.#ahead.catch(() => {});
    return this.next();
  }

  /** The next window; undefined at the end. */
  async #read(): Promise<Window | undefined> {
    if (this.#nextId === this.#ids.length) return undefined;
    const window = this.#windows[this.#turn++ % 2] as Window;
    window.reset();
    const {chunks} = window;
    const cuts: Cut[] = [];
    while (this.#nextId < this.#ids.length && !window.isFull) {
      const id = this.#ids[this.#nextId++] as number;
      const wait = this.#scanner.decode(id, this.#entry);
      if (wait !== undefined) await wait;
      this.#observe?.(this.#entry);
      this.#addLabels(window, this.#entry);
      this.#addChunks(chunks, this.#entry, this.#block.tombstones.get(id), cuts);
      window.chunksEnd[window.count++] = chunks.count;
    }
    await this.#block.chunks.readStored(chunks, window.arena);
    if (cuts.length > 0) this.#cut(window, cuts);
    return window;
  }

  #addLabels(window: Window, entry: SeriesEntry): void {
    let at = window.count === 0 ? 0 : (window.labelsEnd[window.count - 1] as number);
    const end = at + entry.labels * 2;
    if (end > window.labels.length) {
      const grown = new Uint32Array(end * 2);
      grown.set(window.labels);
      window.labels = grown;
    }
    for (let i = 0; at < end; i++) window.labels[at++] = this.#symbols.get(entry.labelRefs[i] as number);
    window.labelsEnd[window.count] = end;
  }

  #addChunks(chunks: StoredChunks, entry: SeriesEntry, deleted: readonly Interval[], cuts: Cut[]): void {
    const intervals = deleted.length === 0 ? this.#outside : [...this.#outside, ...deleted];
    for (let i = 0; i < entry.chunks; i++) {
      const mint = entry.mint[i] as number;
      const maxt = entry.maxt[i] as number;
      const whole = deleted.length === 0 && mint >= this.#mint && maxt <= this.#maxt;
      if (!whole && covers(intervals, mint, maxt)) continue;
      const row = chunks.add(mint, maxt, entry.chunkRef[i] as number);
      if (!whole && touches(intervals, mint, maxt)) cuts.push({row, intervals});
    }
  }

  /** Takes the cuts out of their chunks, and chunks of which nothing is left out of the window. */
  #cut(window: Window, cuts: readonly Cut[]): void {
    const {chunks} = window;
    const empty = new Set<number>();
    for (const {row, intervals} of cuts) if (!this.#mask(chunks, row, intervals)) empty.add(row);
    if (empty.size === 0) return;
    let kept = 0;
    let row = 0;
    for (let i = 0; i < window.count; i++) {
      for (; row < (window.chunksEnd[i] as number); row++) if (!empty.has(row)) chunks.move(row, kept++);
      window.chunksEnd[i] = kept;
    }
    chunks.count = kept;
  }

  /** False where nothing is left of the chunk. */
  #mask(chunks: StoredChunks, row: number, intervals: readonly Interval[]): boolean {
    const ref = chunks.ref[row] as number;
    const data = chunks.buffer[row] as Uint8Array;
    const at = chunks.at[row] as number;
    const place = {name: `${this.#block.dir} segment ${segmentOf(ref)}`, offset: offsetOf(ref)};
    const length = (chunks.end[row] as number) - at - 1;
    const left = maskChunk(data[at] as number, data, at + 1, length, intervals, place);
    if (left === undefined) return false;
    const bytes = new Uint8Array(1 + left.data.length);
    bytes[0] = left.encoding;
    bytes.set(left.data, 1);
    chunks.mint[row] = left.mint;
    chunks.maxt[row] = left.maxt;
    chunks.put(row, bytes, 0, bytes.length, crc32c(bytes), false);
    return true;
  }
}
