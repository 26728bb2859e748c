import type {QueryResult} from "@strata/engine";
import {spansOf} from "@strata/model";
import {prompb, WireWriter} from "@strata/proto";
import {MESSAGE_HEADER} from "@strata/storeapi";

/**
 * A result as encoded QueryResponses with MESSAGE_HEADER bytes of room before each: one series a message, or `batchSize`
 * of them where that is above 1. Each message owns its buffer. A scalar is a series without labels; a string is nothing.
 */
export function* resultMessages(result: QueryResult, batchSize: number): Generator<Uint8Array<ArrayBuffer>> {
  if (result.type === "string") return;
  const perMessage = Math.max(1, batchSize);
  for (let s = 0; s < result.labels.length; s += perMessage) {
    const w = new WireWriter(MESSAGE_BYTES);
    const end = Math.min(result.labels.length, s + perMessage);
    if (perMessage === 1) writeSeries(result, s, w, TIMESERIES);
    else {
      w.uint32(TIMESERIES_BATCH);
      const batch = w.open();
      for (let i = s; i < end; i++) writeSeries(result, i, w, BATCH_SERIES);
      w.close(batch);
    }
    const bytes = w.finish();
    const out = new Uint8Array(MESSAGE_HEADER + bytes.length);
    out.set(bytes, MESSAGE_HEADER);
    yield out;
  }
}

const MESSAGE_BYTES = 4096;

/** Tags: field number and, in the three low bits, wire type. */
const TIMESERIES = (2 << 3) | 2;
const TIMESERIES_BATCH = (4 << 3) | 2;
const BATCH_SERIES = (1 << 3) | 2;
const LABEL = (1 << 3) | 2;
const SAMPLE = (2 << 3) | 2;
const HISTOGRAM = (4 << 3) | 2;
const SAMPLE_VALUE = (1 << 3) | 1;
const SAMPLE_TIME = 2 << 3;

function writeSeries(result: QueryResult, s: number, w: WireWriter, tag: number): void {
  w.uint32(tag);
  const series = w.open();
  for (const [name, value] of result.labels[s]!) {
    w.uint32(LABEL);
    const label = w.open();
    prompb.writeLabel({name, value}, w);
    w.close(label);
  }
  const [from, to] = [result.firstPoint[s]!, result.firstPoint[s + 1]!];
  for (let p = from; p < to; p++) if (!result.histograms?.has(p)) writeSample(result, p, w);
  if (result.histograms !== undefined) for (let p = from; p < to; p++) writeHistogram(result, p, w);
  w.close(series);
}

function writeSample(result: QueryResult, p: number, w: WireWriter): void {
  w.uint32(SAMPLE);
  const sample = w.open();
  const value = result.values[p]!;
  if (!Object.is(value, 0)) {
    w.uint32(SAMPLE_VALUE);
    w.double(value);
  }
  if (result.times[p] !== 0) {
    w.uint32(SAMPLE_TIME);
    w.int64(result.times[p]!);
  }
  w.close(sample);
}

function writeHistogram(result: QueryResult, p: number, w: WireWriter): void {
  const h = result.histograms?.get(p);
  if (h === undefined) return;
  w.uint32(HISTOGRAM);
  const mark = w.open();
  prompb.writeHistogram(
    {
      countFloat: h.count,
      sum: h.sum,
      schema: h.schema,
      zeroThreshold: h.zeroThreshold,
      zeroCountFloat: h.zeroCount,
      negativeSpans: spansOf(h.ni),
      negativeCounts: h.nv,
      positiveSpans: spansOf(h.pi),
      positiveCounts: h.pv,
      resetHint: h.hint,
      timestamp: result.times[p]!,
      customValues: h.custom,
    },
    w,
  );
  w.close(mark);
}
