import {compareLabels, type Matcher, shardOf} from "@strata/model";
import type {Select, Shard} from "@strata/series";
import {CHUNK_BYTES, type Row, rowMemory} from "./block-reader.ts";
import type {BucketBlock} from "./bucket-block.ts";
import {matchersKey} from "./cache-keys.ts";

/** Kept when nothing else is said: the selections of some dashboards over a day. */
export const DEFAULT_ROW_CACHE_BYTES = 64 << 20;

/** No selection takes more than this share, so that a wide one does not drive out many small ones. */
const SELECTION_SHARE = 1 / 16;

/** What a text takes beside its characters, and a selection beside its rows. */
const TEXT_BYTES = 24;
const SELECTION_BYTES = 256;

/** A row takes no less beside its chunks: with more of them than this allows, keeping is not even tried. */
const LEAST_ROW_BYTES = 232;

/** Times that no chunk lies beyond. */
const EVER = {mint: -Number.MAX_VALUE, maxt: Number.MAX_VALUE};

/** What a row takes in the list of its shard: a reference, with room to grow and a part of the list itself. */
const LISTED_BYTES = 32;

/** What a row takes beside its chunks where another block's row has the same labels. */
const SHARED_ROW_BYTES = 96;

/** The rows of each shard, for one way of sharding. */
type Spread = {readonly sharding: string; readonly rows: readonly (readonly Row[])[]};

type Selection = {
  readonly rows: readonly Row[];
  readonly bytes: number;
  /** What was asked for, without the block. */
  readonly what: string;
  spread: Spread | undefined;
};

/** Known rows, and how many the matchers select in all shards. */
export type KnownRows = {readonly rows: readonly Row[]; readonly series: number};

/**
 * Rows of selections in single blocks, labels and places of all chunks, kept in memory for those who ask the same again:
 * panels and rules do nothing else. Blocks never change. PERF: an index answers from the operating system's memory, and
 * still posting lists, entries, symbols and label sets are a third of a small call.
 */
export class RowCache {
  readonly #maxBytes: number;
  /** The least recently used first. */
  readonly #selections = new Map<string, Selection>();
  /** Of each selection its rows in the block that came last: their labels serve other blocks, too. */
  readonly #latest = new Map<string, readonly Row[]>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of all that is kept, as they are counted. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The block's rows that match and belong to the query's shard, of all times; undefined where they are not known. */
  find(block: BucketBlock, matchers: readonly Matcher[], q: Select): KnownRows | undefined {
    if (q.skipChunks) return undefined;
    const key = block.ulid + whatOf(matchers, q);
    const found = this.#selections.get(key);
    if (found === undefined) return undefined;
    this.#selections.delete(key);
    this.#selections.set(key, found);
    return {rows: this.#shardRows(found, q.shard), series: found.rows.length};
  }

  /**
   * PERF: the parts of a query that is split and sharded ask for the same few shards of each block again and again; hashing
   * the labels each time was a third of what such a part cost.
   */
  #shardRows(selection: Selection, shard: Shard | undefined): readonly Row[] {
    if (shard === undefined || shard.total < 1) return selection.rows;
    if (shard.total > selection.rows.length) return ofShard(selection.rows, shard);
    const sharding = JSON.stringify([shard.total, shard.by, shard.labels]);
    if (selection.spread?.sharding !== sharding) {
      const rows: Row[][] = Array.from({length: shard.total}, () => []);
      for (const row of selection.rows) rows[shardOf(row.labels, shard)]?.push(row);
      selection.spread = {sharding, rows};
    }
    return selection.spread.rows[shard.index] ?? [];
  }

