import {StrataError} from "@strata/base";
import {ByteWriter, crc32c} from "@strata/bytes";
import {compareUtf8} from "@strata/model";
import {INDEX_MAGIC, INDEX_V2, SERIES_ALIGN} from "../index/index-format.ts";
import {Symbols} from "../index/symbols.ts";
import type {RandomAccess} from "../random-access.ts";
import {writeU32} from "../wire.ts";
import {FileSink} from "./file-sink.ts";
import {PairTable} from "./pair-table.ts";

const POSTINGS_ALIGN = 4;
/** Label pairs whose texts are looked up together for the postings offset table. */
const PAIR_BATCH = 4096;
const MAX_SERIES_ID = 0xffffffff;

/** Chunks of one series as columns of which the first `count` entries count; see SeriesEntry. */
export type ChunkMetas = {
  readonly mint: ArrayLike<number>;
  readonly maxt: ArrayLike<number>;
  readonly chunkRef: ArrayLike<number>;
  readonly count: number;
};

/**
 * Writes an index of version 2 in one pass: all symbols ascending, then all series in label order, then `finish`. What
 * stays in memory is four bytes for each label of each series and some twenty for each distinct label pair.
 */
export class IndexWriter {
  readonly #sink: FileSink;
  readonly #entry = new ByteWriter(1024);
  readonly #length = new ByteWriter(10);
  readonly #pairs = new PairTable();
  /** Pair numbers of all series one after the other; series i has #labelsEnd[i] of them, counted from the start. */
  #labels = new Uint32Array(4096);
  #labelCount = 0;
  #ids = new Uint32Array(512);
  #labelsEnd = new Uint32Array(512);
  #series = 0;
  #symbolCount = 0;
  #lastSymbol = "";
  #seriesStart = 0;
  readonly #lastRefs: number[] = [];
  readonly #lastPairs: number[] = [];
  #lastChunk = -1;

  private constructor(sink: FileSink) {
    this.#sink = sink;
    const header = new ByteWriter();
    header.u32be(INDEX_MAGIC);
    header.u8(INDEX_V2);
    // Length and count of the symbol table, filled in when they are known.
    header.zeros(8);
    sink.write(header.view());
  }

  /** Creates the file `path`, which must not exist. */
  static async create(path: string): Promise<IndexWriter> {
    return new IndexWriter(await FileSink.create(path));
  }

  get series(): number {
    return this.#series;
  }

  /** Adds the next symbol, above the last one by bytes, and gives its reference. */
  addSymbol(text: string): number {
    if (this.#symbolCount > 0 && compareUtf8(this.#lastSymbol, text) >= 0) {
      throw new StrataError(
        "internal",
        `BUG: symbol ${JSON.stringify(text)} after ${JSON.stringify(this.#lastSymbol)}`,
      );
    }
    this.#lastSymbol = text;
    this.#entry.reset();
    this.#entry.str(text);
    this.#sink.write(this.#entry.view());
    return this.#symbolCount++;
  }

