import {readdir} from "node:fs/promises";
import {join} from "node:path";
import {StrataError} from "@strata/base";
import {crc32c, crc32cRanges} from "@strata/bytes";
import {FileAccess, fileError, type Piece, type RandomAccess, type ReadArena, readPieces} from "./random-access.ts";
import type {StoredChunks} from "./stored-chunks.ts";
import {corrupt, readU32, WireReader} from "./wire.ts";

/*
 * segment := magic u32 · version u8 · three zero bytes · entry …
 * entry   := uvarint length · encoding u8 · data · CRC32C of encoding and data
 *
 * A chunk reference is the segment's position among the sorted file names times 2^32 plus the entry's offset.
 */
export const CHUNKS_DIR = "chunks";
export const SEGMENT_MAGIC = 0x85bd40dd;
export const SEGMENT_VERSION = 1;
export const SEGMENT_HEADER_BYTES = 8;
/** Longest uvarint of a chunk's length. */
export const MAX_CHUNK_LENGTH_BYTES = 5;
export const CHUNK_CRC_BYTES = 4;
/** Encodings that exist; see chunkenc. 255 are downsampled aggregates. */
const KNOWN_ENCODINGS: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 255]);

const TWO_32 = 2 ** 32;
/** What one chunk is expected to take at the most: 120 float samples hardly ever need more. */
const CHUNK_GUESS = 1280;

export const segmentOf = (ref: number): number => Math.floor(ref / TWO_32);
export const offsetOf = (ref: number): number => ref % TWO_32;
export const chunkRef = (segment: number, offset: number): number => segment * TWO_32 + offset;

/**
 * Gets chunk `index` of the request: data buffer[at, at + length), and the CRC32C of encoding and data. The buffer may be
 * kept, but it is larger than the chunk and shared with others: do not write into it.
 */
export type ChunkVisitor = (
  index: number,
  encoding: number,
  buffer: Uint8Array,
  at: number,
  length: number,
  sum: number,
) => void;

/** Reading over a gap of this size costs less than another call. */
const RANGE_GAP = 16 * 1024;
/** What one range takes at the most, unless a single chunk is larger. */
const RANGE_BYTES = 1024 * 1024;

/** Rows [first, last), which lie in bytes [from, to) of one segment. */
type RowRange = {
  readonly segment: number;
  readonly first: number;
  readonly last: number;
  readonly from: number;
  readonly to: number;
};

/** Reads chunks of a block by positioned reads, checking every CRC. */
export class ChunkSegments {
  readonly #segments: readonly RandomAccess[];

  constructor(segments: readonly RandomAccess[]) {
    this.#segments = segments;
  }

  /** Opens the files of a `chunks` directory in name order. Throws `corrupt` or `not_found` with a class. */
  static async openDir(dir: string): Promise<ChunkSegments> {
    let names: string[];
    try {
      names = (await readdir(dir)).filter((name) => /^[0-9]+$/.test(name)).sort();
    } catch (err) {
      throw withClass(fileError(err, dir), "chunks-directory-missing");
    }
    const segments: RandomAccess[] = [];
    try {
      for (const name of names) {
        const file = await FileAccess.open(join(dir, name));
        segments.push(file);
        await checkSegmentHeader(file);
      }
    } catch (err) {
      await Promise.all(segments.map((file) => file.close()));
      throw err;
    }
    return new ChunkSegments(segments);
  }

  /** Bytes of all segments. */
  get size(): number {
    return this.#segments.reduce((sum, file) => sum + file.size, 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.#segments.map((file) => file.close()));
  }

  /**
   * Reads the chunks with the given references, near ones together, and then hands each to `visit` in the order asked.
   * All of one call's bytes are in memory until it ends: ask for about a batch. With an `arena` they lie there, and are
   * good until its next reset. Throws `corrupt`.
   */
  async read(refs: ArrayLike<number>, visit: ChunkVisitor, arena?: ReadArena | undefined): Promise<void> {
    const count = refs.length;
    const buffers: Uint8Array[] = new Array(count);
    const places = new Uint32Array(count);
    const order = Array.from(refs, (_, i) => i);
    if (!isAscending(refs)) order.sort((a, b) => (refs[a] as number) - (refs[b] as number));
    for (let i = 0; i < count; ) {
      const segment = segmentOf(refs[order[i] as number] as number);
      let end = i;
      while (end < count && segmentOf(refs[order[end] as number] as number) === segment) end++;
      await this.#readSegment(segment, order.slice(i, end), refs, buffers, places, arena);
      i = end;
    }
    for (let i = 0; i < count; i++)
      this.#visit(i, refs[i] as number, buffers[i] as Uint8Array, places[i] as number, visit);
  }

