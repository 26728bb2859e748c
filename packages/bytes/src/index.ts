export {
  crc32c,
  crc32cRanges,
  type Hash64,
  snappyDecode,
  snappyEncode,
  snappyLength,
  snappyStreamDecode,
  snappyStreamEncode,
  xxhash64,
  xxhash64Words,
} from "@strata/kernels";
export {BitReader} from "./bit-reader.ts";
export {BitWriter} from "./bit-writer.ts";
export {ByteReader} from "./byte-reader.ts";
export {ByteWriter} from "./byte-writer.ts";
