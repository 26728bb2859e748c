import {ByteBudget, errorCode, StrataError} from "@strata/base";
import type {IndexHeaderReader, ValueRanges} from "@strata/block";
import {compareUtf8, Labels, type Matcher} from "@strata/model";
import {
  decodePostingList,
  decodeSeriesContent,
  decodeSeriesEntry,
  type LabelSource,
  offsetOf,
  SeriesEntry,
  segmentOf,
  seriesEntrySize,
} from "@strata/tsdb/blocks";
import type {BucketBlock} from "./bucket-block.ts";
import {decodePostings, encodePostings} from "./postings-codec.ts";
import {readRanges} from "./range-reads.ts";
import type {ReadContext} from "./read-context.ts";
import {DEFAULT_TENANT} from "./store-metrics.ts";

/** Series entries read and decoded together: some 100 kB of the index. */
const ENTRY_BATCH = 1024;

/** One posting list with all it takes besides the ids; beyond it lies nothing of ours. */
const LENGTH_BYTES = 4;
const COUNT_BYTES = 4;
const ID_BYTES = 4;
const CRC_BYTES = 4;

/** Symbols kept as texts for one call and block; beyond it they are read again. */
const MAX_SYMBOLS = 65_536;

/** Chunks of a batch of rows as columns: times in ms, both inclusive, and references. Rows share them. */
export type ChunkRefs = {readonly mint: Float64Array; readonly maxt: Float64Array; readonly ref: Float64Array};

/** A series while it is merged: labels, and its chunks, the entries [from, to) of its batch's columns. */
export type Row = {readonly labels: Labels; readonly chunks: ChunkRefs; readonly from: number; readonly to: number};

/** About what a held row takes: object headers, and per label and chunk. */
const ROW_BYTES = 160;
const LABEL_BYTES = 16;
export const CHUNK_BYTES = 24;

/** About the bytes that a row holds; texts of labels are shared. */
export const rowMemory = (row: Row): number =>
  ROW_BYTES + LABEL_BYTES * row.labels.size + CHUNK_BYTES * (row.to - row.from);

/** Chunks begin behind the header of their file; blocks have fewer files than this. */
const SEGMENT_HEADER_BYTES = 8;
const MAX_SEGMENTS = 1 << 20;

/** Gets entry i of a request as bytes[from, to), whose first byte lies at file offset `base`. */
type TakeEntry = (i: number, bytes: Uint8Array, from: number, to: number, base: number) => void;

type LabelPair = {readonly name: string; readonly value: string};

/** The list of pair number `pair` as bytes [start, end) of the index. */
type Place = {readonly pair: number; readonly start: number; readonly end: number};

const pairKey = ({name, value}: LabelPair): string => `${name}\0${value}`;

const NO_IDS = new Uint32Array(0);

/** A matcher that names more values than this is not read ahead of its turn. */
const MAX_PREFETCHED_VALUES = 64;

/** Reads one block's index for one call. Valid only inside the `use` of its index-header. */
export class BlockReader implements LabelSource {
  readonly block: BucketBlock;
  readonly #header: IndexHeaderReader;
  readonly #ctx: ReadContext;
  readonly #symbols = new Map<number, string>();
  readonly #entry = new SeriesEntry();
  readonly #prefetched = new Map<string, Uint32Array>();
  /** Posting lists; given back when the reader is closed. */
  readonly #held: ByteBudget;
  #scanned: {readonly name: string; readonly found: ValueRanges} | undefined;

  constructor(block: BucketBlock, header: IndexHeaderReader, ctx: ReadContext) {
    this.block = block;
    this.#header = header;
    this.#ctx = ctx;
    this.#held = new ByteBudget("posting lists of a block", 0, ctx.budget);
  }

  /** Counts the lists it read as dropped. */
  close(): void {
    this.#held.give(this.#held.used);
  }

  async all(): Promise<Uint32Array> {
    return (await this.postings("", [""]))[0] ?? new Uint32Array(0);
  }

  async labelNames(): Promise<readonly string[]> {
    return this.#header.labelNames();
  }