  /** Must be called once between the last symbol and the first series. */
  async endSymbols(): Promise<void> {
    const at = 5;
    const length = this.#sink.position - at - 4;
    const head = new Uint8Array(8);
    writeU32(head, 0, length);
    writeU32(head, 4, this.#symbolCount);
    await this.#sink.patch(at, head);
    this.#sink.write(u32Bytes(await this.#sumOf(at + 4, length)));
    this.#seriesStart = this.#sink.position;
  }

  /** CRC of bytes written before: the count in front of the symbols is only known behind them. */
  async #sumOf(from: number, length: number): Promise<number> {
    let sum = 0;
    for (let at = 0; at < length; at += 1024 * 1024) {
      sum = crc32c(await this.#sink.readBack(from + at, Math.min(1024 * 1024, length - at)), 0, undefined, sum);
    }
    return sum;
  }

  /**
   * Adds a series: symbol references of its labels (name, value, name, value …), sorted as labels are, and its chunks.
   * Series must ascend; chunk references ascend over the whole file; each chunk starts behind the last one's end.
   * Returns the series' id. Call `drain` between series.
   */
  addSeries(refs: readonly number[], chunks: ChunkMetas): number {
    if (this.#series > 0 && compareRefs(this.#lastRefs, refs) >= 0) {
      throw new StrataError("conflict", `cannot write index: series ${this.#series} is not above the one before it`);
    }
    this.#sink.pad(SERIES_ALIGN);
    const id = this.#sink.position / SERIES_ALIGN;
    if (id > MAX_SERIES_ID) throw new StrataError("limit", "cannot write index: series beyond 64 GiB have no id");
    this.#remember(id, refs);
    const entry = this.#entry;
    entry.reset();
    entry.uvarint(refs.length / 2);
    for (let i = 0; i < refs.length; i++) entry.uvarint(refs[i] as number);
    this.#writeChunks(entry, chunks);
    entry.u32be(crc32c(entry.view()));
    const length = this.#length;
    length.reset();
    length.uvarint(entry.length - 4);
    this.#sink.write(length.view());
    this.#sink.write(entry.view());
    return id;
  }

  #writeChunks(entry: ByteWriter, {mint, maxt, chunkRef, count}: ChunkMetas): void {
    entry.uvarint(count);
    for (let i = 0; i < count; i++) {
      const from = mint[i] as number;
      const to = maxt[i] as number;
      const ref = chunkRef[i] as number;
      const before = i === 0 ? Number.NEGATIVE_INFINITY : (maxt[i - 1] as number);
      if (from > to || from <= before || ref <= this.#lastChunk) {
        throw new StrataError("conflict", `cannot write index: chunk [${from}, ${to}] at ${ref} is out of order`);
      }
      if (i === 0) {
        entry.varint(from);
        entry.uvarint(to - from);
        entry.uvarint(ref);
      } else {
        entry.uvarint(from - before);
        entry.uvarint(to - from);
        entry.varint(ref - this.#lastChunk);
      }
      this.#lastChunk = ref;
    }
  }

  #remember(id: number, refs: readonly number[]): void {
    const labels = refs.length / 2;
    this.#labels = reserved(this.#labels, this.#labelCount + labels);
    this.#ids = reserved(this.#ids, this.#series + 1);
    this.#labelsEnd = reserved(this.#labelsEnd, this.#series + 1);
    const pairs = this.#lastPairs;
    for (let i = 0; i < labels; i++) {
      const name = refs[2 * i] as number;
      const value = refs[2 * i + 1] as number;
      // PERF: neighbours share most labels, and comparing costs a fifth of a table lookup.
      const same = this.#lastRefs[2 * i] === name && this.#lastRefs[2 * i + 1] === value;
      const pair = same ? (pairs[i] as number) : this.#pairs.intern(name, value);
      pairs[i] = pair;
      this.#labels[this.#labelCount++] = pair;
    }
    this.#ids[this.#series] = id;
    this.#labelsEnd[this.#series++] = this.#labelCount;
    // PERF: filled anew instead of copied; arrays for each series were a tenth of a merge's garbage.
    this.#lastRefs.length = refs.length;
    for (let i = 0; i < refs.length; i++) this.#lastRefs[i] = refs[i] as number;
  }

  /** A promise where the buffer is due to be written out. */
  drain(): Promise<void> | undefined {
    return this.#sink.isDue ? this.#sink.flush() : undefined;
  }

  /** Writes posting lists, their table and the table of contents; syncs and closes the file. Returns its size. */
  async finish(): Promise<number> {
    const postings = this.#sink.position;
    const {from, ids} = this.#listsByPair();
    const order = this.#pairs.sorted();
    const places = new Float64Array(order.length);
    const all = this.#writeList(this.#ids.subarray(0, this.#series));
    for (let i = 0; i < order.length; i++) {
      const pair = order[i] as number;
      places[i] = this.#writeList(ids.subarray(from[pair], from[pair + 1]));
      await this.#sink.drain();
    }
    const table = this.#sink.position;
    await this.#writeTable(order, places, all);
    this.#writeToc(postings, table);
    const size = this.#sink.position;
    await this.#sink.finish();
    return size;
  }

  /** Closes without finishing; the file is of no use then. */
  async abort(): Promise<void> {
    await this.#sink.close();
  }

