import {StrataError} from "@strata/base";
import {appendFloatChunk, ENCODING, encodeFloatChunks, type FloatColumns, newFloatColumns} from "@strata/chunkenc";
import type {Interval} from "./tombstones.ts";

/** Gets the chunk that is left: first and last time (ms, inclusive), encoding and data. */
export type MaskedChunk = {
  readonly mint: number;
  readonly maxt: number;
  readonly encoding: number;
  readonly data: Uint8Array;
};

/**
 * The chunk data[from, from + length) without the samples in `intervals`, encoded anew; undefined when none is left.
 * `name` and `offset` say where it comes from. Throws `corrupt`.
 */
export function maskChunk(
  encoding: number,
  data: Uint8Array,
  from: number,
  length: number,
  intervals: readonly Interval[],
  place: {readonly name: string; readonly offset: number},
): MaskedChunk | undefined {
  if (encoding !== ENCODING.xor && encoding !== ENCODING.xor2) {
    throw new StrataError("execution", `cannot apply deletions to a chunk of encoding ${encoding} in ${place.name}`);
  }
  const columns: FloatColumns = newFloatColumns(128);
  appendFloatChunk(encoding, data, from, length, columns, place);
  dropIntervals(columns, intervals);
  const [chunk] = encodeFloatChunks(columns, 0, columns.n, 65535, encoding);
  return chunk;
}

/** Removes the samples inside any of the intervals, in place. */
export function dropIntervals(columns: FloatColumns, intervals: readonly Interval[]): void {
  const {t, v, st} = columns;
  // Values are moved as 32-bit words, so that NaN payloads survive.
  const words = new Uint32Array(v.buffer, v.byteOffset, v.length * 2);
  let n = 0;
  for (let i = 0; i < columns.n; i++) {
    const time = t[i] as number;
    if (intervals.some((interval) => interval.mint <= time && time <= interval.maxt)) continue;
    t[n] = time;
    if (st !== undefined) st[n] = st[i] as number;
    words[2 * n] = words[2 * i] as number;
    words[2 * n + 1] = words[2 * i + 1] as number;
    n++;
  }
  columns.n = n;
}
