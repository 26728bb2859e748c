import {type ByteReader, ByteWriter} from "@strata/bytes";
import {CUSTOM_BUCKETS_SCHEMA, type Histogram, type ResetHint, type Span, spanBuckets} from "@strata/model";
import {RECORD} from "./record-type.ts";
import {V2Entry} from "./sample-records.ts";

/** A histogram of a series at `t`; `st` is its start time (ms, 0 for none). */
export type HistogramSample = {
  readonly ref: number;
  readonly t: number;
  readonly st: number;
  readonly h: Histogram;
};

const STALE_HIGH = 0x7ff00000;
const STALE_LOW = 2;
const NO_BOUNDS = new Float64Array(0);

const isFloatRecord = (type: number): boolean =>
  type === RECORD.floatHistograms || type === RECORD.customFloatHistograms || type === RECORD.floatHistogramsV2;

/**
 * Appends the entries of a histogram record (types 7 to 10, 12, 13), type byte read, to `into`: framed as float samples
 * are, and for the value
 *
 * ```
 * u8 reset hint · varint schema · BE f64 zero threshold · zero count · count · BE f64 sum · spans +, spans −
 *   · buckets +, buckets − · [schema −53: uvarint n · n × BE f64 bounds]
 * spans: uvarint n · n × { varint offset · uvarint length }      buckets: uvarint n · n × (varint difference | BE f64)
 * ```
 *
 * with counts as uvarints, or floats. Schemas are not judged here.
 */
export function decodeHistogramRecord(r: ByteReader, type: number, into: HistogramSample[]): void {
  const float = isFloatRecord(type);
  if (type === RECORD.histogramsV2 || type === RECORD.floatHistogramsV2) {
    const entry = new V2Entry();
    while (r.remaining > 0) {
      entry.read(r);
      const h = readHistogram(r, float);
      into.push({ref: entry.ref, t: entry.t, st: entry.st, h});
    }
    return;
  }
  if (r.remaining === 0) return;
  const ref = Number(r.u64be());
  const t = Number(r.i64be());
  while (r.remaining > 0) {
    const dRef = r.varint();
    const dT = r.varint();
    into.push({ref: ref + dRef, t: t + dT, st: 0, h: readHistogram(r, float)});
  }
}

function readHistogram(r: ByteReader, float: boolean): Histogram {
  const resetHint = (r.u8() & 3) as ResetHint;
  const schema = r.varint();
  const zeroThreshold = r.f64be();
  const zeroCount = float ? r.f64be() : r.uvarint64();
  const count = float ? r.f64be() : r.uvarint64();
  const sumAt = r.pos;
  const sum = r.f64be();
  r.pos = sumAt;
  const stale = r.u32be() === STALE_HIGH && r.u32be() === STALE_LOW;
  r.pos = sumAt + 8;
  const positiveSpans = readSpans(r);
  const negativeSpans = readSpans(r);
  const positiveBuckets = readBuckets(r, float, positiveSpans);
  const negativeBuckets = readBuckets(r, float, negativeSpans);
  const customValues = schema === CUSTOM_BUCKETS_SCHEMA ? readFloats(r) : NO_BOUNDS;
  const base = {resetHint, schema, zeroThreshold, sum, stale, positiveSpans, negativeSpans, customValues};
  return {kind: float ? "float" : "int", ...base, count, zeroCount, positiveBuckets, negativeBuckets} as Histogram;
}

function readSpans(r: ByteReader): Span[] {
  const count = r.uvarint();
  r.need(2 * count);
  const spans: Span[] = [];
  for (let i = 0; i < count; i++) {
    const offset = r.varint();
    const length = r.uvarint();
    if (length > 0xffff_ffff) throw r.corrupt(`a span of ${length} buckets`);
    spans.push({offset, length});
  }
  return spans;
}

