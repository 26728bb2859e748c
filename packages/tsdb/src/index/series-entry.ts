import {crc32c} from "@strata/bytes";
import {corrupt, readU32, WireReader} from "../wire.ts";
import {CRC_BYTES} from "./index-format.ts";

/**
 * One decoded series entry as columns that the decoder fills anew for each entry: labels as symbol references, chunks as
 * times (ms, both inclusive) and references (segment × 2^32 + offset; exact as a number).
 */
export class SeriesEntry {
  /** Symbol references: name and value of label i at 2·i and 2·i + 1. Only the first 2·labels are of this entry. */
  labelRefs = new Float64Array(32);
  labels = 0;
  /** Only the first `chunks` entries are of this series. */
  mint = new Float64Array(16);
  maxt = new Float64Array(16);
  chunkRef = new Float64Array(16);
  chunks = 0;

  /** Makes room for `count` labels or chunks; their number was checked against the entry's bytes before. */
  growLabels(count: number): void {
    if (count * 2 <= this.labelRefs.length) return;
    this.labelRefs = new Float64Array(count * 4);
  }

  growChunks(count: number): void {
    if (count <= this.mint.length) return;
    this.mint = new Float64Array(count * 2);
    this.maxt = new Float64Array(count * 2);
    this.chunkRef = new Float64Array(count * 2);
  }
}

/** A series entry takes no more than this before its content: the length, a uvarint. */
export const MAX_ENTRY_LENGTH_BYTES = 10;

/** The whole size of the entry that starts at `at`: length field, content and CRC; -1 where `end` cuts the length field. */
export function seriesEntrySize(bytes: Uint8Array, at: number, end: number): number {
  scratch.reset(bytes, at, end);
  const length = scratch.uvarint();
  return scratch.failed ? -1 : scratch.at - at + length + CRC_BYTES;
}

/**
 * Decodes the entry at bytes[at…], which must lie whole before `end`, checking its CRC:
 *
 * ```
 * uvarint length · uvarint labels · labels × (uvarint name · uvarint value) · uvarint chunks
 *   · varint mint · uvarint maxt − mint · uvarint ref · (uvarint mint − last maxt · uvarint maxt − mint · varint ref − last ref)… · crc32c
 * ```
 *
 * `fileOffset` is where bytes[0] lies in `file`. Throws `corrupt`.
 */
export function decodeSeriesEntry(
  bytes: Uint8Array,
  at: number,
  end: number,
  out: SeriesEntry,
  file: string,
  fileOffset: number,
): void {
  const reader = scratch;
  reader.reset(bytes, at, end);
  const length = reader.uvarint();
  const from = reader.at;
  if (reader.failed || length + CRC_BYTES > end - from) {
    throw corrupt(file, fileOffset + at, "series entry is longer than its place", "index-series-checksum");
  }
  const to = from + length;
  if (readU32(bytes, to) !== crc32c(bytes, from, to)) {
    throw corrupt(file, fileOffset + at, "checksum of series entry is wrong", "index-series-checksum");
  }
  decodeSeriesContent(bytes, from, to, out, file, fileOffset);
}

/** Decodes the content of an entry, bytes[from, to), as it lies in index caches: without length field and CRC. */
export function decodeSeriesContent(
  bytes: Uint8Array,
  from: number,
  to: number,
  out: SeriesEntry,
  file: string,
  fileOffset: number,
): void {
  const reader = scratch;
  reader.reset(bytes, from, to);
  readLabels(reader, out);
  readChunks(reader, out);
  reader.check(file, fileOffset, "series entry");
}

function readLabels(reader: WireReader, out: SeriesEntry): void {
  const count = reader.uvarint();
  // Each label takes two bytes at least: a larger count is a lie that must not be allocated for.
  out.labels = count * 2 <= reader.left ? count : 0;
  if (out.labels !== count) reader.failed = true;
  out.growLabels(out.labels);
  const {labelRefs} = out;
  for (let i = 0; i < out.labels * 2; i++) labelRefs[i] = reader.uvarint();
}

function readChunks(reader: WireReader, out: SeriesEntry): void {
  const count = reader.uvarint();
  out.chunks = count * 3 <= reader.left ? count : 0;
  if (out.chunks !== count) reader.failed = true;
  if (out.chunks === 0) return;
  out.growChunks(out.chunks);
  const {mint, maxt, chunkRef} = out;
  let t = reader.varint();
  mint[0] = t;
  t += reader.wrapped();
  maxt[0] = t;
  let ref = reader.uvarint();
  chunkRef[0] = ref;
  for (let i = 1; i < out.chunks; i++) {
    t += reader.wrapped();
    mint[i] = t;
    t += reader.wrapped();
    maxt[i] = t;
    ref += reader.varint();
    chunkRef[i] = ref;
  }
}

/** PERF: one reader for all entries; a fresh one for each cost 15 % of a decode. Decoding never waits in between. */
const scratch = new WireReader(new Uint8Array(0));
