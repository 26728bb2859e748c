import {StrataError} from "@strata/base";
import {snappyDecode, snappyEncode} from "@strata/bytes";

/** How cached values are compressed; values of any form are read. */
export type Compression = "none" | "snappy" | "lz4";

/** In front of a compressed value; plain ones begin otherwise. */
const PREFIXES: Readonly<Record<Exclude<Compression, "none">, Buffer>> = {
  snappy: Buffer.from("SFC1"),
  lz4: Buffer.from("LZ41"),
};
const PREFIX_BYTES = 4;
/** Smaller values are not worth it. */
const LEAST_BYTES = 512;
/** Nor are those that hardly shrink. */
const MOST_OF_SIZE = 0.9;
/** The largest value that is unpacked. */
const MAX_VALUE_BYTES = 1 << 30;

/** The value as it is stored. lz4 works on another thread. */
export async function compressed(bytes: Uint8Array, how: Compression): Promise<Uint8Array> {
  if (how === "none" || bytes.length < LEAST_BYTES) return bytes;
  const packed = how === "snappy" ? snappyEncode(bytes) : await (await import("lz4-napi")).compress(bufferOf(bytes));
  return packed.length > bytes.length * MOST_OF_SIZE ? bytes : Buffer.concat([PREFIXES[how], packed]);
}

/** The value as it was. Throws whatever a decoder throws at damaged bytes. */
export async function uncompressed(bytes: Uint8Array): Promise<Uint8Array> {
  if (startsWith(bytes, PREFIXES.snappy)) return snappyDecode(bytes, MAX_VALUE_BYTES, PREFIX_BYTES);
  if (!startsWith(bytes, PREFIXES.lz4)) return bytes;
  const packed = bufferOf(bytes.subarray(PREFIX_BYTES));
  // The library makes room for whatever length stands in front.
  const length = packed.length < 4 ? Number.POSITIVE_INFINITY : packed.readUInt32LE(0);
  if (length > MAX_VALUE_BYTES) throw new StrataError("corrupt", "cannot unpack the cached answer: it is damaged");
  return (await import("lz4-napi")).uncompress(packed);
}

const startsWith = (bytes: Uint8Array, prefix: Buffer): boolean => prefix.every((byte, i) => bytes[i] === byte);

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