  hasLabel(name: string): boolean {
    return this.#header.postings.has(name);
  }

  cardinality(name: string): number {
    return this.#header.postings.valueCount(name);
  }

  async labelValues(name: string, prefix = ""): Promise<readonly string[]> {
    const found = await this.#header.select(name, prefix, () => true);
    // The lists of most of these are asked for next: their places need not be looked up again.
    this.#scanned = {name, found};
    return found.values;
  }

  /**
   * Gets the lists of all values that the matchers name, at once: later one after the other they would each cost a
   * request's time. Matchers that name many values are left for when it is known whether they are needed.
   */
  async prefetchPostings(matchers: readonly Matcher[]): Promise<void> {
    // Several matchers may name the same list, which is asked for once.
    const named = new Map<string, LabelPair>();
    for (const {name, set} of matchers) {
      const values = set?.filter((value) => value !== "") ?? [];
      if (values.length > MAX_PREFETCHED_VALUES) continue;
      for (const value of values) named.set(pairKey({name, value}), {name, value});
    }
    const pairs = [...named.values()];
    if (pairs.length < 2) return;
    const lists = await this.#lists(pairs);
    for (let i = 0; i < pairs.length; i++) this.#prefetched.set(pairKey(pairs[i] as LabelPair), lists[i] ?? NO_IDS);
  }

  async postings(name: string, values: readonly string[]): Promise<readonly Uint32Array[]> {
    const found: Uint32Array[] = [];
    const missing: LabelPair[] = [];
    for (const value of values) {
      const list = this.#prefetched.get(pairKey({name, value}));
      if (list === undefined) missing.push({name, value});
      else if (list.length > 0) found.push(list);
    }
    if (missing.length === 0) return found;
    for (const list of await this.#lists(missing)) if (list !== undefined) found.push(list);
    return found;
  }

  /** Lists of the pairs, from the cache or the index; undefined where the block has no such pair. */
  async #lists(pairs: readonly LabelPair[]): Promise<readonly (Uint32Array | undefined)[]> {
    const {cache, signal} = this.#ctx;
    const {ulid} = this.block;
    if (!cache.enabled("Postings")) return this.#readPostings(pairs);
    const items = pairs.map(({name, value}) => ({type: "Postings" as const, name, value}));
    const cached = await cache.fetch(ulid, items, signal);
    const lists = cached.map((bytes) => this.cachedIds(bytes, "postings"));
    const missing = pairs.flatMap((_, i) => (lists[i] === undefined ? [i] : []));
    if (missing.length === 0) return lists;
    const read = await this.#readPostings(missing.map((i) => pairs[i] as LabelPair));
    for (let m = 0; m < missing.length; m++) {
      const list = read[m];
      const i = missing[m] as number;
      lists[i] = list;
      if (list !== undefined) cache.store(ulid, items[i] as (typeof items)[number], encodePostings(list));
    }
    return lists;
  }

