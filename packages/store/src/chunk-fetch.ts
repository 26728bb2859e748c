import {errorText, StrataError} from "@strata/base";
import {crc32cRanges} from "@strata/bytes";
import {ENCODING} from "@strata/chunkenc";
import {AGGREGATE, type Aggregate} from "@strata/series";
import {offsetOf, segmentOf} from "@strata/tsdb/blocks";
import type {Row} from "./block-reader.ts";
import type {BucketBlock} from "./bucket-block.ts";
import {type ReadPart, readRanges} from "./range-reads.ts";
import type {ReadContext} from "./read-context.ts";
import {DEFAULT_TENANT} from "./store-metrics.ts";

const MAX_LENGTH_BYTES = 5;
const CRC_BYTES = 4;
/** No chunk is larger; a length beyond it is damage. */
const MAX_CHUNK_BYTES = 64 << 20;

const AGGREGATE_NAMES = ["raw", "count", "sum", "min", "max", "counter"];

/** What is wrong with one chunk; the others of its block are served. */
export type ChunkFailure = (err: StrataError) => void;

/**
 * Reads the chunks of some rows of one block. What is read stays counted in `ctx.budget`. Chunks that cannot be read or are damaged are reported to `onFailure` and
 * left out; it may throw to end the call.
 */
export async function fetchChunks(
  block: BucketBlock,
  rows: readonly Row[],
  aggregates: readonly Aggregate[],
  ctx: ReadContext,
  onFailure: ChunkFailure,
): Promise<BlockChunks> {
  const places = new ChunkPlaces(rows);
  ctx.limits.chunks(places.count);
  const segments = places.bySegment();
  for (const [segment, order] of segments) {
    try {
      await readSegment(block, segment, order, places, ctx, onFailure);
    } catch (err) {
      if (!(err instanceof StrataError) || !isDamage(err)) throw err;
      onFailure(new StrataError(err.code, `cannot read chunks of block ${block.ulid}: ${err.message}`, {cause: err}));
    }
  }
  ctx.stats.chunks.touched += places.count;
  ctx.stats.chunks.fetched += places.count;
  return places.toColumns(block, aggregates, onFailure);
}

const isDamage = (err: StrataError): boolean =>
  err.code === "corrupt" || err.code === "not_found" || err.code === "unavailable";

/** Where the chunks of some rows are in their segments, and later in memory. One entry a chunk, in row order. */
class ChunkPlaces {
  readonly count: number;
  readonly #rows: readonly Row[];
  readonly ref: Float64Array;
  /** In memory: buffer number, start of the data, its length; encoding 0 while it is not there. */
  readonly buffer: Uint32Array;
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  readonly encoding: Uint8Array;
  readonly buffers: Uint8Array[] = [];

  constructor(rows: readonly Row[]) {
    this.#rows = rows;
    let count = 0;
    for (const row of rows) count += row.to - row.from;
    this.count = count;
    // PERF: one buffer for all columns, here and below: what a batch makes of them kept the collector busy.
    const columns = new ArrayBuffer(21 * count);
    this.ref = new Float64Array(columns, 0, count);
    this.buffer = new Uint32Array(columns, 8 * count, count);
    this.offset = new Uint32Array(columns, 12 * count, count);
    this.length = new Uint32Array(columns, 16 * count, count);
    this.encoding = new Uint8Array(columns, 20 * count, count);
    let n = 0;
    for (const {chunks, from, to} of rows) for (let c = from; c < to; c++) this.ref[n++] = chunks.ref[c] as number;
  }

  /** Chunk numbers by segment, ascending by place. */
  bySegment(): Map<number, Uint32Array> {
    const order = new Uint32Array(this.count);
    for (let i = 0; i < order.length; i++) order[i] = i;
    const {ref} = this;
    // Rows come in label order, in which the chunks were written: mostly there is nothing to sort.
    if (!isAscending(ref)) order.sort((a, b) => (ref[a] as number) - (ref[b] as number));
    const segments = new Map<number, Uint32Array>();
    for (let from = 0; from < order.length; ) {
      const segment = segmentOf(ref[order[from] as number] as number);
      let to = from + 1;
      while (to < order.length && segmentOf(ref[order[to] as number] as number) === segment) to++;
      segments.set(segment, order.subarray(from, to));
      from = to;
    }
    return segments;
  }

