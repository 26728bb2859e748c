import {ByteWriter} from "@strata/bytes";
import {Labels} from "@strata/model";
import {writeLabelField} from "../label-bytes.ts";
import type {Exemplar} from "./otlp-metrics.ts";

/** A native histogram to be written: counts as differences. */
export type NativeHistogram = {
  readonly t: number;
  readonly schema: number;
  readonly count: number;
  readonly sum: number;
  readonly stale: boolean;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positive: SpanCounts;
  readonly negative: SpanCounts;
  readonly customValues: readonly number[];
};

/** Spans of buckets (offset, length) and the counts in them. */
export type SpanCounts = {readonly spans: readonly (readonly [number, number])[]; readonly counts: readonly number[]};

type Series = {
  readonly labels: Labels;
  readonly samples: {readonly t: number; readonly value: number; readonly stale: boolean}[];
  readonly histograms: NativeHistogram[];
  readonly exemplars: Exemplar[];
};

/** Labels of an exemplar may have so many characters together; see AppendExemplar of Prometheus. */
const MAX_EXEMPLAR_RUNES = 128;
const STALE = 0x7ff0_0000_0000_0002n;

/** Collects series and writes them as a WriteRequest of remote write 1.0. */
export class SeriesWriter {
  readonly #series = new Map<string, Series>();

  /** Adds a sample to the series of the labels; samples of one series should come in order of time. */
  sample(labels: Labels, t: number, value: number, stale: boolean): void {
    this.#of(labels).samples.push({t, value, stale});
  }

  histogram(labels: Labels, histogram: NativeHistogram): void {
    this.#of(labels).histograms.push(histogram);
  }

  exemplars(labels: Labels, exemplars: readonly Exemplar[]): void {
    if (exemplars.length > 0) this.#of(labels).exemplars.push(...exemplars);
  }

  #of(labels: Labels): Series {
    const key = labels.pairs.join("\xff");
    let series = this.#series.get(key);
    if (series === undefined) {
      series = {labels, samples: [], histograms: [], exemplars: []};
      this.#series.set(key, series);
    }
    return series;
  }

  /** The request's bytes. */
  finish(): Uint8Array {
    const out = new ByteWriter(4096);
    const message = new ByteWriter(1024);
    for (const series of this.#series.values()) {
      message.reset();
      writeSeries(message, series);
      field(out, 0x0a, message);
    }
    return out.take();
  }
}

const part = new ByteWriter(256);
const inner = new ByteWriter(64);

function field(out: ByteWriter, tag: number, content: ByteWriter): void {
  out.uvarint(tag);
  out.uvarint(content.length);
  out.bytes(content.view());
}

function writeSeries(out: ByteWriter, {labels, samples, histograms, exemplars}: Series): void {
  for (const [name, value] of labels) writeLabelField(out, name, value);
  for (const {t, value, stale} of samples) {
    part.reset();
    part.u8(0x09);
    putDouble(part, value, stale);
    putTime(part, 0x10, t);
    field(out, 0x12, part);
  }
  for (const exemplar of exemplars) {
    part.reset();
    for (const [name, value] of exemplarLabels(exemplar)) writeLabelField(part, name, value);
    part.u8(0x11);
    putDouble(part, exemplar.value, false);
    putTime(part, 0x18, exemplar.t);
    field(out, 0x1a, part);
  }
  for (const histogram of histograms) {
    part.reset();
    writeHistogram(part, histogram);
    field(out, 0x22, part);
  }
}

function writeHistogram(out: ByteWriter, h: NativeHistogram): void {
  out.u8(0x08);
  out.uvarint(h.stale ? 0 : h.count);
  out.u8(0x19);
  putDouble(out, h.sum, h.stale);
  out.u8(0x20);
  out.varint(h.schema);
  out.u8(0x29);
  putDouble(out, h.zeroThreshold, false);
  out.u8(0x30);
  out.uvarint(h.zeroCount);
  writeSpans(out, 0x42, h.negative);
  writeDeltas(out, 0x4a, h.negative);
  writeSpans(out, 0x5a, h.positive);
  writeDeltas(out, 0x62, h.positive);
  putTime(out, 0x78, h.t);
  if (h.customValues.length > 0) {
    inner.reset();
    for (const bound of h.customValues) putDouble(inner, bound, false);
    field(out, 0x82, inner);
  }
}

function writeSpans(out: ByteWriter, tag: number, {spans}: SpanCounts): void {
  for (const [offset, length] of spans) {
    inner.reset();
    inner.u8(0x08);
    inner.varint(offset);
    inner.u8(0x10);
    inner.uvarint(length);
    field(out, tag, inner);
  }
}

function writeDeltas(out: ByteWriter, tag: number, {counts}: SpanCounts): void {
  if (counts.length === 0) return;
  inner.reset();
  let last = 0;
  for (const count of counts) {
    inner.varint(count - last);
    last = count;
  }
  field(out, tag, inner);
}

const bits = new DataView(new ArrayBuffer(8));

/** Eight bytes, little-endian; the stale marker by its bits, which a number need not keep. */
function putDouble(out: ByteWriter, value: number, stale: boolean): void {
  if (stale) bits.setBigUint64(0, STALE, true);
  else bits.setFloat64(0, value, true);
  out.u32le(bits.getUint32(0, true));
  out.u32le(bits.getUint32(4, true));
}

/** An int64 field. */
function putTime(out: ByteWriter, tag: number, t: number): void {
  out.u8(tag);
  let rest = BigInt.asUintN(64, BigInt(t));
  for (; rest >= 0x80n; rest >>= 7n) out.u8(Number(rest & 0x7fn) | 0x80);
  out.u8(Number(rest));
}

/** Ids first; attributes only when all together is not too long. Sorted by name. */
function exemplarLabels({traceId, spanId, attributes}: Exemplar): Labels {
  const ids: [string, string][] = [];
  if (traceId !== "" && !/^0*$/.test(traceId)) ids.push(["trace_id", traceId]);
  if (spanId !== "" && !/^0*$/.test(spanId)) ids.push(["span_id", spanId]);
  const more = attributes.map(({key, value}): [string, string] => [key, value]);
  const all = [...ids, ...more];
  const runes = all.reduce((sum, [name, value]) => sum + [...name].length + [...value].length, 0);
  return Labels.fromPairs(runes <= MAX_EXEMPLAR_RUNES ? all : ids);
}
