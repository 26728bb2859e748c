import type {Labels, Matcher} from "@strata/model";
import type {Select} from "@strata/series";
import {BlockReader, type Row, rowMemory} from "./block-reader.ts";
import {blockRows, knownRows} from "./block-rows.ts";
import type {BucketBlock} from "./bucket-block.ts";
import type {ReadContext} from "./read-context.ts";

/** A block to read and the matchers that its external labels left over. */
export type BlockSelection = {readonly block: BucketBlock; readonly matchers: readonly Matcher[]};

/** Where a merge stands in one block. The next batch of rows is read while the second half of the present one is merged. */
export class RowCursor {
  readonly block: BucketBlock;
  readonly #matchers: readonly Matcher[];
  readonly #q: Select;
  readonly #batchRows: number;
  readonly #ctx: ReadContext;
  #release: (() => Promise<void>) | undefined;
  #rows: AsyncGenerator<Row[]> | undefined;
  #next: Promise<IteratorResult<Row[]>> | undefined;
  #reader: BlockReader | undefined;
  #batch: readonly Row[] = [];
  /** Bytes counted for the rows at hand and as many being read ahead. */
  #held = 0;
  #at = 0;

  constructor({block, matchers}: BlockSelection, q: Select, batchRows: number, ctx: ReadContext) {
    this.block = block;
    this.#matchers = matchers;
    this.#q = q;
    this.#batchRows = batchRows;
    this.#ctx = ctx;
  }

  /** Gets the first rows, from the index unless they are known. */
  async open(): Promise<void> {
    const known = this.#ctx.rowCache?.find(this.block, this.#matchers, this.#q);
    if (known !== undefined) {
      this.#rows = knownRows(known, this.#q, this.#batchRows, this.#ctx);
      return this.load();
    }
    const {reader, release} = await this.block.header.acquire();
    this.#release = release;
    const blockReader = new BlockReader(this.block, reader, this.#ctx);
    this.#reader = blockReader;
    this.#rows = blockRows(blockReader, this.#matchers, this.#q, this.#batchRows, this.#ctx);
    await this.load();
  }

  /** The row the cursor is at; undefined at the end. */
  get row(): Row | undefined {
    return this.#batch[this.#at];
  }

  get labels(): Labels | undefined {
    return this.#batch[this.#at]?.labels;
  }

  /** Goes to the next row; false when `load` has to be awaited first. */
  step(): boolean {
    this.#at++;
    if (this.#at === this.#batch.length >> 1) this.#prefetch();
    return this.#at < this.#batch.length;
  }

  /** Waits for the next rows; leaves the cursor at its end when there are none. */
  async load(): Promise<void> {
    this.#hold([]);
    this.#at = 0;
    while (this.#rows !== undefined) {
      this.#prefetch();
      const next = this.#next;
      if (next === undefined) return;
      const {value, done} = await next;
      this.#next = undefined;
      if (done === true) {
        this.#rows = undefined;
        return;
      }
      if (value.length === 0) continue;
      this.#hold(value);
      return;
    }
  }

  #hold(rows: readonly Row[]): void {
    this.#batch = [];
    this.#ctx.budget.give(this.#held);
    this.#held = 0;
    let bytes = 0;
    for (const row of rows) bytes += rowMemory(row);
    this.#ctx.budget.take(2 * bytes, `series of block ${this.block.ulid}`);
    this.#held = 2 * bytes;
    this.#batch = rows;
  }

  #prefetch(): void {
    this.#next ??= this.#rows?.next();
    // It is awaited at the next `load`; should the merge end before, nobody looks at its failure.
    this.#next?.catch(() => undefined);
  }

  /** Ends the cursor at once: what it has left is not asked for any more. */
  async close(): Promise<void> {
    this.#hold([]);
    this.#next = undefined;
    const rows = this.#rows;
    const reader = this.#reader;
    const release = this.#release;
    this.#rows = undefined;
    this.#reader = undefined;
    this.#release = undefined;
    await rows?.return(undefined);
    reader?.close();
    await release?.();
  }
}
