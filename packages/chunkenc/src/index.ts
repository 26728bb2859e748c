export type {ChunkPlace} from "./chunk-error.ts";
export {ENCODING, type Encoding, encodingName, isFloatEncoding, isHistogramEncoding} from "./encoding.ts";
export {
  appendXorChunk,
  type EncodedChunk,
  encodeXorChunks,
  type FloatColumns,
  MAX_XOR_BYTES,
  newFloatColumns,
  reserve,
  SAMPLES_PER_CHUNK,
} from "./float-chunk.ts";
