import {type EncodedChunk, encodeXorChunks, HistogramChunkWriter} from "@strata/chunkenc";
import {type FloatHistogram, Labels, type ResetHint} from "@strata/model";
import type {prompb} from "@strata/proto";

/** One series of another querier's answer, as chunks: what a selector over it finds is exactly that answer. */
export type RemoteSeries = {readonly labels: Labels; readonly chunks: readonly EncodedChunk[]; readonly bytes: number};

/** Times of the query, ms; `step` 0 for one moment. */
export type Times = {readonly start: number; readonly end: number; readonly step: number};

/**
 * The chunks of a series that has values at some of the query's steps. Where it has none, a stale marker keeps the value
 * before from being found.
 */
export function remoteSeries(
  series: prompb.TimeSeries,
  tag: readonly [string, string] | undefined,
  times: Times,
): RemoteSeries {
  const pairs = series.labels.map((l) => [l.name, l.value] as const);
  const labels = Labels.fromPairs(tag === undefined ? pairs : [...pairs, tag]);
  const chunks = [...floatChunks(series, times), ...histogramChunks(series, times)].sort((a, b) => a.mint - b.mint);
  return {labels, chunks, bytes: chunks.reduce((n, c) => n + c.data.length, 0)};
}

/** The floats, and the stale markers of both kinds. */
function floatChunks({samples, histograms}: prompb.TimeSeries, times: Times): EncodedChunk[] {
  const {start, end, step} = times;
  // Of one moment the time is that which was asked for, even where another querier knows only whole seconds.
  const timeOf = (t: number): number => (step === 0 ? start : t);
  const taken = new Set([...samples, ...histograms].map((s) => s.timestamp));
  const stale = step === 0 ? [] : [...taken].map((t) => t + step).filter((t) => t <= end && !taken.has(t));
  const n = samples.length + stale.length;
  const [t, v] = [new Float64Array(n), new Float64Array(n)];
  const words = new Uint32Array(v.buffer);
  const marks = stale.sort((a, b) => a - b);
  for (let i = 0, s = 0, m = 0; i < n; i++) {
    const sample = samples[s];
    if (sample !== undefined && (marks[m] === undefined || sample.timestamp < (marks[m] as number))) {
      t[i] = timeOf(sample.timestamp);
      v[i] = sample.value;
      s++;
    } else {
      t[i] = marks[m++] as number;
      words[2 * i] = STALE_LOW;
      words[2 * i + 1] = STALE_HIGH;
    }
  }
  return encodeXorChunks({t, v, n});
}

/** The stale marker's bits. */
const STALE_HIGH = 0x7ff00000;
const STALE_LOW = 2;

function histogramChunks({histograms}: prompb.TimeSeries, {start, step}: Times): EncodedChunk[] {
  if (histograms.length === 0) return [];
  const writer = new HistogramChunkWriter("float");
  for (const h of histograms) writer.append(step === 0 ? start : h.timestamp, floatHistogram(h));
  return writer.finish();
}

function floatHistogram(h: prompb.Histogram): FloatHistogram {
  return {
    kind: "float",
    resetHint: h.resetHint as ResetHint,
    schema: h.schema,
    zeroThreshold: h.zeroThreshold,
    zeroCount: h.zeroCountFloat ?? h.zeroCountInt ?? 0,
    count: h.countFloat ?? h.countInt ?? 0,
    sum: h.sum,
    stale: false,
    positiveSpans: h.positiveSpans,
    negativeSpans: h.negativeSpans,
    positiveBuckets: counts(h.positiveCounts, h.positiveDeltas),
    negativeBuckets: counts(h.negativeCounts, h.negativeDeltas),
    customValues: Float64Array.from(h.customValues),
  };
}

/** Absolute counts, where only differences are given also. */
function counts(absolute: readonly number[], deltas: readonly number[]): Float64Array {
  if (deltas.length === 0) return Float64Array.from(absolute);
  let count = 0;
  return Float64Array.from(deltas, (d) => (count += d));
}
