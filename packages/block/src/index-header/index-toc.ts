import {StrataError} from "@strata/base";
import {crc32c} from "@strata/kernels";

export const INDEX_MAGIC = 0xbaaad700;
/** Magic and version byte. */
export const INDEX_HEADER_BYTES = 5;
/** Six u64 offsets and their CRC. */
export const TOC_BYTES = 52;

/** Byte offsets of an index file's sections, as its last 52 bytes say. */
export type IndexToc = {
  readonly symbols: number;
  readonly series: number;
  readonly postings: number;
  readonly postingsTable: number;
};

/**
 * Reads and checks the table of contents of an index of `size` bytes.
 *
 * ```
 * u64 symbols · u64 series · u64 labelIndices · u64 labelIndicesTable · u64 postings · u64 postingsTable · crc32c
 * ```
 */
export function parseToc(bytes: Uint8Array, file: string, size: number): IndexToc {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = size - TOC_BYTES;
  const corrupt = (why: string) =>
    new StrataError("corrupt", `cannot read table of contents of ${file} at ${at}: ${why}`, {
      fields: {file, offset: at},
    });
  if (bytes.length !== TOC_BYTES) throw corrupt(`${bytes.length} bytes instead of ${TOC_BYTES}`);
  const want = view.getUint32(48);
  const got = crc32c(bytes.subarray(0, 48));
  if (want !== got) throw corrupt(`crc32c ${got} != ${want}`);
  const section = (slot: number): number => {
    const offset = view.getUint32(slot * 8) * 2 ** 32 + view.getUint32(slot * 8 + 4);
    if (offset > at) throw corrupt(`section ${slot} at ${offset} lies beyond it`);
    return offset;
  };
  const toc = {symbols: section(0), series: section(1), postings: section(4), postingsTable: section(5)};
  if (toc.symbols < INDEX_HEADER_BYTES || toc.series < toc.symbols || toc.postingsTable < toc.series) {
    throw corrupt(
      `sections out of order: symbols ${toc.symbols}, series ${toc.series}, postings table ${toc.postingsTable}`,
    );
  }
  return toc;
}