  /**
   * Fills in the bytes of all rows, which lie in `arena` until its next reset, checking every CRC. Made for chunks asked
   * for in the order in which they lie; others are read too, at the cost of `read`. Throws `corrupt`.
   */
  async readStored(chunks: StoredChunks, arena: ReadArena): Promise<void> {
    const {count} = chunks;
    const refs = chunks.ref.subarray(0, count);
    if (!isAscending(refs))
      return this.#readRows(
        chunks,
        Uint32Array.from(refs, (_, i) => i),
        arena,
      );
    const beyond: number[] = [];
    await Promise.all(
      rowRanges(refs).map(async ({segment, first, last, from, to}) => {
        const file = this.#file(segment);
        const end = Math.min(to, file.size);
        if (from + MAX_CHUNK_LENGTH_BYTES > end) throw beyondEnd(file, from, MAX_CHUNK_LENGTH_BYTES);
        const buffer = await file.read(from, end - from, arena.take(end - from));
        this.#takeRows(chunks, first, last, buffer, from, beyond);
      }),
    );
    if (beyond.length > 0) await this.#readRows(chunks, Uint32Array.from(beyond).sort(), arena);
  }

  async #readRows(chunks: StoredChunks, rows: Uint32Array, arena: ReadArena): Promise<void> {
    const refs = Float64Array.from(rows, (row) => chunks.ref[row] as number);
    const visit: ChunkVisitor = (i, _, buffer, at, length, sum) => {
      chunks.put(rows[i] as number, buffer, at - 1, at + length, sum, false);
    };
    await this.read(refs, visit, arena);
  }

  /** Rows [first, last) out of `buffer`, which begins at `base` of their segment; those it does not hold go to `beyond`. */
  #takeRows(
    chunks: StoredChunks,
    first: number,
    last: number,
    buffer: Uint8Array,
    base: number,
    beyond: number[],
  ): void {
    const {at, end, sum, ref} = chunks;
    const file = this.#file(segmentOf(ref[first] as number));
    for (let i = first; i < last; i++) {
      const from = offsetOf(ref[i] as number);
      const start = from - base;
      const to = start + entrySize(buffer, start, file, from);
      const content = scratch.at;
      if (to > buffer.length) {
        beyond.push(i);
        chunks.put(i, buffer, start, start, 0, false);
        continue;
      }
      const stored = to - CHUNK_CRC_BYTES;
      // A length field with needless bytes is legal, but not what a writer makes.
      const short = content - start === 1 || buffer[content - 1] !== 0;
      chunks.put(i, buffer, content, stored, 0, short);
    }
    crc32cRanges(buffer, at, end, first, last, sum);
    for (let i = first; i < last; i++) {
      if (at[i] === end[i]) continue;
      if (sum[i] !== readU32(buffer, end[i] as number))
        throw this.#bad(ref[i] as number, "checksum is wrong", "chunk-checksum");
      const encoding = buffer[at[i] as number] as number;
      if (!KNOWN_ENCODINGS.has(encoding))
        throw this.#bad(ref[i] as number, `unknown encoding ${encoding}`, "chunk-encoding");
    }
  }

  #file(segment: number): RandomAccess {
    const file = this.#segments[segment];
    if (file !== undefined) return file;
    throw new StrataError(
      "corrupt",
      `cannot read chunk: there is no segment ${segment}, only ${this.#segments.length}`,
      {
        fields: {segment, class: "chunk-segment-missing"},
      },
    );
  }

  async #readSegment(
    segment: number,
    order: readonly number[],
    refs: ArrayLike<number>,
    buffers: Uint8Array[],
    places: Uint32Array,
    arena: ReadArena | undefined,
  ): Promise<void> {
    const file = this.#file(segment);
    const pieces: Piece[] = order.map((index, i) => {
      const from = offsetOf(refs[index] as number);
      if (from + MAX_CHUNK_LENGTH_BYTES > file.size) throw beyondEnd(file, from, MAX_CHUNK_LENGTH_BYTES);
      // Chunks of a series lie side by side, so the next one's start is where this one ends; else the guess has to do.
      const next = i + 1 < order.length ? offsetOf(refs[order[i + 1] as number] as number) : file.size;
      const to = Math.min(next, from + CHUNK_GUESS);
      return {from, to: Math.max(to, from + MAX_CHUNK_LENGTH_BYTES), index};
    });
    const long: Piece[] = [];
    await readPieces(
      file,
      pieces,
      (index, buffer, at) => {
        const from = offsetOf(refs[index] as number);
        const size = entrySize(buffer, at, file, from);
        if (at + size > buffer.length) {
          long.push({from, to: from + size, index});
          return;
        }
        buffers[index] = buffer;
        places[index] = at;
      },
      arena,
    );
    for (const {from, to, index} of long) buffers[index] = await file.read(from, to - from, arena?.take(to - from));
  }

  #visit(index: number, ref: number, buffer: Uint8Array, at: number, visit: ChunkVisitor): void {
    scratch.reset(buffer, at, buffer.length);
    const length = scratch.uvarint();
    const from = scratch.at;
    const to = from + 1 + length;
    const encoding = buffer[from] as number;
    const sum = readU32(buffer, to);
    if (sum !== crc32c(buffer, from, to)) throw this.#bad(ref, "checksum is wrong", "chunk-checksum");
    if (!KNOWN_ENCODINGS.has(encoding)) throw this.#bad(ref, `unknown encoding ${encoding}`, "chunk-encoding");
    visit(index, encoding, buffer, from + 1, length, sum);
  }

  #bad(ref: number, reason: string, errorClass: string): StrataError {
    const file = (this.#segments[segmentOf(ref)] as RandomAccess).name;
    return corrupt(file, offsetOf(ref), `chunk: ${reason}`, errorClass);
  }
}

