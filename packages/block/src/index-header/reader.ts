import {FileAccess, INDEX_V1, type RandomAccess, SERIES_ALIGN} from "@strata/tsdb/blocks";
import {type HeaderLayout, readLayout} from "./header-layout.ts";
import type {PostingOffsets, ValueRanges} from "./posting-offsets.ts";
import {PostingsTable} from "./postings-table.ts";
import {SymbolTable} from "./symbol-table.ts";
import {WholePostingsTable} from "./whole-postings-table.ts";

/**
 * An open index-header: symbols and posting offsets of one block. Only every 32nd entry is in memory (of index version 1,
 * which is in no order, all posting offsets); lookups read the file. Whoever opens it closes it.
 */
export class IndexHeaderReader {
  readonly symbols: SymbolTable;
  readonly postings: PostingOffsets;
  readonly #source: RandomAccess;
  readonly #layout: HeaderLayout;

  private constructor(source: RandomAccess, layout: HeaderLayout, symbols: SymbolTable, postings: PostingOffsets) {
    this.#source = source;
    this.#layout = layout;
    this.symbols = symbols;
    this.postings = postings;
  }

  /** Opens and checks the file at `path`. Throws `corrupt` for a damaged one, `not_found` for a missing one. */
  static async open(path: string): Promise<IndexHeaderReader> {
    return IndexHeaderReader.over(await FileAccess.open(path));
  }

  /** Reads and checks what `source` holds, which it closes, also when it throws `corrupt`. */
  static async over(source: RandomAccess): Promise<IndexHeaderReader> {
    try {
      const layout = await readLayout(source);
      const symbols = await SymbolTable.load(source, layout);
      const table = layout.indexVersion === INDEX_V1 ? WholePostingsTable : PostingsTable;
      const postings = await table.load(source, layout);
      return new IndexHeaderReader(source, layout, symbols, postings);
    } catch (err) {
      await source.close();
      throw err;
    }
  }

  get indexVersion(): number {
    return this.#layout.indexVersion;
  }

  /** What the ids of series are multiplied by to get the offsets of their entries in the index. */
  get seriesScale(): number {
    return this.#layout.indexVersion === INDEX_V1 ? 1 : SERIES_ALIGN;
  }

  /** Where the posting lists end in the index: all series lie before it. */
  get postingsEnd(): number {
    return this.#layout.lastPostingEnd;
  }

  /** Bytes in memory, about. */
  get byteLength(): number {
    return this.symbols.byteLength + this.postings.byteLength;
  }

  labelNames(): string[] {
    return this.postings.labelNames();
  }

  async labelValues(name: string): Promise<readonly string[]> {
    return (await this.postings.select(name, "", () => true)).values;
  }

  /** Values of `name` that `keep` wants, with the byte ranges of their posting lists in the index. */
  async select(name: string, prefix: string, keep: (value: string) => boolean): Promise<ValueRanges> {
    return this.postings.select(name, prefix, keep);
  }

  async close(): Promise<void> {
    await this.#source.close();
  }
}
