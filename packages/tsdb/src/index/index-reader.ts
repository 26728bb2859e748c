import {Labels} from "@strata/model";
import {FileAccess, type Piece, type RandomAccess, readPieces} from "../random-access.ts";
import {corrupt} from "../wire.ts";
import {EntryScanner} from "./entry-scanner.ts";
import {
  INDEX_HEADER_BYTES,
  INDEX_V1,
  INDEX_V2,
  type IndexToc,
  parseIndexHeader,
  parseIndexToc,
  SERIES_ALIGN,
  TOC_BYTES,
} from "./index-format.ts";
import {decodePostingList} from "./posting-list.ts";
import {PostingsTable} from "./postings-table.ts";
import type {PostingsSource} from "./select-postings.ts";
import {decodeSeriesEntry, SeriesEntry, seriesEntrySize} from "./series-entry.ts";
import {Symbols} from "./symbols.ts";

/** A series entry is read with this much at once; a longer one takes a second read. */
const ENTRY_GUESS = 512;
/** How many series entries are decoded before their symbols are resolved together. */
export const ENTRY_BATCH = 512;

/** What `readSeries` tells of one series. The entry is reused: copy what is kept. */
export type SeriesVisitor = (id: number, labels: Labels, entry: SeriesEntry) => void;

/**
 * Reads an index file, version 1 or 2, through positioned reads. In memory: every 32nd symbol's place, every 32nd value
 * of each label name, a bounded cache of texts. Series ids are those of the posting lists: offset/16 in version 2, the
 * offset itself in version 1. Checksums are verified wherever bytes are read.
 */
export class IndexReader implements PostingsSource {
  readonly version: number;
  readonly toc: IndexToc;
  readonly size: number;
  readonly symbols: Symbols;
  readonly table: PostingsTable;
  readonly #file: RandomAccess;
  /** Entries to decode into that no call uses now. PERF: making 512 of them anew took a tenth of a select. */
  readonly #pools: SeriesEntry[][] = [];

  private constructor(file: RandomAccess, version: number, toc: IndexToc, symbols: Symbols, table: PostingsTable) {
    this.version = version;
    this.toc = toc;
    this.size = file.size;
    this.symbols = symbols;
    this.table = table;
    this.#file = file;
  }

  /** Opens the index at `path`; `name` is for messages. Throws `corrupt`, `not_found`, `unavailable`. */
  static async openFile(path: string): Promise<IndexReader> {
    const file = await FileAccess.open(path);
    try {
      return await IndexReader.open(file);
    } catch (err) {
      await file.close();
      throw err;
    }
  }

