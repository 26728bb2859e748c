import {closeSync, openSync, readSync} from "node:fs";
import {errorText, StrataError} from "@strata/base";
import {crc32c} from "@strata/bytes";
import {fileError} from "../random-access.ts";
import {decompress, SNAPPY_BIT, ZSTD_BIT} from "./compression.ts";
import {FRAGMENT_HEADER_BYTES, PAGE_BYTES, type Segment} from "./segments.ts";

/** What is read from a file at a time. */
const READ_BYTES = 32 * PAGE_BYTES;
const TERMINATOR = 0;
const FULL = 1;
const FIRST = 2;
const LAST = 4;

/**
 * Reads the records of one segment in order.
 *
 * ```
 * page (32 KiB)   { type u8 | length BE u16 | CRC32C BE u32 | data }…  0 …0
 * type            bits 0-2: 0 rest of the page is padding, 1 full, 2 first, 3 middle, 4 last · 0x08 snappy · 0x10 zstd
 * ```
 *
 * A short last page is taken as if zeros followed. What is no log, a record cut off by the end included, throws `corrupt`
 * with `fields` {file, segment, offset}, where `offset` is the end of the last whole record: the place to cut at.
 */
export class SegmentReader {
  readonly segment: Segment;
  /** The record, good until the next call. */
  record: Uint8Array = NONE;
  /** End of the record in the file. */
  end = 0;
  readonly #file: number;
  readonly #buffer = new Uint8Array(READ_BYTES);
  /** Offset in the file of #buffer[0], and how much of it is filled (whole pages). */
  #base = 0;
  #filled = 0;
  #pos = 0;
  #parts: Uint8Array[] = [];
  #closed = false;

  constructor(segment: Segment) {
    this.segment = segment;
    try {
      this.#file = openSync(segment.path, "r");
    } catch (err) {
      throw fileError(err, segment.path);
    }
  }

  /** Goes to the page that holds byte `offset`, which must be the end of a record, and on to that byte. */
  seek(offset: number): void {
    this.#base = offset - (offset % PAGE_BYTES);
    this.#filled = 0;
    this.#pos = 0;
    this.#fill();
    this.#pos = offset % PAGE_BYTES;
    this.end = offset;
  }

  /** Reads the next record; false at the end. */
  next(): boolean {
    this.#parts.length = 0;
    let bits = 0;
    for (;;) {
      if (this.#pos >= this.#filled && !this.#more()) {
        if (this.#parts.length > 0) throw this.#corrupt("the last record is torn");
        return false;
      }
      const buffer = this.#buffer;
      const at = this.#pos;
      const header = buffer[at] as number;
      const type = header & 7;
      if (type === TERMINATOR && header === 0) {
        this.#skipPadding();
        continue;
      }
      const pageEnd = at - (at % PAGE_BYTES) + PAGE_BYTES;
      if (at + FRAGMENT_HEADER_BYTES > pageEnd) throw this.#corrupt("a header does not fit its page");
      const length = ((buffer[at + 1] as number) << 8) | (buffer[at + 2] as number);
      const from = at + FRAGMENT_HEADER_BYTES;
      if (from + length > pageEnd) throw this.#corrupt(`a fragment of ${length} bytes does not fit its page`);
      const stated =
        (((buffer[at + 3] as number) << 24) |
          ((buffer[at + 4] as number) << 16) |
          ((buffer[at + 5] as number) << 8) |
          (buffer[at + 6] as number)) >>>
        0;
      const sum = crc32c(buffer, from, from + length);
      if (sum !== stated) throw this.#corrupt(`checksum ${sum} is not ${stated}`);
      const isFirst = this.#parts.length === 0;
      if (type > LAST || header >= 0x20 || (type === FULL || type === FIRST) !== isFirst) {
        throw this.#corrupt(`unexpected fragment of type ${header}`);
      }
      bits = header & (SNAPPY_BIT | ZSTD_BIT);
      this.#pos = from + length;
      if (type === FULL) {
        this.#finish(bits, buffer.subarray(from, from + length));
        return true;
      }
      // The buffer is filled anew while a record goes on, so its parts are copied.
      this.#parts.push(buffer.slice(from, from + length));
      if (type === LAST) {
        this.#finish(bits, Buffer.concat(this.#parts));
        return true;
      }
    }
  }

  /** Safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#file);
  }

  #finish(bits: number, packed: Uint8Array): void {
    try {
      this.record = bits === (SNAPPY_BIT | ZSTD_BIT) ? unknownCompression() : decompress(bits, packed);
    } catch (err) {
      throw this.#corrupt(errorText(err));
    }
    this.end = this.#base + this.#pos;
  }

  #skipPadding(): void {
    const buffer = this.#buffer;
    const pageEnd = this.#pos - (this.#pos % PAGE_BYTES) + PAGE_BYTES;
    for (let i = this.#pos; i < pageEnd; i++) if (buffer[i] !== 0) throw this.#corrupt("padding is not zero");
    this.#pos = pageEnd;
  }

  #more(): boolean {
    this.#base += this.#filled;
    this.#pos = 0;
    this.#fill();
    return this.#filled > 0;
  }

  #fill(): void {
    const {path} = this.segment;
    let filled = 0;
    try {
      for (let n = 1; n > 0 && filled < READ_BYTES; filled += n) {
        n = readSync(this.#file, this.#buffer, filled, READ_BYTES - filled, this.#base + filled);
      }
    } catch (err) {
      throw fileError(err, path);
    }
    const padded = Math.ceil(filled / PAGE_BYTES) * PAGE_BYTES;
    this.#buffer.fill(0, filled, padded);
    this.#filled = padded;
  }

  #corrupt(why: string): StrataError {
    const {path, index} = this.segment;
    const at = this.#base + this.#pos;
    return new StrataError("corrupt", `cannot read ${path} at ${at}: ${why}`, {
      fields: {file: path, segment: index, offset: this.end},
    });
  }
}

const NONE = new Uint8Array(0);

function unknownCompression(): never {
  throw new StrataError("corrupt", "two compressions stated");
}

/** Hands every record of the segments to `visit`, which must not keep it. `end` is the record's end in its segment. */
export function readRecords(
  segments: readonly Segment[],
  visit: (record: Uint8Array, segment: Segment, end: number) => void,
): void {
  for (const segment of segments) {
    const reader = new SegmentReader(segment);
    try {
      while (reader.next()) visit(reader.record, segment, reader.end);
    } finally {
      reader.close();
    }
  }
}