  /** The chunks as columns; `offset` counts from the first of `buffers`, laid end to end. */
  toColumns(block: BucketBlock, aggregates: readonly Aggregate[], onFailure: ChunkFailure): BlockChunks {
    const base = new Float64Array(this.buffers.length);
    for (let i = 1; i < base.length; i++)
      base[i] = (base[i - 1] as number) + (this.buffers[i - 1] as Uint8Array).length;
    const columns = new ColumnBuilder(this.count, aggregates.length);
    const firstChunk = new Uint32Array(this.#rows.length + 1);
    let chunk = 0;
    for (let i = 0; i < this.#rows.length; i++) {
      const row = this.#rows[i] as Row;
      const {mint, maxt, ref} = row.chunks;
      firstChunk[i] = columns.n;
      for (let c = row.from; c < row.to; c++, chunk++) {
        const encoding = this.encoding[chunk] as number;
        if (encoding === ENCODING.none) continue;
        const buffer = this.buffer[chunk] as number;
        const at = this.offset[chunk] as number;
        const length = this.length[chunk] as number;
        const from = mint[c] as number;
        const to = maxt[c] as number;
        const start = base[buffer] as number;
        if (encoding !== ENCODING.aggregate) {
          columns.push(from, to, encoding, AGGREGATE.raw, start + at, length);
          continue;
        }
        try {
          const bytes = this.buffers[buffer] as Uint8Array;
          pushAggregates(columns, from, to, bytes, at, length, start, aggregates);
        } catch (err) {
          onFailure(badAggregate(block, ref[c] as number, err));
        }
      }
    }
    firstChunk[this.#rows.length] = columns.n;
    return {firstChunk, ...columns.take(), buffers: this.buffers};
  }
}

function badAggregate(block: BucketBlock, ref: number, err: unknown): StrataError {
  const code = err instanceof StrataError ? err.code : "internal";
  return new StrataError(
    code,
    `cannot read chunk of block ${block.ulid}, segment ${segmentOf(ref)}, at ${offsetOf(ref)}: ${errorText(err)}`,
    {cause: err},
  );
}

/** Chunks of some rows of one block as columns; those of row i are [firstChunk[i], firstChunk[i + 1]), aggregates side by side. */
export type BlockChunks = {
  readonly firstChunk: Uint32Array;
  /** ms, both inclusive. */
  readonly mint: Float64Array;
  readonly maxt: Float64Array;
  readonly encoding: Uint8Array;
  readonly aggregate: Uint8Array;
  /** Place of the data, counted from the start of `buffers` laid end to end. */
  readonly offset: Float64Array;
  readonly length: Uint32Array;
  readonly buffers: readonly Uint8Array[];
};

/** Chunk columns of the batch being made; room for every aggregate of every chunk. */
class ColumnBuilder {
  n = 0;
  #mint: Float64Array;
  #maxt: Float64Array;
  #encoding: Uint8Array;
  #aggregate: Uint8Array;
  #offset: Float64Array;
  #length: Uint32Array;

  constructor(chunks: number, aggregates: number) {
    const room = chunks * Math.max(1, aggregates);
    const columns = new ArrayBuffer(30 * room);
    this.#mint = new Float64Array(columns, 0, room);
    this.#maxt = new Float64Array(columns, 8 * room, room);
    this.#offset = new Float64Array(columns, 16 * room, room);
    this.#length = new Uint32Array(columns, 24 * room, room);
    this.#encoding = new Uint8Array(columns, 28 * room, room);
    this.#aggregate = new Uint8Array(columns, 29 * room, room);
  }

  push(mint: number, maxt: number, encoding: number, aggregate: Aggregate, offset: number, length: number): void {
    const n = this.n++;
    this.#mint[n] = mint;
    this.#maxt[n] = maxt;
    this.#encoding[n] = encoding;
    this.#aggregate[n] = aggregate;
    this.#offset[n] = offset;
    this.#length[n] = length;
  }

  take() {
    const n = this.n;
    return {
      mint: this.#mint.subarray(0, n),
      maxt: this.#maxt.subarray(0, n),
      encoding: this.#encoding.subarray(0, n),
      aggregate: this.#aggregate.subarray(0, n),
      offset: this.#offset.subarray(0, n),
      length: this.#length.subarray(0, n),
    };
  }
}

/** Told of a chunk, by its number in the segment's order, that is not what it should be. */
type ChunkTrouble = (i: number, why: string) => void;

async function readSegment(
  block: BucketBlock,
  segment: number,
  order: Uint32Array,
  places: ChunkPlaces,
  ctx: ReadContext,
  onFailure: ChunkFailure,
): Promise<void> {
  const key = await block.segmentKey(segment);
  const known = block.meta.thanos?.chunkMaxSize ?? 0;
  const estimate =
    known > 0 && known < ctx.tuning.maxChunkBytes ? known + MAX_LENGTH_BYTES + 1 + CRC_BYTES : ctx.tuning.chunkBytes;
  const bounds = new Float64Array(2 * order.length);
  const starts = bounds.subarray(0, order.length);
  const ends = bounds.subarray(order.length);
  for (let i = 0; i < order.length; i++) starts[i] = offsetOf(places.ref[order[i] as number] as number);
  for (let i = 0; i < order.length; i++) {
    // The next chunk that is wanted bounds this one where they are neighbours.
    const next = i + 1 < order.length ? (starts[i + 1] as number) : Number.POSITIVE_INFINITY;
    ends[i] = Math.min((starts[i] as number) + estimate, Math.max(next, (starts[i] as number) + 1));
  }
  const unfinished: number[] = [];
  const {chunks} = ctx.stats;
  const report: ChunkTrouble = (i, why) => {
    const offset = starts[i] as number;
    const text = `cannot read chunk of ${key} at ${offset}: ${why}`;
    onFailure(new StrataError("corrupt", text, {fields: {file: key, offset}}));
  };
  // What a cache gave may be its own damage: the bucket has the last word.
  const {cachingBucket} = ctx;
  const suspects: number[] = [];
  const fail: ChunkTrouble = cachingBucket === undefined ? report : (i) => void suspects.push(i);
  await readRanges(
    ctx,
    key,
    "chunks",
    starts,
    ends,
    (part) => {
      chunks.fetchedBytes += part.bytes.length;
      const buffer = places.buffers.push(part.bytes) - 1;
      takeChunks(part, buffer, order, starts, places, unfinished, fail);
    },
    true,
  );
  for (const i of unfinished) await refetch(i);
  for (const i of suspects) await readAnew(i);

  async function readAnew(i: number): Promise<void> {
    const start = starts[i] as number;
    let size = estimate;
    for (let attempt = 0; attempt < 2; attempt++) {
      ctx.budget.take(size, `a chunk of ${key}`);
      const bytes = (await cachingBucket?.readAnew(key, start, size, ctx.signal)) ?? new Uint8Array(0);
      chunks.fetchedBytes += bytes.length;
      const buffer = places.buffers.push(bytes) - 1;
      const larger: number[] = [];
      takeChunks(
        {start, end: start + size, firstRange: i, endRange: i + 1, bytes},
        buffer,
        order,
        starts,
        places,
        larger,
        report,
      );
      if (larger.length === 0) return;
      // Its length is known only now.
      size = places.length[order[i] as number] as number;
      if (bytes.length < estimate || attempt > 0)
        return report(i, `the file ends after ${bytes.length} of ${size} bytes`);
    }
  }

  async function refetch(i: number): Promise<void> {
    const start = starts[i] as number;
    const size = places.length[order[i] as number] as number;
    ctx.metrics.chunkRefetches.with({tenant: DEFAULT_TENANT}).inc();
    ctx.limits.bytes(size, "chunks");
    ctx.budget.take(size, `a chunk of ${key}`);
    const bytes = await ctx.bucket.getRange(key, start, size, ctx.signal);
    chunks.fetchedBytes += bytes.length;
    if (bytes.length < size) return fail(i, `the file ends after ${bytes.length} of ${size} bytes`);
    const buffer = places.buffers.push(bytes) - 1;
    const part = {start, end: start + size, firstRange: i, endRange: i + 1, bytes};
    takeChunks(part, buffer, order, starts, places, [], fail);
  }
}

/**
 * Notes where the chunks of a part that was read have their data, checking CRCs:
 *
 * ```
 * uvarint length of data · encoding u8 · data · crc32c of encoding and data
 * ```
 *
 * A chunk that goes beyond the part is added to `unfinished`, with the size it takes in `places.length`.
 */
function takeChunks(
  part: ReadPart,
  buffer: number,
  order: Uint32Array,
  starts: Float64Array,
  places: ChunkPlaces,
  unfinished: number[],
  fail: ChunkTrouble,
): void {
  const {bytes} = part;
  const whole = wholeChunks(part, order, starts, places, unfinished, fail);
  // PERF: one copy into linear memory for all sums of a part; a copy and a view for each took as long as its sum.
  crc32cRanges(bytes, whole.from, whole.to, 0, whole.count, whole.sums);
  for (let k = 0; k < whole.count; k++) {
    const i = whole.number[k] as number;
    const from = whole.from[k] as number;
    const to = whole.to[k] as number;
    const want =
      (((bytes[to] as number) << 24) |
        ((bytes[to + 1] as number) << 16) |
        ((bytes[to + 2] as number) << 8) |
        (bytes[to + 3] as number)) >>>
      0;
    if (whole.sums[k] !== want) {
      fail(i, "its checksum is wrong");
      continue;
    }
    const encoding = bytes[from] as number;
    if (encoding === ENCODING.none || (encoding > ENCODING.floatHistogramST && encoding !== ENCODING.aggregate)) {
      fail(i, `unsupported chunk encoding ${encoding}`);
      continue;
    }
    const chunk = order[i] as number;
    places.buffer[chunk] = buffer;
    places.offset[chunk] = from + 1;
    places.length[chunk] = to - from - 1;
    places.encoding[chunk] = encoding;
  }
}

/** Chunks of a part, by their number in the segment's order; encoding and data of each are bytes [from, to). */
type WholeChunks = {
  readonly number: Uint32Array;
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  readonly sums: Uint32Array;
  count: number;
};

/** Parts with more chunks than this get columns of their own; hardly any has. */
const SHARED_ROOM = 16_384;
const shared = newWholeChunks(SHARED_ROOM);

/** PERF: a part is dealt with before the next one comes, so that all have the same columns. */
function wholeChunksFor(room: number): WholeChunks {
  if (room > SHARED_ROOM) return newWholeChunks(room);
  shared.count = 0;
  return shared;
}

function newWholeChunks(room: number): WholeChunks {
  const column = () => new Uint32Array(room);
  return {number: column(), from: column(), to: column(), sums: column(), count: 0};
}

/** The chunks of a part that lie in it from their beginning to their end; good until the next part is looked at. */
function wholeChunks(
  part: ReadPart,
  order: Uint32Array,
  starts: Float64Array,
  places: ChunkPlaces,
  unfinished: number[],
  fail: ChunkTrouble,
): WholeChunks {
  const {bytes} = part;
  const out = wholeChunksFor(part.endRange - part.firstRange);
  for (let i = part.firstRange; i < part.endRange; i++) {
    const at = (starts[i] as number) - part.start;
    let length = 0;
    let pos = at;
    let factor = 1;
    for (; pos < bytes.length && pos - at < MAX_LENGTH_BYTES; factor *= 128) {
      const byte = bytes[pos++] as number;
      length += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    const known = pos > at && (bytes[pos - 1] as number) < 0x80;
    if (!known || length > MAX_CHUNK_BYTES) {
      fail(i, pos >= bytes.length ? "the file ends within it" : `its length ${length} cannot be`);
      continue;
    }
    const to = pos + 1 + length;
    if (to + CRC_BYTES > bytes.length) {
      places.length[order[i] as number] = to + CRC_BYTES - at;
      unfinished.push(i);
      continue;
    }
    const n = out.count++;
    out.number[n] = i;
    out.from[n] = pos;
    out.to[n] = to;
  }
  return out;
}

/** Columns of an aggregate chunk in their order. */
const COLUMNS: readonly Aggregate[] = [AGGREGATE.count, AGGREGATE.sum, AGGREGATE.min, AGGREGATE.max, AGGREGATE.counter];

/**
 * Splits a downsampled chunk, bytes[from, from + length), into the wanted columns, whose offsets count from `base` bytes
 * before `bytes`. Compat: one that is wanted and not
 * there is an error.
 *
 * ```
 * 5 × (uvarint length of data, 0: absent · encoding u8 · data): count, sum, min, max, counter
 * ```
 */
function pushAggregates(
  out: ColumnBuilder,
  mint: number,
  maxt: number,
  bytes: Uint8Array,
  from: number,
  length: number,
  base: number,
  wanted: readonly Aggregate[],
): void {
  const end = from + length;
  let at = from;
  const begin = out.n;
  for (const column of COLUMNS) {
    let size = 0;
    let factor = 1;
    for (;;) {
      if (at >= end || factor > 2 ** 35) {
        out.n = begin;
        throw new StrataError("corrupt", `aggregate chunk ends before its ${AGGREGATE_NAMES[column]}`);
      }
      const byte = bytes[at++] as number;
      size += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
      factor *= 128;
    }
    if (size === 0) {
      if (!wanted.includes(column)) continue;
      out.n = begin;
      throw new StrataError("execution", `aggregate ${AGGREGATE_NAMES[column]} does not exist`);
    }
    if (at + 1 + size > end) {
      out.n = begin;
      throw new StrataError("corrupt", `aggregate ${AGGREGATE_NAMES[column]} is longer than its chunk`);
    }
    if (wanted.includes(column)) out.push(mint, maxt, bytes[at] as number, column, base + at + 1, size);
    at += 1 + size;
  }
}

function isAscending(values: Float64Array): boolean {
  for (let i = 1; i < values.length; i++) if ((values[i - 1] as number) > (values[i] as number)) return false;
  return true;
}
