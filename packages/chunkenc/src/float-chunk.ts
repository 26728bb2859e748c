import {xor2Decode, xor2Encode, xorDecode, xorEncode} from "@strata/kernels";
import {type ChunkPlace, corruptChunk, UNKNOWN_PLACE} from "./chunk-error.ts";
import {ENCODING, isFloatEncoding} from "./encoding.ts";

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
 * Appends the samples of the float chunk (XOR or XOR2) data[from, from + length) to `into`, growing its columns as
 * needed; `st` comes into being with the first chunk that carries start times. Returns how many came; corrupt data throws
 * and leaves the samples of `into` as they were.
 */
export function appendFloatChunk(
  encoding: number,
  data: Uint8Array,
  from: number,
  length: number,
  into: FloatColumns,
  place: ChunkPlace = UNKNOWN_PLACE,
): number {
  if (!isFloatEncoding(encoding)) throw corruptChunk(encoding, length, place, "it holds no floats");
  if (length < 2 || from + length > data.length) throw corruptChunk(encoding, length, place, "too short");
  const count = ((data[from] as number) << 8) | (data[from + 1] as number);
  // A sample takes a bit at the least, so a count beyond that is not worth an allocation.
  if (count > length * 8) throw corruptChunk(encoding, length, place, `it states ${count} samples`);
  reserve(into, into.n + count);
  let n: number;
  if (encoding === ENCODING.xor) {
    n = xorDecode(data, from, length, into.t, into.v, into.n);
    into.st?.fill(0, into.n, into.n + count);
  } else {
    if (into.st === undefined && length > 2 && data[from + 2] !== 0) into.st = new Float64Array(into.t.length);
    n = xor2Decode(data, from, length, into.t, into.v, into.st, into.n);
  }
  if (n < 0) throw corruptChunk(encoding, length, place, `it does not hold the ${count} samples it states`);
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

/**
 * Encodes samples [from, to), ascending by time, as chunks of at most `perChunk` samples: XOR, or XOR2 where a sample of
 * the chunk has a start time (or `encoding` says so).
 */
export function encodeFloatChunks(
  columns: FloatColumns,
  from = 0,
  to: number = columns.n,
  perChunk: number = SAMPLES_PER_CHUNK,
  encoding: typeof ENCODING.xor | typeof ENCODING.xor2 = ENCODING.xor,
): EncodedChunk[] {
  const chunks: EncodedChunk[] = [];
  for (let at = from; at < to; at += perChunk) {
    const end = Math.min(at + perChunk, to);
    const st = columns.st?.subarray(at, end).some((x) => x !== 0) ? columns.st : undefined;
    const wide = encoding === ENCODING.xor2 || st !== undefined;
    chunks.push({
      encoding: wide ? ENCODING.xor2 : ENCODING.xor,
      mint: columns.t[at] as number,
      maxt: columns.t[end - 1] as number,
      samples: end - at,
      data: wide ? xor2Encode(columns.t, columns.v, st, at, end) : xorEncode(columns.t, columns.v, at, end),
    });
  }
  return chunks;
}

/** `encodeFloatChunks` of samples that have no start times. */
export const encodeXorChunks = (columns: FloatColumns, from?: number, to?: number, perChunk?: number): EncodedChunk[] =>
  encodeFloatChunks({t: columns.t, v: columns.v, n: columns.n}, from, to, perChunk);
