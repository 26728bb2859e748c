import {readFile} from "node:fs/promises";
import {ByteWriter, crc32c} from "@strata/bytes";
import {fileError} from "./random-access.ts";
import {corrupt, readU32, WireReader, writeU32} from "./wire.ts";

export const TOMBSTONES_FILE = "tombstones";
const MAGIC = 0x0130ba30;
const VERSION = 1;
/** Magic and version in front, CRC behind. */
const HEADER_BYTES = 5;
const MIN_BYTES = HEADER_BYTES + 4;

/** Deleted time range of a series, ms, both inclusive. */
export type Interval = {readonly mint: number; readonly maxt: number};

/** Deleted ranges by series id: ascending, neither overlapping nor touching. */
export class Tombstones {
  readonly #intervals = new Map<number, Interval[]>();

  /** Series with deletions. */
  get size(): number {
    return this.#intervals.size;
  }

  /** All intervals over all series: what meta.json calls numTombstones. */
  get total(): number {
    let total = 0;
    for (const list of this.#intervals.values()) total += list.length;
    return total;
  }

  get(id: number): readonly Interval[] {
    return this.#intervals.get(id) ?? [];
  }

  [Symbol.iterator](): IterableIterator<[id: number, intervals: readonly Interval[]]> {
    return this.#intervals[Symbol.iterator]();
  }

  /** Forgets a series. */
  delete(id: number): void {
    this.#intervals.delete(id);
  }

  /** Adds a range, joining it with those it overlaps or touches. */
  add(id: number, interval: Interval): void {
    const old = this.#intervals.get(id) ?? [];
    let {mint, maxt} = interval;
    const before: Interval[] = [];
    const after: Interval[] = [];
    for (const other of old) {
      if (other.maxt < mint - 1) before.push(other);
      else if (other.mint > maxt + 1) after.push(other);
      else {
        mint = Math.min(mint, other.mint);
        maxt = Math.max(maxt, other.maxt);
      }
    }
    this.#intervals.set(id, [...before, {mint, maxt}, ...after]);
  }
}

/**
 * Reads a tombstones file: magic u32 · version u8 · entries (uvarint series id · varint mint · varint maxt) · CRC32C of
 * the entries. Throws `corrupt`.
 */
export function decodeTombstones(bytes: Uint8Array, file: string): Tombstones {
  if (bytes.length < MIN_BYTES) throw corrupt(file, 0, `${bytes.length} bytes are too few`, "tombstones-too-short");
  const magic = readU32(bytes, 0);
  if (magic !== MAGIC) throw corrupt(file, 0, `invalid magic number ${magic.toString(16)}`, "tombstones-bad-magic");
  if (bytes[4] !== VERSION) throw corrupt(file, 4, `unknown version ${bytes[4]}`, "tombstones-bad-version");
  const to = bytes.length - 4;
  if (readU32(bytes, to) !== crc32c(bytes, HEADER_BYTES, to)) {
    throw corrupt(file, to, "checksum is wrong", "tombstones-checksum");
  }
  const reader = new WireReader(bytes, HEADER_BYTES, to);
  const tombstones = new Tombstones();
  while (reader.left > 0) {
    const id = reader.uvarint();
    const mint = reader.varint();
    const maxt = reader.varint();
    reader.check(file, 0, "tombstone");
    tombstones.add(id, {mint, maxt});
  }
  return tombstones;
}

export function encodeTombstones(tombstones: Tombstones): Uint8Array {
  const writer = new ByteWriter();
  writer.u32be(MAGIC);
  writer.u8(VERSION);
  for (const [id, intervals] of tombstones) {
    for (const {mint, maxt} of intervals) {
      writer.uvarint(id);
      writer.varint(mint);
      writer.varint(maxt);
    }
  }
  const out = new Uint8Array(writer.length + 4);
  out.set(writer.view());
  writeU32(out, writer.length, crc32c(out, HEADER_BYTES, writer.length));
  return out;
}

/** The tombstones of the block in `dir`'s file; none where there is no file (uploaded blocks carry none). */
export async function readTombstones(path: string): Promise<Tombstones> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (err) {
    const error = fileError(err, path);
    if (error.code === "not_found") return new Tombstones();
    throw error;
  }
  return decodeTombstones(bytes, path);
}

/** Whether the intervals cover all of [mint, maxt]. */
export function covers(intervals: readonly Interval[], mint: number, maxt: number): boolean {
  return intervals.some((interval) => interval.mint <= mint && maxt <= interval.maxt);
}

/** Whether any of the intervals reaches into [mint, maxt]. */
export function touches(intervals: readonly Interval[], mint: number, maxt: number): boolean {
  return intervals.some((interval) => interval.mint <= maxt && mint <= interval.maxt);
}
