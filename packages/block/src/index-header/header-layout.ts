import {StrataError} from "@strata/base";
import {crc32c} from "@strata/kernels";
import type {RandomAccess} from "@strata/tsdb/blocks";
import {parseToc, TOC_BYTES} from "./index-toc.ts";

/**
 * The index-header file, a copy of both ends of an index:
 *
 * ```
 * 0   u32 magic · u8 version · u8 index version · u64 end of the index's last posting list
 * 14  symbol section (u32 length · u32 count · strings · crc32c)
 * t   postings offset table (u32 length · u32 count · entries · crc32c) · the index's table of contents (52 bytes)
 *     u64 14 · u64 t · crc32c of these 16 bytes
 * ```
 */
export const HEADER_MAGIC = 0xbaaad792;
export const HEADER_VERSION = 1;
export const HEADER_BYTES = 14;
export const TRAILER_BYTES = 20;

/** Where the sections of one index-header file lie; `…From` and `…To` bound the strings and entries themselves. */
export type HeaderLayout = {
  readonly indexVersion: number;
  /** End of the last posting list in the index file, its CRC included. */
  readonly lastPostingEnd: number;
  readonly symbols: Section;
  readonly table: Section;
};

export type Section = {
  /** Offset of the u32 length. */
  readonly at: number;
  readonly count: number;
  /** First byte after the count. */
  readonly from: number;
  /** First byte of the CRC. */
  readonly to: number;
};

/** Reads and checks the fixed parts of an index-header. Throws `corrupt`. */
export async function readLayout(source: RandomAccess): Promise<HeaderLayout> {
  const file = source.name;
  const corrupt = (offset: number, why: string) =>
    new StrataError("corrupt", `cannot read index-header ${file} at ${offset}: ${why}`, {fields: {file, offset}});
  const size = source.size;
  if (size < HEADER_BYTES + TOC_BYTES + TRAILER_BYTES) throw corrupt(0, `it has only ${size} bytes`);

  const head = viewOf(await source.read(0, HEADER_BYTES + 8));
  const magic = head.getUint32(0);
  if (magic !== HEADER_MAGIC) throw corrupt(0, `magic ${magic.toString(16)}`);
  if (head.getUint8(4) !== HEADER_VERSION) throw corrupt(4, `version ${head.getUint8(4)}`);
  const indexVersion = head.getUint8(5);
  if (indexVersion !== 1 && indexVersion !== 2) throw corrupt(5, `index version ${indexVersion}`);
  const lastPostingEnd = Number(head.getBigUint64(6));

  const endBytes = await source.read(size - TRAILER_BYTES - TOC_BYTES, TRAILER_BYTES + TOC_BYTES);
  const end = viewOf(endBytes);
  const crc = crc32c(endBytes.subarray(TOC_BYTES, TOC_BYTES + 16));
  if (crc !== end.getUint32(TOC_BYTES + 16)) throw corrupt(size - TRAILER_BYTES, `crc32c ${crc} differs`);
  const symbolsAt = Number(end.getBigUint64(TOC_BYTES));
  const tableAt = Number(end.getBigUint64(TOC_BYTES + 8));
  const tocAt = size - TRAILER_BYTES - TOC_BYTES;
  if (symbolsAt !== HEADER_BYTES || tableAt < symbolsAt + 12 || tableAt + 12 > tocAt) {
    throw corrupt(size - TRAILER_BYTES, `symbols at ${symbolsAt}, postings offset table at ${tableAt}`);
  }
  // The index itself is not at hand; any size that admits its offsets will do for the check of the contents.
  const toc = parseToc(endBytes.subarray(0, TOC_BYTES), file, Number.MAX_SAFE_INTEGER);
  if (toc.postingsTable !== lastPostingEnd || toc.series - toc.symbols !== tableAt - symbolsAt) {
    throw corrupt(tocAt, `the index's table of contents does not fit`);
  }

  const tableHead = viewOf(await source.read(tableAt, 8));
  const section = (at: number, view: DataView, base: number, limit: number): Section => {
    const length = view.getUint32(base);
    const to = at + 4 + length;
    if (length < 4 || to + 4 > limit) throw corrupt(at, `section of ${length} bytes does not fit`);
    return {at, count: view.getUint32(base + 4), from: at + 8, to};
  };
  return {
    indexVersion,
    lastPostingEnd,
    symbols: section(symbolsAt, head, HEADER_BYTES, tableAt),
    table: section(tableAt, tableHead, 0, tocAt),
  };
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