  /**
   * What to read instead of `q` so that the rows can be kept, and where to put them; undefined where it is not worth it
   * or they are too many. `series` is how many there are.
   */
  keeper(block: BucketBlock, matchers: readonly Matcher[], q: Select, series: number): RowKeeper | undefined {
    const most = this.#maxBytes * SELECTION_SHARE;
    if (q.skipChunks || series * leastRowBytes(block) > most) return undefined;
    const what = whatOf(matchers, q);
    return new RowKeeper(q, most, (rows) => this.#put(block.ulid + what, what, rows));
  }

  /** Forgets what it knows of a block. */
  drop(ulid: string): void {
    for (const key of this.#selections.keys()) if (key.startsWith(ulid)) this.#remove(key);
  }

  #put(key: string, what: string, own: readonly Row[]): void {
    this.#remove(key);
    const {rows, bytes} = sharingLabels(own, this.#latest.get(what) ?? []);
    const selection = {rows, bytes: bytes + 2 * key.length, what, spread: undefined};
    this.#selections.set(key, selection);
    this.#latest.set(what, rows);
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
    if (this.#latest.get(selection.what) === selection.rows) this.#latest.delete(selection.what);
    this.#bytes -= selection.bytes;
  }
}

/** Collects the rows of one selection while they are used. */
export class RowKeeper {
  /** Reads the rows of all times and shards. */
  readonly asked: Select;
  readonly #most: number;
  readonly #put: (rows: readonly Row[]) => void;
  #rows: Row[] | undefined = [];
  readonly #meter = new RowMeter();

  constructor(q: Select, most: number, put: (rows: readonly Row[]) => void) {
    this.asked = {...q, ...EVER, shard: undefined};
    this.#most = most;
    this.#put = put;
  }

  add(rows: readonly Row[]): void {
    for (const row of rows) {
      if (this.#rows === undefined) return;
      this.#rows.push(row);
      this.#meter.add(row);
      if (this.#meter.bytes > this.#most) this.#rows = undefined;
    }
  }

  /** All rows were added. */
  done(): void {
    if (this.#rows !== undefined) this.#put(this.#rows);
  }
}

/** Counts the bytes of a selection whose rows come in order. */
class RowMeter {
  bytes = SELECTION_BYTES;
  #previous: readonly string[] = [];

  add(row: Row): void {
    const {pairs} = row.labels;
    this.bytes += rowMemory(row) + LISTED_BYTES;
    // Texts that the row before does not have: the others are shared.
    for (let i = 0; i < pairs.length; i++) {
      const text = pairs[i] as string;
      if (text !== this.#previous[i]) this.bytes += TEXT_BYTES + 2 * text.length;
    }
    this.#previous = pairs;
  }

  /** A row that has its labels with others. */
  addShared({from, to}: Row): void {
    this.bytes += SHARED_ROW_BYTES + CHUNK_BYTES * (to - from) + LISTED_BYTES;
  }
}

/** The rows with the labels of `other` where they are equal, and the bytes they take; both lists are in label order. */
function sharingLabels(rows: readonly Row[], other: readonly Row[]): {rows: readonly Row[]; bytes: number} {
  const meter = new RowMeter();
  let at = 0;
  const out = rows.map((row) => {
    while (at < other.length && compareLabels((other[at] as Row).labels, row.labels) < 0) at++;
    const labels = other[at]?.labels;
    if (labels === undefined || compareLabels(labels, row.labels) !== 0) {
      meter.add(row);
      return row;
    }
    meter.addShared(row);
    return {...row, labels};
  });
  return {rows: out, bytes: meter.bytes};
}

/** What a row of the block takes at the least: long blocks have many chunks a series. */
function leastRowBytes({meta}: BucketBlock): number {
  const {numChunks, numSeries} = meta.stats;
  return LEAST_ROW_BYTES + CHUNK_BYTES * (numSeries > 0 ? numChunks / numSeries : 1);
}

const whatOf = (matchers: readonly Matcher[], q: Select): string =>
  `${JSON.stringify(q.withoutReplicaLabels)}${matchersKey(matchers)}`;

/** Those of the rows that belong to the shard. */
export function ofShard(rows: readonly Row[], shard: Shard | undefined): readonly Row[] {
  if (shard === undefined || shard.total < 1) return rows;
  return rows.filter(({labels}) => shardOf(labels, shard) === shard.index);
}

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
