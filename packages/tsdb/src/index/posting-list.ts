import {crc32c} from "@strata/bytes";
import {corrupt, readU32} from "../wire.ts";
import {CRC_BYTES} from "./index-format.ts";

/** Length and count in front, CRC behind: what a list takes beside its ids. */
export const LIST_OVERHEAD = 12;

/**
 * Decodes a posting list bytes[at…] (length u32 · count u32 · count × u32 id · crc32c), which must lie whole before
 * `end`. The ids, ascending, are a new array that the caller owns. Throws `corrupt`.
 */
export function decodePostingList(
  bytes: Uint8Array,
  at: number,
  end: number,
  file: string,
  fileOffset: number,
): Uint32Array<ArrayBuffer> {
  const bad = (reason: string) => corrupt(file, fileOffset + at, `posting list: ${reason}`, "index-postings-checksum");
  if (at + LIST_OVERHEAD > end) throw bad("cut");
  const length = readU32(bytes, at);
  const to = at + 4 + length;
  if (to + CRC_BYTES > end) throw bad(`${length} bytes are more than there are`);
  if (readU32(bytes, to) !== crc32c(bytes, at + 4, to)) throw bad("checksum is wrong");
  const count = readU32(bytes, at + 4);
  if (length !== 4 + 4 * count) throw bad(`${count} ids in ${length} bytes`);
  return decodeBigEndianIds(bytes, at + 8, count);
}

/** `count` ids of four bytes, big end first, as an array of its own. */
export function decodeBigEndianIds(bytes: Uint8Array, at: number, count: number): Uint32Array<ArrayBuffer> {
  const ids = new Uint32Array(count);
  if (count < 16) {
    for (let i = 0; i < count; i++) ids[i] = readU32(bytes, at + 4 * i);
    return ids;
  }
  const raw = Buffer.from(ids.buffer);
  raw.set(bytes.subarray(at, at + 4 * count));
  // PERF: the native swap is ten times faster than a loop; every machine Node runs on has the little end first.
  raw.swap32();
  return ids;
}