  /** The ids that cached bytes stand for; undefined for none, and for bytes that cannot be read, which are then replaced. */
  cachedIds(bytes: Uint8Array | undefined, what: "postings" | "expanded postings"): Uint32Array | undefined {
    if (bytes === undefined) return undefined;
    this.#ctx.limits.cachedBytes(bytes.length, what);
    try {
      const ids = decodePostings(bytes);
      this.#held.take(ids.byteLength, "posting lists");
      // Of another index, or of no index at all.
      if (ids.length > 0 && (ids.at(-1) as number) * this.#header.seriesScale >= this.#header.postingsEnd)
        throw beyondIndex();
      this.#ctx.stats.postings.touched++;
      this.#ctx.stats.postings.touchedBytes += bytes.length;
      return ids;
    } catch (err) {
      if (errorCode(err) === "limit") throw err;
      this.#ctx.metrics.codecErrors.with({op: "decode", tenant: DEFAULT_TENANT}).inc();
      this.#ctx.cache.corrupt(what === "postings" ? "Postings" : "ExpandedPostings");
      return undefined;
    }
  }

  /** Lists of the pairs out of the index, near ones in one request. */
  async #readPostings(pairs: readonly LabelPair[]): Promise<readonly (Uint32Array | undefined)[]> {
    const places = await this.#places(pairs);
    places.sort((a, b) => a.start - b.start);
    const starts = places.map((place) => place.start);
    const ends = places.map((place) => place.end);
    const lists: (Uint32Array | undefined)[] = pairs.map(() => undefined);
    const key = this.block.indexKey;
    const {postings} = this.#ctx.stats;
    await readRanges(this.#ctx, key, "postings", starts, ends, (part) => {
      postings.fetchedBytes += part.bytes.length;
      for (let i = part.firstRange; i < part.endRange; i++) {
        const at = (starts[i] as number) - part.start;
        const end = Math.min((ends[i] as number) - part.start, part.bytes.length);
        this.#held.take(end - at, "posting lists");
        lists[(places[i] as Place).pair] = decodePostingList(part.bytes, at, end, key, part.start);
        postings.touchedBytes += end - at;
      }
    });
    postings.touched += places.length;
    postings.fetched += places.length;
    return lists;
  }

  /** Where the lists of those pairs lie that the block has: whole, from the length in front to the CRC behind. */
  async #places(pairs: readonly LabelPair[]): Promise<Place[]> {
    const byName = new Map<string, {value: string; pair: number}[]>();
    for (let pair = 0; pair < pairs.length; pair++) {
      const {name, value} = pairs[pair] as LabelPair;
      const values = byName.get(name);
      if (values === undefined) byName.set(name, [{value, pair}]);
      else values.push({value, pair});
    }
    const places: Place[] = [];
    for (const [name, wanted] of byName) {
      wanted.sort((a, b) => compareUtf8(a.value, b.value));
      const sorted = wanted.map(({value}) => value);
      const ranges = await this.#ranges(name, sorted);
      for (let i = 0; i < wanted.length; i++) {
        const start = ranges[2 * i] as number;
        const {pair} = wanted[i] as {pair: number};
        if (start >= 0)
          places.push({pair, start: start - LENGTH_BYTES, end: (ranges[2 * i + 1] as number) + CRC_BYTES});
      }
    }
    return places;
  }

  /** Ranges of ascending values. */
  async #ranges(name: string, sorted: readonly string[]): Promise<ArrayLike<number>> {
    const scanned = this.#scanned;
    if (scanned === undefined || scanned.name !== name) return this.#header.postings.ranges(name, sorted);
    const {values: known, ranges} = scanned.found;
    const out: number[] = [];
    for (let i = 0, at = 0; i < sorted.length; i++) {
      while (at < known.length && known[at] !== sorted[i]) at++;
      if (at === known.length) return this.#header.postings.ranges(name, sorted);
      out.push(ranges[2 * at] as number, ranges[2 * at + 1] as number);
    }
    return out;
  }

  /** How many of the values exist, and how many ids their lists have together, as the index-header tells. */
  async listSizes(name: string, values: readonly string[]): Promise<{keys: number; series: number}> {
    const ranges = await this.#ranges(name, [...values].sort(compareUtf8));
    let keys = 0;
    let series = 0;
    for (let i = 0; i < ranges.length; i += 2) {
      if ((ranges[i] as number) < 0) continue;
      keys++;
      series += ((ranges[i + 1] as number) - (ranges[i] as number) - COUNT_BYTES) / ID_BYTES;
    }
    return {keys, series};
  }

  /** About what a series entry of the block takes. */
  get entryGuess(): number {
    const {seriesBytes, maxSeriesBytes} = this.#ctx.tuning;
    return Math.min(this.block.meta.thanos?.seriesMaxSize || seriesBytes, maxSeriesBytes);
  }

  /** The labels of each series (ids ascending), in order. */
  async readSeries(ids: Uint32Array, visit: (id: number, labels: Labels) => void): Promise<void> {
    for (let from = 0; from < ids.length; from += ENTRY_BATCH) {
      const batch = ids.subarray(from, from + ENTRY_BATCH);
      const entries = new EntryColumns(batch.length);
      await this.#readEntries(batch, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, true, entries);
      await this.#resolve(entries);
      for (let i = 0; i < batch.length; i++) {
        visit(batch[i] as number, new Labels(this.#pairs(entries, i, Labels.EMPTY)));
      }
    }
  }

  /**
   * Series entries of `ids` (ascending, at most a few thousand) in order: label pairs with those of `external` put in, and
   * the places in `chunks` of those chunks that touch [mint, maxt]. A series without one is left out.
   */
  async readRows(
    ids: Uint32Array,
    mint: number,
    maxt: number,
    skipChunks: boolean,
    external: Labels,
    visit: (pairs: readonly string[], chunks: ChunkRefs, from: number, to: number) => void,
  ): Promise<void> {
    const entries = new EntryColumns(ids.length);
    await this.#readEntries(ids, mint, maxt, skipChunks, entries);
    await this.#resolve(entries);
    const chunks = entries.chunks.refs;
    for (let i = 0; i < entries.count; i++) {
      const to = entries.chunkEnd[i] as number;
      if (entries.kept[i] === 1) visit(this.#pairs(entries, i, external), chunks, entries.chunkStart[i] as number, to);
    }
  }

  /**
   * Label pairs of entry i, with those of `external` at their places, which win over own ones of the same name. PERF:
   * one array a series; making the own pairs first cost a tenth of a select without chunks.
   */
  #pairs(entries: EntryColumns, i: number, external: Labels): string[] {
    const {values} = entries.labelRefs;
    const ext = external.pairs;
    const symbols = this.#symbols;
    const pairs: string[] = [];
    let e = 0;
    const end = entries.labelEnd[i] as number;
    for (let k = entries.labelStart[i] as number; k < end; k += 2) {
      const name = symbols.get(values[k] as number) as string;
      let order = e < ext.length ? compareUtf8(name, ext[e] as string) : -1;
      for (; order >= 0 && e < ext.length; e += 2) {
        pairs.push(ext[e] as string, ext[e + 1] as string);
        if (order === 0) break;
        order = e + 2 < ext.length ? compareUtf8(name, ext[e + 2] as string) : -1;
      }
      if (order === 0) e += 2;
      else pairs.push(name, symbols.get(values[k + 1] as number) as string);
    }
    for (; e < ext.length; e += 2) pairs.push(ext[e] as string, ext[e + 1] as string);
    return pairs;
  }

  async #readEntries(
    ids: Uint32Array,
    mint: number,
    maxt: number,
    skipChunks: boolean,
    out: EntryColumns,
  ): Promise<void> {
    const {cache, tuning, stats, signal} = this.#ctx;
    stats.entries.touched += ids.length;
    if (!tuning.cacheSeries || !cache.enabled("Series")) {
      return this.#fetchEntries(ids, (i, bytes, at, end, base) => {
        decodeSeriesEntry(bytes, at, end, this.#entry, this.block.indexKey, base);
        stats.entries.touchedBytes += end - at;
        this.#keep(out, i, mint, maxt, skipChunks);
      });
    }
    const scale = this.#header.seriesScale;
    const items = Array.from(ids, (id) => ({type: "Series" as const, offset: id * scale}));
    const cached = await cache.fetch(this.block.ulid, items, signal);
    const missing: number[] = [];
    for (let i = 0; i < ids.length; i++) {
      const bytes = cached[i];
      if (bytes === undefined || !this.#decodeCached(bytes)) missing.push(i);
      else this.#keep(out, i, mint, maxt, skipChunks);
    }
    if (missing.length === 0) return;
    const missingIds = Uint32Array.from(missing, (i) => ids[i] as number);
    await this.#fetchEntries(missingIds, (m, bytes, at, end, base) => {
      const i = missing[m] as number;
      decodeSeriesEntry(bytes, at, end, this.#entry, this.block.indexKey, base);
      stats.entries.touchedBytes += end - at;
      this.#keep(out, i, mint, maxt, skipChunks);
      // Compat: the cached form has neither the length in front nor the CRC behind.
      const from = at + lengthBytes(bytes, at);
      cache.store(this.block.ulid, items[i] as (typeof items)[number], bytes.slice(from, end - CRC_BYTES));
    });
  }

  /**
   * Decodes a cached entry; false when it cannot be one of this index: it is then read anew. Compat: the cached form has
   * no checksum.
   */
  #decodeCached(bytes: Uint8Array): boolean {
    this.#ctx.limits.cachedBytes(bytes.length, "series");
    try {
      decodeSeriesContent(bytes, 0, bytes.length, this.#entry, this.block.indexKey, 0);
      if (!this.#isOfThisIndex(this.#entry)) throw beyondIndex();
      this.#ctx.stats.entries.touchedBytes += bytes.length;
      return true;
    } catch (err) {
      if (errorCode(err) !== "corrupt") throw err;
      this.#ctx.cache.corrupt("Series");
      return false;
    }
  }

  /** What other bytes will hardly satisfy: names ascend like their symbols, and chunks lie in the block's time and files. */
  #isOfThisIndex(entry: SeriesEntry): boolean {
    const {labels, labelRefs, chunks, mint, maxt, chunkRef} = entry;
    const {meta} = this.block;
    const segments = meta.thanos?.segmentFiles?.length || MAX_SEGMENTS;
    if (labels === 0 || chunks === 0) return false;
    for (let k = 0; k < labels; k++) {
      const name = labelRefs[2 * k] as number;
      if (k > 0 && name <= (labelRefs[2 * k - 2] as number)) return false;
      if (!this.#header.symbols.has(name) || !this.#header.symbols.has(labelRefs[2 * k + 1] as number)) return false;
    }
    for (let c = 0; c < chunks; c++) {
      const from = mint[c] as number;
      const ref = chunkRef[c] as number;
      if (from < meta.minTime || from > (maxt[c] as number) || (maxt[c] as number) > meta.maxTime) return false;
      if (ref < 0 || segmentOf(ref) >= segments || offsetOf(ref) < SEGMENT_HEADER_BYTES) return false;
    }
    return true;
  }

  /** Reads whole entries, from their length field to their CRC, and hands them to `take` by position in `ids`. */
  async #fetchEntries(ids: Uint32Array, take: TakeEntry): Promise<void> {
    const {stats, metrics} = this.#ctx;
    const key = this.block.indexKey;
    const scale = this.#header.seriesScale;
    const guess = this.entryGuess;
    const starts = new Float64Array(ids.length);
    const ends = new Float64Array(ids.length);
    for (let i = 0; i < ids.length; i++) {
      starts[i] = (ids[i] as number) * scale;
      ends[i] = (starts[i] as number) + guess;
    }
    const tooLong: {index: number; size: number}[] = [];
    await readRanges(this.#ctx, key, "series", starts, ends, (part) => {
      const {bytes} = part;
      stats.entries.fetchedBytes += bytes.length;
      for (let i = part.firstRange; i < part.endRange; i++) {
        const at = (starts[i] as number) - part.start;
        const size = at < bytes.length ? seriesEntrySize(bytes, at, bytes.length) : -1;
        if (size < 0) throw cutEntry(key, starts[i] as number);
        if (at + size > bytes.length) tooLong.push({index: i, size});
        else take(i, bytes, at, at + size, part.start);
      }
    });
    for (const {index, size} of tooLong) {
      const start = starts[index] as number;
      metrics.seriesRefetches.with({tenant: DEFAULT_TENANT}).inc();
      this.#ctx.limits.bytes(size, "series");
      const bytes = await this.#ctx.bucket.getRange(key, start, size, this.#ctx.signal);
      if (bytes.length < size) throw cutEntry(key, start);
      take(index, bytes, 0, size, start);
    }
    stats.entries.fetched += ids.length;
  }

  /** Puts the entry decoded last into row i. */
  #keep(out: EntryColumns, i: number, mint: number, maxt: number, skipChunks: boolean): void {
    const entry = this.#entry;
    out.chunkStart[i] = out.chunks.count;
    // Without a lower bound nobody asks for times: a series without any chunk is wanted, too.
    let overlaps = mint === Number.NEGATIVE_INFINITY;
    for (let c = 0; c < entry.chunks; c++) {
      const from = entry.mint[c] as number;
      const to = entry.maxt[c] as number;
      if (to < mint || from > maxt) continue;
      overlaps = true;
      if (skipChunks) break;
      out.chunks.push(from, to, entry.chunkRef[c] as number);
    }
    out.chunkEnd[i] = out.chunks.count;
    if (!overlaps) return;
    out.kept[i] = 1;
    out.labelStart[i] = out.labelRefs.count;
    out.labelRefs.push(entry.labelRefs, entry.labels * 2);
    out.labelEnd[i] = out.labelRefs.count;
  }

  /** Makes sure that the texts of all label references are at hand. */
  async #resolve(entries: EntryColumns): Promise<void> {
    if (this.#symbols.size > MAX_SYMBOLS) this.#symbols.clear();
    const missing = new Set<number>();
    const {values, count} = entries.labelRefs;
    for (let k = 0; k < count; k++) if (!this.#symbols.has(values[k] as number)) missing.add(values[k] as number);
    if (missing.size === 0) return;
    const sorted = Float64Array.from(missing).sort();
    if ((sorted.at(-1) as number) > 0xffffffff) {
      throw new StrataError("corrupt", `cannot find symbol ${sorted.at(-1)} of block ${this.block.ulid}`, {
        fields: {file: this.block.indexKey},
      });
    }
    const refs = Uint32Array.from(sorted);
    const texts = await this.#header.symbols.lookup(refs);
    for (let i = 0; i < refs.length; i++) this.#symbols.set(refs[i] as number, this.#ctx.texts.one(texts[i] as string));
  }
}