  /** Series ids by pair (a counting sort): those of pair p are ids[from[p], from[p + 1]), ascending as series came. */
  #listsByPair(): {from: Uint32Array; ids: Uint32Array} {
    const from = new Uint32Array(this.#pairs.count + 2);
    for (let i = 0; i < this.#labelCount; i++) {
      const slot = (this.#labels[i] as number) + 2;
      from[slot] = (from[slot] as number) + 1;
    }
    for (let p = 1; p < from.length; p++) from[p] = (from[p] as number) + (from[p - 1] as number);
    const ids = new Uint32Array(this.#labelCount);
    let at = 0;
    for (let s = 0; s < this.#series; s++) {
      for (; at < (this.#labelsEnd[s] as number); at++) {
        const slot = (this.#labels[at] as number) + 1;
        ids[from[slot] as number] = this.#ids[s] as number;
        from[slot] = (from[slot] as number) + 1;
      }
    }
    return {from, ids};
  }

  /** Writes one list at the next multiple of four; its offset. */
  #writeList(ids: Uint32Array): number {
    this.#sink.pad(POSTINGS_ALIGN);
    const at = this.#sink.position;
    const bytes = new Uint8Array(12 + 4 * ids.length);
    const end = 8 + 4 * ids.length;
    writeU32(bytes, 0, end - 4);
    writeU32(bytes, 4, ids.length);
    for (let i = 0; i < ids.length; i++) writeU32(bytes, 8 + 4 * i, ids[i] as number);
    writeU32(bytes, end, crc32c(bytes, 4, end));
    this.#sink.write(bytes);
    return at;
  }

  async #writeTable(order: Uint32Array, places: Float64Array, all: number): Promise<void> {
    const at = this.#sink.position;
    this.#sink.write(new Uint8Array(4));
    const entries = new ByteWriter(64 * 1024);
    let sum = 0;
    const put = async (): Promise<void> => {
      sum = crc32c(entries.view(), 0, undefined, sum);
      this.#sink.write(entries.view());
      entries.reset();
      await this.#sink.drain();
    };
    entries.u32be(order.length + 1);
    tableEntry(entries, "", "", all);
    const symbols = await Symbols.open(this.#written(), 5, INDEX_V2);
    for (let from = 0; from < order.length; from += PAIR_BATCH) {
      const batch = order.subarray(from, from + PAIR_BATCH);
      const refs = new Set<number>();
      for (const pair of batch) refs.add(this.#pairs.name(pair)).add(this.#pairs.value(pair));
      const texts = await symbols.resolve(refs);
      batch.forEach((pair, i) => {
        const name = texts.get(this.#pairs.name(pair)) as string;
        const value = texts.get(this.#pairs.value(pair)) as string;
        tableEntry(entries, name, value, places[from + i] as number);
      });
      await put();
    }
    await put();
    const length = this.#sink.position - at - 4;
    this.#sink.write(u32Bytes(sum));
    await this.#sink.patch(at, u32Bytes(length));
  }

  /** What was written so far as a file to read. */
  #written(): RandomAccess {
    return {
      name: this.#sink.path,
      size: this.#sink.position,
      read: (offset, length) => this.#sink.readBack(offset, length),
      close: async () => {},
    };
  }

  #writeToc(postings: number, table: number): void {
    const toc = new ByteWriter();
    // Label indices are no longer written: their places repeat those of the postings.
    for (const offset of [5, this.#seriesStart, postings, table, postings, table]) toc.u64be(offset);
    toc.u32be(crc32c(toc.view()));
    this.#sink.write(toc.view());
  }
}

function tableEntry(out: ByteWriter, name: string, value: string, list: number): void {
  out.uvarint(2);
  out.str(name);
  out.str(value);
  out.uvarint(list);
}

/** Order of label sets by their symbol references, which ascend as the texts do. */
export function compareRefs(a: readonly number[], b: readonly number[]): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const c = (a[i] as number) - (b[i] as number);
    if (c !== 0) return c;
  }
  return a.length - b.length;
}

function u32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeU32(bytes, 0, value);
  return bytes;
}

function reserved(column: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  if (length <= column.length) return column;
  const next = new Uint32Array(Math.max(column.length * 2, length));
  next.set(column);
  return next;
}
