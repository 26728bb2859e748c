import type {Matcher} from "@strata/model";
import type {Select} from "@strata/series";
import {type Row, rowMemory} from "./block-reader.ts";
import type {BucketBlock} from "./bucket-block.ts";
import {matchersKey} from "./cache-keys.ts";

/** Kept when nothing else is said: the selections of some dashboards over a day. */
export const DEFAULT_ROW_CACHE_BYTES = 64 << 20;

/** No selection takes more than this share, so that a wide one does not drive out many small ones. */
const SELECTION_SHARE = 1 / 16;

/** What a text takes beside its characters, and a selection beside its rows. */
const TEXT_BYTES = 24;
const SELECTION_BYTES = 256;

/** A row takes no less: with more of them than this allows, keeping is not even tried. */
const LEAST_ROW_BYTES = 256;

/** Of longer blocks a query may want so little that reading all places of chunks would cost more than is saved. */
const LONGEST_BLOCK_MS = 24 * 3_600_000;

/** Times that no chunk lies beyond. */
const EVER = {mint: -Number.MAX_VALUE, maxt: Number.MAX_VALUE};

type Selection = {readonly rows: readonly Row[]; readonly bytes: number};

/**
 * Rows of selections in single blocks, labels and places of all chunks, kept in memory for those who ask the same again:
 * panels and rules do nothing else. Blocks never change. PERF: an index answers from the operating system's memory, and
 * still posting lists, entries, symbols and label sets are a third of a small call.
 */
export class RowCache {
  readonly #maxBytes: number;
  /** The least recently used first. */
  readonly #selections = new Map<string, Selection>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of all that is kept, as they are counted. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The block's rows that match, in batches, cut to the query's times; undefined where they are not known. */
  find(block: BucketBlock, matchers: readonly Matcher[], q: Select): readonly Row[] | undefined {
    if (!suits(q)) return undefined;
    const key = keyOf(block, matchers, q);
    const found = this.#selections.get(key);
    if (found === undefined) return undefined;
    this.#selections.delete(key);
    this.#selections.set(key, found);
    return found.rows;
  }

  /**
   * What to read instead of `q` so that the rows can be kept, and where to put them; undefined where it is not worth it
   * or they are too many. `series` is how many there are.
   */
  keeper(block: BucketBlock, matchers: readonly Matcher[], q: Select, series: number): RowKeeper | undefined {
    const most = this.#maxBytes * SELECTION_SHARE;
    const whole = q.mint <= block.minTime && q.maxt >= block.maxTime - 1;
    if (!suits(q) || (!whole && block.maxTime - block.minTime > LONGEST_BLOCK_MS)) return undefined;
    if (series * LEAST_ROW_BYTES > most) return undefined;
    const key = keyOf(block, matchers, q);
    return new RowKeeper(q, most, (rows, bytes) => this.#put(key, {rows, bytes: bytes + 2 * key.length}));
  }

  /** Forgets what it knows of a block. */
  drop(ulid: string): void {
    for (const key of this.#selections.keys()) if (key.startsWith(ulid)) this.#remove(key);
  }

  #put(key: string, selection: Selection): void {
    this.#remove(key);
    this.#selections.set(key, selection);
    this.#bytes += selection.bytes;
    for (const oldest of this.#selections.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const selection = this.#selections.get(key);
    if (selection === undefined) return;
    this.#selections.delete(key);
    this.#bytes -= selection.bytes;
  }
}

/** Collects the rows of one selection while they are used. */
export class RowKeeper {
  /** Reads the rows of all times. */
  readonly asked: Select;
  readonly #most: number;
  readonly #put: (rows: readonly Row[], bytes: number) => void;
  #rows: Row[] | undefined = [];
  #bytes = SELECTION_BYTES;
  #previous: readonly string[] = [];

  constructor(q: Select, most: number, put: (rows: readonly Row[], bytes: number) => void) {
    this.asked = {...q, ...EVER};
    this.#most = most;
    this.#put = put;
  }

  add(rows: readonly Row[]): void {
    for (const row of rows) {
      if (this.#rows === undefined) return;
      this.#rows.push(row);
      this.#bytes += rowMemory(row) + this.#newTexts(row.labels.pairs);
      if (this.#bytes > this.#most) this.#rows = undefined;
    }
  }

  /** All rows were added. */
  done(): void {
    if (this.#rows !== undefined) this.#put(this.#rows, this.#bytes);
  }

  /** Bytes of the texts that the row before does not have: those are shared. */
  #newTexts(pairs: readonly string[]): number {
    let bytes = 0;
    for (let i = 0; i < pairs.length; i++) {
      const text = pairs[i] as string;
      if (text !== this.#previous[i]) bytes += TEXT_BYTES + 2 * text.length;
    }
    this.#previous = pairs;
    return bytes;
  }
}
/** Without chunks or in shards nothing is asked often. */
const suits = (q: Select): boolean => !q.skipChunks && q.shard === undefined;

const keyOf = (block: BucketBlock, matchers: readonly Matcher[], q: Select): string =>
  `${block.ulid}${JSON.stringify(q.withoutReplicaLabels)}${matchersKey(matchers)}`;

/** Rows with those of their chunks that touch [mint, maxt]; rows without such are left out. */
export function cutRows(rows: readonly Row[], mint: number, maxt: number): Row[] {
  const out: Row[] = [];
  for (const row of rows) {
    const {chunks, from, to} = row;
    let first = -1;
    let last = -1;
    let count = 0;
    for (let c = from; c < to; c++) {
      if ((chunks.maxt[c] as number) < mint || (chunks.mint[c] as number) > maxt) continue;
      if (first < 0) first = c;
      last = c;
      count++;
    }
    if (count === 0) continue;
    if (count === to - from) out.push(row);
    else if (count === last - first + 1) out.push({labels: row.labels, chunks, from: first, to: last + 1});
    else out.push(picked(row, mint, maxt, count));
  }
  return out;
}

/** The chunks that touch the times do not stand side by side, as those of overlapping blocks compacted by others. */
function picked({labels, chunks, from, to}: Row, mint: number, maxt: number, count: number): Row {
  const column = () => new Float64Array(count);
  const own = {mint: column(), maxt: column(), ref: column()};
  let n = 0;
  for (let c = from; c < to; c++) {
    const [begin, end] = [chunks.mint[c] as number, chunks.maxt[c] as number];
    if (end < mint || begin > maxt) continue;
    own.mint[n] = begin;
    own.maxt[n] = end;
    own.ref[n++] = chunks.ref[c] as number;
  }
  return {labels, chunks: own, from: 0, to: count};
}