/** The ranges in which ascending references lie; a range's last chunk is expected to be of the usual size. */
function rowRanges(refs: Float64Array): RowRange[] {
  const ranges: RowRange[] = [];
  for (let first = 0; first < refs.length; ) {
    const ref = refs[first] as number;
    let end = ref + CHUNK_GUESS;
    let last = first + 1;
    for (; last < refs.length; last++) {
      const next = refs[last] as number;
      if (next > end + RANGE_GAP || next + CHUNK_GUESS - ref > RANGE_BYTES) break;
      end = next + CHUNK_GUESS;
    }
    const segment = segmentOf(ref);
    // Segments are far apart in numbers of references, so that no range holds two.
    ranges.push({segment, first, last, from: offsetOf(ref), to: end - segment * TWO_32});
    first = last;
  }
  return ranges;
}

/** Size of the entry at buffer[at], from its length field to its CRC, checked against the file's end. */
function entrySize(buffer: Uint8Array, at: number, file: RandomAccess, from: number): number {
  scratch.reset(buffer, at, Math.min(at + MAX_CHUNK_LENGTH_BYTES, buffer.length));
  const length = scratch.uvarint();
  if (scratch.failed) throw corrupt(file.name, from, "chunk: no length", "chunk-out-of-range");
  const size = scratch.at - at + 1 + length + CHUNK_CRC_BYTES;
  if (from + size > file.size) throw beyondEnd(file, from, size);
  return size;
}

/** PERF: one reader for all entries; it is never in use over an await. */
const scratch = new WireReader(new Uint8Array(0));

const beyondEnd = (file: RandomAccess, from: number, size: number): StrataError =>
  corrupt(file.name, from, `chunk: ${size} bytes needed, the segment has ${file.size}`, "chunk-out-of-range");

async function checkSegmentHeader(file: RandomAccess): Promise<void> {
  if (file.size < SEGMENT_HEADER_BYTES) {
    throw corrupt(file.name, 0, `${file.size} bytes are too few for a segment`, "chunk-segment-too-short");
  }
  const header = await file.read(0, SEGMENT_HEADER_BYTES);
  const magic = readU32(header, 0);
  if (magic !== SEGMENT_MAGIC) {
    throw corrupt(file.name, 0, `invalid magic number ${magic.toString(16)}`, "chunk-segment-bad-magic");
  }
  if (header[4] !== SEGMENT_VERSION) {
    throw corrupt(file.name, 4, `unknown chunk format version ${header[4]}`, "chunk-segment-bad-version");
  }
}

function isAscending(refs: ArrayLike<number>): boolean {
  for (let i = 1; i < refs.length; i++) if ((refs[i - 1] as number) > (refs[i] as number)) return false;
  return true;
}

/** The same error with a class, for what the file system says of a block's parts. */
export function withClass(err: StrataError, errorClass: string): StrataError {
  return new StrataError(err.code, err.message, {cause: err.cause, fields: {...err.fields, class: errorClass}});
}
