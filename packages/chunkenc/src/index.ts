export {
  AGGREGATES,
  type AggregateName,
  type AggregatePart,
  type AggregateParts,
  joinAggregates,
  splitAggregates,
} from "./aggregate-chunk.ts";
export type {ChunkPlace} from "./chunk-error.ts";
export {chunkSamples, type DecodedChunk, decodeChunk} from "./decode-chunk.ts";
export {ENCODING, type Encoding, encodingName, isFloatEncoding, isHistogramEncoding} from "./encoding.ts";
export {
  appendFloatChunk,
  type EncodedChunk,
  encodeFloatChunks,
  encodeXorChunks,
  type FloatColumns,
  MAX_XOR_BYTES,
  newFloatColumns,
  reserve,
  SAMPLES_PER_CHUNK,
} from "./float-chunk.ts";
export {type AppendDecision, decideAppend, rowFor} from "./histogram-append.ts";
export {
  decodeFloatHistograms,
  decodeHistograms,
  type FloatHistogramColumns,
  type HistogramColumns,
  histogramAt,
  histogramCount,
  type IntHistogramColumns,
  resetHintAt,
} from "./histogram-chunk.ts";
export {EMPTY_LAYOUT, type HistogramLayout, writeLayout} from "./histogram-layout.ts";
export {encodeHistograms, HistogramChunkWriter} from "./histogram-writer.ts";
