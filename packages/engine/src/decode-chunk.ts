import {StrataError} from "@strata/base";
import {
  appendFloatChunk,
  decodeFloatHistograms,
  ENCODING,
  type Encoding,
  histogramAt,
  isFloatEncoding,
  isHistogramEncoding,
  newFloatColumns,
} from "@strata/chunkenc";
import type {FloatHistogram as ModelHistogram, Span} from "@strata/model";
import type {FloatHistogram, Hint} from "./histogram/float-histogram.ts";

/** TSDB encoding number of plain float chunks, which kernels decode in place. */
export const ENCODING_XOR = ENCODING.xor;

/** The samples of one chunk. `hs[i]` is defined where sample i is a histogram; `st` are start times, 0 unknown. */
export type ChunkSamples = {
  readonly ts: Float64Array;
  /** Bit patterns kept; a stale histogram is a stale float here. */
  readonly vs: Float64Array;
  readonly n: number;
  readonly hs: readonly (FloatHistogram | undefined)[] | undefined;
  readonly st: Float64Array | undefined;
};

/** How chunk data becomes samples; throws `corrupt`. */
export type ChunkDecoder = (encoding: number, bytes: Uint8Array, from: number, length: number) => ChunkSamples;

/** Decodes one chunk's data bytes[from, from + length) of any encoding that Prometheus writes. */
export const decodeChunk: ChunkDecoder = (encoding, bytes, from, length) => {
  if (from + length > bytes.length) {
    throw new StrataError("corrupt", `chunk data [${from}, ${from + length}) reaches beyond ${bytes.length} bytes`);
  }
  if (isFloatEncoding(encoding)) {
    const into = newFloatColumns(0);
    appendFloatChunk(encoding, bytes, from, length, into);
    return {ts: into.t, vs: into.v, n: into.n, hs: undefined, st: into.st};
  }
  if (!isHistogramEncoding(encoding)) throw new StrataError("corrupt", `unknown chunk encoding ${encoding}`);
  const columns = decodeFloatHistograms(encoding as Encoding, bytes, from, length);
  const hs: (FloatHistogram | undefined)[] = new Array(columns.n);
  const vs = new Float64Array(columns.n);
  const bits = new BigUint64Array(vs.buffer);
  for (let i = 0; i < columns.n; i++) {
    if (i >= columns.live) bits[i] = 0x7ff0000000000002n;
    else hs[i] = fromModel(histogramAt(columns, i));
  }
  return {ts: columns.t, vs, n: columns.n, hs, st: columns.st};
};

/** The engine's form of a histogram. */
export function fromModel(h: ModelHistogram): FloatHistogram {
  return {
    schema: h.schema,
    hint: h.resetHint as Hint,
    zeroThreshold: h.zeroThreshold,
    zeroCount: h.zeroCount,
    count: h.count,
    sum: h.sum,
    pi: indexes(h.positiveSpans),
    pv: Array.from(h.positiveBuckets),
    ni: indexes(h.negativeSpans),
    nv: Array.from(h.negativeBuckets),
    custom: Array.from(h.customValues),
  };
}

/** Absolute bucket indexes of spans. */
export function indexes(spans: readonly Span[]): number[] {
  const out: number[] = [];
  let at = 0;
  for (const {offset, length} of spans) {
    at += offset;
    for (let i = 0; i < length; i++) out.push(at++);
  }
  return out;
}