/** Decoded entries of one batch as columns; rows that no chunk of the range touches are not kept. */
class EntryColumns {
  readonly count: number;
  readonly kept: Uint8Array;
  /** Symbol references of entry i: [labelStart[i], labelEnd[i]) of labelRefs. */
  readonly labelStart: Uint32Array;
  readonly labelEnd: Uint32Array;
  readonly labelRefs = new NumberList();
  readonly chunkStart: Uint32Array;
  readonly chunkEnd: Uint32Array;
  readonly chunks: ChunkRefList;

  constructor(count: number) {
    this.count = count;
    this.kept = new Uint8Array(count);
    this.labelStart = new Uint32Array(count);
    this.labelEnd = new Uint32Array(count);
    this.chunkStart = new Uint32Array(count);
    this.chunkEnd = new Uint32Array(count);
    this.chunks = new ChunkRefList(count * 4);
  }
}

class NumberList {
  values = new Float64Array(1024);
  count = 0;

  push(from: Float64Array, length: number): void {
    if (this.count + length > this.values.length) {
      const grown = new Float64Array(Math.max(this.values.length * 2, this.count + length));
      grown.set(this.values);
      this.values = grown;
    }
    for (let i = 0; i < length; i++) this.values[this.count++] = from[i] as number;
  }
}

