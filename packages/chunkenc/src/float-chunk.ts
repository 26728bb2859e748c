import {xorDecode, xorEncode} from "@strata/kernels";
import {type ChunkPlace, corruptChunk, UNKNOWN_PLACE} from "./chunk-error.ts";
import {ENCODING} from "./encoding.ts";

/**
 * n float samples as columns, which may be longer. Times are whole ms; values keep their NaN payloads as long as they
 * are copied as arrays and not one by one.
 */
export type FloatColumns = {
  t: Float64Array;
  v: Float64Array;
  n: number;
  /** Start timestamps (ms, 0 for none), only where the encoding carries them. */
  st?: Float64Array | undefined;
};

/** Samples that Prometheus puts in one chunk when it re-encodes. */
export const SAMPLES_PER_CHUNK = 120;
/** An appender of the head cuts an XOR chunk that has grown to so many bytes: 1024 less room for one sample. */
export const MAX_XOR_BYTES = 1005;

/** Columns for `capacity` samples. */
export const newFloatColumns = (capacity: number): FloatColumns => ({
  t: new Float64Array(capacity),
  v: new Float64Array(capacity),
  n: 0,
});

/**
 * Appends the samples of the XOR chunk data[from, from + length) to `into`, growing its columns as needed. Returns how
 * many came; corrupt data throws and leaves `into` as it was.
 */
export function appendXorChunk(
  data: Uint8Array,
  from: number,
  length: number,
  into: FloatColumns,
  place: ChunkPlace = UNKNOWN_PLACE,
): number {
  const count = length < 2 ? 0 : ((data[from] as number) << 8) | (data[from + 1] as number);
  reserve(into, into.n + count);
  const n = xorDecode(data, from, length, into.t, into.v, into.n);
  if (n < 0) throw corruptChunk(ENCODING.xor, length, place, `it does not hold the ${count} samples it states`);
  into.n += n;
  return n;
}

/** Makes room for `capacity` samples in all, at least doubling what grows. */
export function reserve(columns: FloatColumns, capacity: number): void {
  if (columns.t.length >= capacity) return;
  const size = Math.max(capacity, columns.t.length * 2);
  columns.t = grown(columns.t, size);
  columns.v = grown(columns.v, size);
  if (columns.st !== undefined) columns.st = grown(columns.st, size);
}

function grown(column: Float64Array, size: number): Float64Array {
  const next = new Float64Array(size);
  next.set(column);
  return next;
}

/** A finished chunk: its data without length, encoding byte and CRC; first and last time in ms, both inclusive. */
export type EncodedChunk = {
  readonly encoding: number;
  readonly mint: number;
  readonly maxt: number;
  readonly samples: number;
  readonly data: Uint8Array<ArrayBuffer>;
};

/** Encodes samples [from, to), ascending by time, as XOR chunks of at most `perChunk` samples. */
export function encodeXorChunks(
  columns: FloatColumns,
  from = 0,
  to: number = columns.n,
  perChunk: number = SAMPLES_PER_CHUNK,
): EncodedChunk[] {
  const chunks: EncodedChunk[] = [];
  for (let at = from; at < to; at += perChunk) {
    const end = Math.min(at + perChunk, to);
    chunks.push({
      encoding: ENCODING.xor,
      mint: columns.t[at] as number,
      maxt: columns.t[end - 1] as number,
      samples: end - at,
      data: xorEncode(columns.t, columns.v, at, end),
    });
  }
  return chunks;
}
