import {StrataError} from "@strata/base";
import {
  appendFloatChunk,
  type ChunkPlace,
  decodeHistograms,
  ENCODING,
  type EncodedChunk,
  type Encoding,
  encodeFloatChunks,
  type FloatColumns,
  HistogramChunkWriter,
  histogramAt,
  isFloatEncoding,
  isHistogramEncoding,
  newFloatColumns,
} from "@strata/chunkenc";
import type {Interval} from "./tombstones.ts";

/** No bound on the samples of a chunk but what its count can hold. */
const ONE_CHUNK = 65535;

/**
 * The chunk data[from, from + length) without the samples in `intervals`, encoded anew in its own encoding; undefined
 * when none is left. Compat: a histogram chunk's header tells no more of resets than its first sample does, which for
 * a chunk read alone is nothing (or that it is a gauge). Throws `corrupt`.
 */
export function maskChunk(
  encoding: number,
  data: Uint8Array,
  from: number,
  length: number,
  intervals: readonly Interval[],
  place: ChunkPlace,
): EncodedChunk | undefined {
  if (isFloatEncoding(encoding)) {
    const columns = newFloatColumns(128);
    appendFloatChunk(encoding, data, from, length, columns, place);
    dropIntervals(columns, intervals);
    return encodeFloatChunks(columns, 0, columns.n, ONE_CHUNK, encoding as typeof ENCODING.xor)[0];
  }
  if (isHistogramEncoding(encoding)) return maskHistograms(encoding as Encoding, data, from, length, intervals, place);
  throw new StrataError("execution", `cannot apply deletions to a chunk of encoding ${encoding} in ${place.name}`);
}

function maskHistograms(
  encoding: Encoding,
  data: Uint8Array,
  from: number,
  length: number,
  intervals: readonly Interval[],
  place: ChunkPlace,
): EncodedChunk | undefined {
  const columns = decodeHistograms(encoding, data, from, length, place);
  const startTimes = encoding === ENCODING.histogramST || encoding === ENCODING.floatHistogramST;
  const writer = new HistogramChunkWriter(columns.kind, {perChunk: ONE_CHUNK, startTimes});
  for (let i = 0; i < columns.n; i++) {
    const t = columns.t[i] as number;
    if (!isInside(t, intervals)) writer.append(t, histogramAt(columns, i), columns.st?.[i] ?? 0);
  }
  const [chunk, second] = writer.finish();
  // Within one chunk nothing resets and no layout changes, so what is left fits one chunk too.
  if (second !== undefined) {
    throw new StrataError(
      "corrupt",
      `cannot read histogram chunk in ${place.name} at ${place.offset}: a reset inside`,
      {
        fields: {file: place.name, offset: place.offset},
      },
    );
  }
  return chunk;
}

const isInside = (t: number, intervals: readonly Interval[]): boolean =>
  intervals.some((interval) => interval.mint <= t && t <= interval.maxt);

/** Removes the samples inside any of the intervals, in place. */
export function dropIntervals(columns: FloatColumns, intervals: readonly Interval[]): void {
  const {t, v, st} = columns;
  // Values are moved as 32-bit words, so that NaN payloads survive.
  const words = new Uint32Array(v.buffer, v.byteOffset, v.length * 2);
  let n = 0;
  for (let i = 0; i < columns.n; i++) {
    if (isInside(t[i] as number, intervals)) continue;
    t[n] = t[i] as number;
    if (st !== undefined) st[n] = st[i] as number;
    words[2 * n] = words[2 * i] as number;
    words[2 * n + 1] = words[2 * i + 1] as number;
    n++;
  }
  columns.n = n;
}