class ChunkRefList {
  refs: ChunkRefs;
  count = 0;

  constructor(room: number) {
    this.refs = {mint: new Float64Array(room), maxt: new Float64Array(room), ref: new Float64Array(room)};
  }

  push(mint: number, maxt: number, ref: number): void {
    if (this.count === this.refs.mint.length) this.#grow();
    const n = this.count++;
    this.refs.mint[n] = mint;
    this.refs.maxt[n] = maxt;
    this.refs.ref[n] = ref;
  }

  #grow(): void {
    const grow = (from: Float64Array): Float64Array => {
      const to = new Float64Array(from.length * 2 + 16);
      to.set(from);
      return to;
    };
    this.refs = {mint: grow(this.refs.mint), maxt: grow(this.refs.maxt), ref: grow(this.refs.ref)};
  }
}

const beyondIndex = () => new StrataError("corrupt", "cached value is of another index");

/** Length of the uvarint at `at`. */
function lengthBytes(bytes: Uint8Array, at: number): number {
  let end = at;
  while ((bytes[end++] as number) >= 0x80);
  return end - at;
}

const cutEntry = (key: string, offset: number) =>
  new StrataError("corrupt", `cannot read series entry of ${key} at ${offset}: the file ends within it`, {
    fields: {file: key, offset},
  });