function readBuckets(r: ByteReader, float: boolean, spans: readonly Span[]): Float64Array | BigInt64Array {
  const at = r.pos;
  const buckets = float ? readFloats(r) : readDifferences(r);
  if (buckets.length !== spanBuckets(spans)) {
    throw r.corrupt(`${buckets.length} buckets, but spans of ${spanBuckets(spans)}`, at);
  }
  return buckets;
}

function readFloats(r: ByteReader): Float64Array {
  const count = r.uvarint();
  r.need(8 * count);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = r.f64be();
  return values;
}

function readDifferences(r: ByteReader): BigInt64Array {
  const count = r.uvarint();
  r.need(count);
  const values = new BigInt64Array(count);
  for (let i = 0; i < count; i++) values[i] = BigInt(r.varint64());
  return values;
}

/**
 * The records of histograms of one kind, in order. Without `startTimes` those with custom buckets go into a record of
 * their own behind the others'.
 */
export function encodeHistogramRecords(samples: readonly HistogramSample[], startTimes = false): Uint8Array[] {
  const first = samples[0];
  if (first === undefined) return [];
  const float = first.h.kind === "float";
  if (startTimes) {
    const w = new ByteWriter();
    const entry = new V2Entry();
    w.u8(float ? RECORD.floatHistogramsV2 : RECORD.histogramsV2);
    for (const {ref, t, st, h} of samples) {
      entry.write(w, ref, t, st);
      writeHistogram(w, h);
    }
    return [w.take()];
  }
  const custom = samples.filter(({h}) => h.schema === CUSTOM_BUCKETS_SCHEMA);
  const rest = custom.length === 0 ? samples : samples.filter(({h}) => h.schema !== CUSTOM_BUCKETS_SCHEMA);
  const records: Uint8Array[] = [];
  // Compat: the base is the whole batch's first entry, even where that one goes into the other record.
  if (rest.length > 0) records.push(encodeV1(float ? RECORD.floatHistograms : RECORD.histograms, first, rest));
  if (custom[0] !== undefined) {
    records.push(encodeV1(float ? RECORD.customFloatHistograms : RECORD.customHistograms, custom[0], custom));
  }
  return records;
}

function encodeV1(type: number, base: HistogramSample, samples: readonly HistogramSample[]): Uint8Array {
  const w = new ByteWriter();
  w.u8(type);
  w.u64be(base.ref);
  w.u64be(base.t);
  for (const {ref, t, h} of samples) {
    w.varint(ref - base.ref);
    w.varint(t - base.t);
    writeHistogram(w, h);
  }
  return w.take();
}

/** Appends a histogram as it stands in records. */
export function writeHistogram(w: ByteWriter, h: Histogram): void {
  w.u8(h.resetHint);
  w.varint(h.schema);
  w.f64be(h.zeroThreshold);
  if (h.kind === "float") {
    w.f64be(h.zeroCount);
    w.f64be(h.count);
  } else {
    w.uvarint(h.zeroCount);
    w.uvarint(h.count);
  }
  if (h.stale) {
    w.u32be(STALE_HIGH);
    w.u32be(STALE_LOW);
  } else w.f64be(h.sum);
  writeSpans(w, h.positiveSpans);
  writeSpans(w, h.negativeSpans);
  writeBuckets(w, h.positiveBuckets);
  writeBuckets(w, h.negativeBuckets);
  if (h.schema === CUSTOM_BUCKETS_SCHEMA) writeBuckets(w, h.customValues);
}

function writeSpans(w: ByteWriter, spans: readonly Span[]): void {
  w.uvarint(spans.length);
  for (const {offset, length} of spans) {
    w.varint(offset);
    w.uvarint(length);
  }
}

function writeBuckets(w: ByteWriter, values: Float64Array | BigInt64Array): void {
  w.uvarint(values.length);
  if (values instanceof Float64Array) for (const value of values) w.f64be(value);
  else for (const value of values) w.varint(value);
}
