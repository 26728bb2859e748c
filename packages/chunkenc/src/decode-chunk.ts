import {type AggregateParts, splitAggregates} from "./aggregate-chunk.ts";
import {type ChunkPlace, corruptChunk, UNKNOWN_PLACE} from "./chunk-error.ts";
import {ENCODING, type Encoding, isFloatEncoding, isHistogramEncoding} from "./encoding.ts";
import {appendFloatChunk, type FloatColumns, newFloatColumns} from "./float-chunk.ts";
import {decodeHistograms, type HistogramColumns, histogramCount} from "./histogram-chunk.ts";

/** A chunk of any encoding, read. Aggregates are only split: each part is a chunk of its own in the same buffer. */
export type DecodedChunk =
  | {readonly kind: "floats"; readonly columns: FloatColumns}
  | {readonly kind: "histograms"; readonly columns: HistogramColumns}
  | {readonly kind: "aggregates"; readonly parts: AggregateParts};

/** Decodes the chunk data[from, from + length). Throws `corrupt`, naming the place. */
export function decodeChunk(
  encoding: number,
  data: Uint8Array,
  from: number,
  length: number,
  place: ChunkPlace = UNKNOWN_PLACE,
): DecodedChunk {
  if (isFloatEncoding(encoding)) {
    const columns = newFloatColumns(0);
    appendFloatChunk(encoding, data, from, length, columns, place);
    return {kind: "floats", columns};
  }
  if (isHistogramEncoding(encoding)) {
    return {kind: "histograms", columns: decodeHistograms(encoding as Encoding, data, from, length, place)};
  }
  if (encoding === ENCODING.aggregate) return {kind: "aggregates", parts: splitAggregates(data, from, length, place)};
  throw corruptChunk(encoding, length, place, "unknown encoding");
}

/**
 * How many samples the chunk states, without decoding it; of an aggregate chunk those of its count. Throws `corrupt` when
 * it is too short to say, or of an unknown encoding.
 */
export function chunkSamples(
  encoding: number,
  data: Uint8Array,
  from: number,
  length: number,
  place: ChunkPlace = UNKNOWN_PLACE,
): number {
  if (encoding === ENCODING.aggregate) {
    const count = splitAggregates(data, from, length, place)[0];
    return count === undefined ? 0 : chunkSamples(count.encoding, data, count.from, count.length, place);
  }
  if (length < 2 || from + length > data.length) throw corruptChunk(encoding, length, place, "too short");
  if (isFloatEncoding(encoding) || isHistogramEncoding(encoding)) return histogramCount(encoding, data, from);
  throw corruptChunk(encoding, length, place, "unknown encoding");
}