  /** Takes over `file`: `close` closes it. */
  static async open(file: RandomAccess): Promise<IndexReader> {
    if (file.size < INDEX_HEADER_BYTES + TOC_BYTES)
      throw corrupt(file.name, 0, "too short for an index", "index-too-short");
    const version = parseIndexHeader(await file.read(0, INDEX_HEADER_BYTES), file.name);
    const toc = parseIndexToc(await file.read(file.size - TOC_BYTES, TOC_BYTES), file.name, file.size);
    const symbols = await Symbols.open(file, toc.symbols, version);
    const table = await PostingsTable.open(file, toc.postingsTable, toc.postingsTable, version === INDEX_V2);
    return new IndexReader(file, version, toc, symbols, table);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async all(): Promise<Uint32Array> {
    const [list] = await this.postings("", [""]);
    return list ?? new Uint32Array(0);
  }

  async labelNames(): Promise<readonly string[]> {
    return this.table.names();
  }

  async labelValues(name: string, prefix = ""): Promise<readonly string[]> {
    return this.table.values(name, prefix);
  }

  cardinality(name: string): number {
    return this.table.valueCount(name);
  }

  /** The lists of those of the values that exist. */
  async postings(name: string, values: readonly string[]): Promise<readonly Uint32Array[]> {
    const pieces: Piece[] = [];
    const ranges = await this.table.lists(name, values);
    ranges.forEach((range, index) => {
      if (range === undefined) return;
      if (range.to > this.#file.size || range.from >= range.to) {
        throw corrupt(this.#file.name, range.from, "posting list lies outside the file", "index-postings-checksum");
      }
      pieces.push({from: range.from, to: range.to, index});
    });
    pieces.sort((a, b) => a.from - b.from);
    const lists: Uint32Array[] = [];
    await readPieces(this.#file, pieces, (index, buffer, at, length) => {
      const fileOffset = (ranges[index] as {from: number}).from - at;
      lists.push(decodePostingList(buffer, at, at + length, this.#file.name, fileOffset));
    });
    return lists;
  }

  /**
   * Reads the series of the given ids (ascending) and hands each to `visit`, in order. `wanted` looks at the decoded
   * entry before its labels are made and may turn it away (all chunks outside a time range, say).
   */
  async readSeries(
    ids: Uint32Array,
    visit: SeriesVisitor,
    wanted: (id: number, entry: SeriesEntry) => boolean = () => true,
  ): Promise<void> {
    const pool = this.#pools.pop() ?? [];
    for (let from = 0; from < ids.length; from += ENTRY_BATCH) {
      const batch = ids.subarray(from, from + ENTRY_BATCH);
      while (pool.length < batch.length) pool.push(new SeriesEntry());
      await this.decodeEntries(batch, pool);
      const refs = new Set<number>();
      const kept: number[] = [];
      for (let i = 0; i < batch.length; i++) {
        const entry = pool[i] as SeriesEntry;
        if (!wanted(batch[i] as number, entry)) continue;
        kept.push(i);
        for (let k = 0; k < entry.labels * 2; k++) refs.add(entry.labelRefs[k] as number);
      }
      const texts = await this.symbols.resolve(refs);
      for (const i of kept) {
        const entry = pool[i] as SeriesEntry;
        visit(batch[i] as number, entryLabels(entry, texts), entry);
      }
    }
    this.#pools.push(pool);
  }

  /** Decodes the entry of ids[i] (ascending) into entries[i], without making labels. */
  async decodeEntries(ids: Uint32Array, entries: readonly SeriesEntry[]): Promise<void> {
    const scale = this.version === INDEX_V1 ? 1 : SERIES_ALIGN;
    const limit = this.size - TOC_BYTES;
    const {name} = this.#file;
    const pieces: Piece[] = [];
    for (let i = 0; i < ids.length; i++) {
      const from = (ids[i] as number) * scale;
      if (from >= limit) throw corrupt(name, from, `no series with id ${ids[i]}`, "index-series-checksum");
      pieces.push({from, to: Math.min(from + ENTRY_GUESS, limit), index: i});
    }
    const long: Piece[] = [];
    await readPieces(this.#file, pieces, (index, buffer, at, length) => {
      const from = (ids[index] as number) * scale;
      const size = seriesEntrySize(buffer, at, at + length);
      if (size < 0 || from + size > limit) {
        throw corrupt(name, from, "series entry is longer than the file", "index-series-checksum");
      }
      if (at + size > buffer.length) long.push({from, to: from + size, index});
      else decodeSeriesEntry(buffer, at, at + size, entries[index] as SeriesEntry, name, from - at);
    });
    for (const {from, to, index} of long) {
      const bytes = await this.#file.read(from, to - from);
      decodeSeriesEntry(bytes, 0, bytes.length, entries[index] as SeriesEntry, name, from);
    }
  }

  /** Decodes entries one after the other, for those who go through them all. */
  scanner(): EntryScanner {
    return new EntryScanner(this.#file, this.version === INDEX_V1 ? 1 : SERIES_ALIGN, this.size - TOC_BYTES);
  }

  /** One series by id. */
  async series(id: number): Promise<{labels: Labels; entry: SeriesEntry}> {
    let out: {labels: Labels; entry: SeriesEntry} | undefined;
    await this.readSeries(Uint32Array.of(id), (_, labels, entry) => {
      out = {labels, entry};
    });
    return out as {labels: Labels; entry: SeriesEntry};
  }
}

function entryLabels(entry: SeriesEntry, texts: ReadonlyMap<number, string>): Labels {
  const pairs: string[] = [];
  for (let i = 0; i < entry.labels * 2; i++) pairs.push(texts.get(entry.labelRefs[i] as number) as string);
  return new Labels(pairs);
}
