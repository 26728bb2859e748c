import {ByteWriter} from "@strata/bytes";
import type {Histogram, Labels, Span} from "@strata/model";
import {toFloatHistogram} from "@strata/model";
import {prompb} from "@strata/proto";

/** A sample on its way: a float by the words of its bits, or a histogram. */
export type OutgoingSample = {
  readonly labels: Labels;
  readonly t: number;
  readonly low: number;
  readonly high: number;
  readonly histogram: Histogram | undefined;
};

export type SampleCounts = {readonly samples: number; readonly histograms: number};

/** How many of them are floats, and how many histograms. */
export function countsOf(samples: readonly OutgoingSample[]): SampleCounts {
  const histograms = samples.reduce((n, {histogram}) => n + (histogram === undefined ? 0 : 1), 0);
  return {samples: samples.length - histograms, histograms};
}

const TAG = {timeseries: 0x0a, label: 0x0a, sample: 0x12, histogram: 0x22, name: 0x0a, value: 0x12} as const;

const request = new ByteWriter(64 * 1024);
const seriesList = new ByteWriter(64 * 1024);
const series = new ByteWriter(4096);
const inner = new ByteWriter(1024);

/**
 * A `prometheus.WriteRequest`, good until the next call. Written by hand, because the bits of stale markers would not
 * survive a number.
 */
export function writeRequest(samples: readonly OutgoingSample[]): Uint8Array {
  request.reset();
  for (const sample of samples) {
    series.reset();
    for (const [name, value] of sample.labels) {
      inner.reset();
      inner.u8(TAG.name);
      inner.str(name);
      inner.u8(TAG.value);
      inner.str(value);
      field(series, TAG.label, inner.view());
    }
    if (sample.histogram === undefined) field(series, TAG.sample, floatSample(sample));
    else field(series, TAG.histogram, histogramMessage(sample.histogram, sample.t));
    field(request, TAG.timeseries, series.view());
  }
  return request.view();
}

/** The tags of 2.0; those within a sample or a histogram are the same in both. */
const TAG_V2 = {symbol: 0x22, timeseries: 0x2a, labels: 0x0a, sample: 0x12, histogram: 0x1a} as const;

/**
 * An `io.prometheus.write.v2.Request`, good until the next call: each name and value once, and series that refer to them.
 * Rules give no exemplars and no metadata.
 */
export function writeRequestV2(samples: readonly OutgoingSample[]): Uint8Array {
  request.reset();
  seriesList.reset();
  const symbols = new Map<string, number>();
  const refOf = (text: string): number => {
    const known = symbols.get(text);
    if (known !== undefined) return known;
    request.u8(TAG_V2.symbol);
    request.str(text);
    symbols.set(text, symbols.size);
    return symbols.size - 1;
  };
  // The first symbol is the empty text, by the specification.
  refOf("");
  for (const sample of samples) {
    series.reset();
    inner.reset();
    for (const [name, value] of sample.labels) {
      inner.uvarint(refOf(name));
      inner.uvarint(refOf(value));
    }
    field(series, TAG_V2.labels, inner.view());
    if (sample.histogram === undefined) field(series, TAG_V2.sample, floatSample(sample));
    else field(series, TAG_V2.histogram, histogramMessage(sample.histogram, sample.t));
    field(seriesList, TAG_V2.timeseries, series.view());
  }
  // Symbols come first, so that a receiver can read the series as they come.
  request.bytes(seriesList.view());
  return request.view();
}

function field(into: ByteWriter, tag: number, message: Uint8Array): void {
  into.u8(tag);
  into.uvarint(message.length);
  into.bytes(message);
}

/** `double value = 1; int64 timestamp = 2`. */
function floatSample({t, low, high}: OutgoingSample): Uint8Array {
  inner.reset();
  inner.u8(0x09);
  inner.u32le(low);
  inner.u32le(high);
  inner.u8(0x10);
  inner.uvarint(t < 0 ? BigInt.asUintN(64, BigInt(t)) : t);
  return inner.view();
}

function histogramMessage(histogram: Histogram, t: number): Uint8Array {
  const h = toFloatHistogram(histogram);
  const spans = (list: readonly Span[]) => list.map(({offset, length}) => ({offset, length}));
  return prompb.Histogram.encode({
    countFloat: h.count,
    sum: h.sum,
    schema: h.schema,
    zeroThreshold: h.zeroThreshold,
    zeroCountFloat: h.zeroCount,
    positiveSpans: spans(h.positiveSpans),
    positiveCounts: [...h.positiveBuckets],
    negativeSpans: spans(h.negativeSpans),
    negativeCounts: [...h.negativeBuckets],
    customValues: [...h.customValues],
    resetHint: h.resetHint,
    timestamp: t,
  });
}
