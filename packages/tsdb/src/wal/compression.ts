import {zstdCompressSync, zstdDecompressSync} from "node:zlib";
import {snappyDecode, snappyEncode} from "@strata/bytes";

/** How records are compressed, each for itself; readers take any mix. */
export type WalCompression = "none" | "snappy" | "zstd";

/** Bits of a fragment's type byte. */
export const SNAPPY_BIT = 0x08;
export const ZSTD_BIT = 0x10;
/** What a record may unpack to: far above what any writer logs, and short of what a hostile one could ask for. */
const MAX_RECORD_BYTES = 512 * 1024 * 1024;

/** The compressed record, or undefined where that would not make it smaller. */
export function compress(compression: WalCompression, record: Uint8Array): Uint8Array | undefined {
  if (compression === "none" || record.length === 0) return undefined;
  const packed = compression === "snappy" ? snappyEncode(record) : zstdCompressSync(record);
  return packed.length < record.length ? packed : undefined;
}

export const compressionBit = (compression: WalCompression): number =>
  compression === "none" ? 0 : compression === "snappy" ? SNAPPY_BIT : ZSTD_BIT;

/** Unpacks a record whose fragments carry `bits`; throws for malformed input. */
export function decompress(bits: number, record: Uint8Array): Uint8Array {
  // A torn header can look like an empty record that is compressed: nothing, and no damage.
  if (bits === 0 || record.length === 0) return record;
  if (bits === SNAPPY_BIT) return snappyDecode(record, MAX_RECORD_BYTES);
  return zstdDecompressSync(record, {maxOutputLength: MAX_RECORD_BYTES});
}
