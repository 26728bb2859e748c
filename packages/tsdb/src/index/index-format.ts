import {crc32c} from "@strata/bytes";
import type {RandomAccess} from "../random-access.ts";
import {corrupt, readU32, WireReader} from "../wire.ts";

/*
 * index := magic u32 · version u8 · symbol table · series … · postings lists … · postings offset table · toc
 *
 * Every section but the series carries its length in front (u32) and a CRC32C behind, big end first.
 */
export const INDEX_FILE = "index";
export const INDEX_MAGIC = 0xbaaad700;
/** Magic and version byte. */
export const INDEX_HEADER_BYTES = 5;
export const INDEX_V1 = 1;
export const INDEX_V2 = 2;
/** Six u64 offsets and their CRC. */
export const TOC_BYTES = 52;
/** In version 2 a series id is its offset divided by this. */
export const SERIES_ALIGN = 16;
export const CRC_BYTES = 4;

/** File offsets of an index's sections; 0: there is none. */
export type IndexToc = {
  readonly symbols: number;
  readonly series: number;
  readonly labelIndices: number;
  readonly labelIndicesTable: number;
  /** Before the padding of the first list. */
  readonly postings: number;
  readonly postingsTable: number;
};

/** Reads the table of contents: the last 52 bytes of an index of `size` bytes. Throws `corrupt`. */
export function parseIndexToc(bytes: Uint8Array, file: string, size: number): IndexToc {
  const at = size - TOC_BYTES;
  if (bytes.length !== TOC_BYTES || at < 0) throw corrupt(file, 0, "too short for an index", "index-too-short");
  if (readU32(bytes, TOC_BYTES - CRC_BYTES) !== crc32c(bytes, 0, TOC_BYTES - CRC_BYTES)) {
    throw corrupt(file, at, "checksum of the table of contents is wrong", "index-toc-checksum");
  }
  const reader = new WireReader(bytes, 0, TOC_BYTES - CRC_BYTES);
  const toc = {
    symbols: reader.u64(),
    series: reader.u64(),
    labelIndices: reader.u64(),
    labelIndicesTable: reader.u64(),
    postings: reader.u64(),
    postingsTable: reader.u64(),
  };
  for (const [name, offset] of Object.entries(toc)) {
    if (offset > at)
      throw corrupt(file, at, `section ${name} at ${offset} lies behind the table of contents`, "index-toc");
  }
  return toc;
}

/** Checks magic and version (first five bytes); the version. Throws `corrupt`. */
export function parseIndexHeader(bytes: Uint8Array, file: string): number {
  const magic = readU32(bytes, 0);
  if (magic !== INDEX_MAGIC) throw corrupt(file, 0, `invalid magic number ${magic.toString(16)}`, "index-bad-magic");
  const version = bytes[4] as number;
  if (version !== INDEX_V1 && version !== INDEX_V2) {
    throw corrupt(file, 4, `unknown index file version ${version}`, "index-bad-version");
  }
  return version;
}

/** Where a section's content lies: [from, to) of the file, without length and CRC. */
export type Section = {readonly from: number; readonly to: number};

/** How much of a section is read at once while it is checked and walked. */
const SCAN_BYTES = 256 * 1024;

/**
 * Walks the section at `offset` once with bounded memory, checking its CRC. `take` gets the content in pieces and gives
 * back how many bytes it used; the rest comes again in front of the next piece. Throws `corrupt` with `errorClass` when
 * the CRC is wrong, whatever `take` thinks of the bytes.
 */
export async function scanSection(
  file: RandomAccess,
  offset: number,
  errorClass: string,
  what: string,
  take: (bytes: Uint8Array, fileOffset: number) => number,
): Promise<Section> {
  if (offset + 8 > file.size) throw corrupt(file.name, offset, `${what} lies behind the end`, errorClass);
  const from = offset + 4;
  const to = from + readU32(await file.read(offset, 4), 0);
  if (to + CRC_BYTES > file.size) throw corrupt(file.name, offset, `${what} is longer than the file`, errorClass);
  let sum = 0;
  let failure: unknown;
  let rest = new Uint8Array(0);
  for (let at = from; at < to; ) {
    const piece = await file.read(at, Math.min(SCAN_BYTES, to - at));
    sum = crc32c(piece, 0, piece.length, sum);
    const start = at - rest.length;
    at += piece.length;
    if (failure !== undefined) continue;
    const bytes = rest.length === 0 ? piece : joined(rest, piece);
    try {
      rest = bytes.slice(take(bytes, start));
    } catch (err) {
      failure = err;
    }
  }
  if (readU32(await file.read(to, CRC_BYTES), 0) !== sum) {
    throw corrupt(file.name, offset, `checksum of ${what} is wrong`, errorClass);
  }
  if (failure !== undefined) throw failure;
  if (rest.length > 0) throw corrupt(file.name, to - rest.length, `${what} ends within an entry`, errorClass);
  return {from, to};
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
