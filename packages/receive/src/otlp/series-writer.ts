import {ByteWriter} from "@strata/bytes";
import {Labels} from "@strata/model";
import {writeLabelField} from "../label-bytes.ts";
import type {Exemplar} from "./otlp-metrics.ts";
import type {SeriesEntry} from "./series-cache.ts";

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

/** Labels of an exemplar may have so many characters together; see AppendExemplar of Prometheus. */
const MAX_EXEMPLAR_RUNES = 128;
const STALE = 0x7ff0_0000_0000_0002n;

/** What few series have. */
type Others = {readonly histograms: NativeHistogram[]; readonly exemplars: Exemplar[]};

/** Collects series and writes them as a WriteRequest of remote write 1.0. */
export class SeriesWriter {
  /** By slot, which an entry knows; it may be another writer's. */
  readonly #entries: SeriesEntry[] = [];
  /** First and last sample of each slot, and of each sample the one after it; −1 for none. */
  readonly #first: number[] = [];
  readonly #last: number[] = [];
  readonly #next: number[] = [];
  readonly #t: number[] = [];
  readonly #values: number[] = [];
  readonly #stale: boolean[] = [];
  readonly #others = new Map<number, Others>();

  /** Adds a sample to a series; samples of one series should come in order of time. */
  sample(series: SeriesEntry, t: number, value: number, stale: boolean): void {
    const slot = this.#slotOf(series);
    const i = this.#t.length;
    this.#t.push(t);
    this.#values.push(value);
    this.#stale.push(stale);
    this.#next.push(-1);
    const last = this.#last[slot] as number;
    if (last < 0) this.#first[slot] = i;
    else this.#next[last] = i;
    this.#last[slot] = i;
  }

  histogram(series: SeriesEntry, histogram: NativeHistogram): void {
    this.#othersOf(series).histograms.push(histogram);
  }

  exemplars(series: SeriesEntry, exemplars: readonly Exemplar[]): void {
    if (exemplars.length > 0) this.#othersOf(series).exemplars.push(...exemplars);
  }

  #slotOf(series: SeriesEntry): number {
    if (this.#entries[series.slot] === series) return series.slot;
    series.slot = this.#entries.length;
    this.#entries.push(series);
    this.#first.push(-1);
    this.#last.push(-1);
    return series.slot;
  }

  #othersOf(series: SeriesEntry): Others {
    const slot = this.#slotOf(series);
    let others = this.#others.get(slot);
    if (others === undefined) {
      others = {histograms: [], exemplars: []};
      this.#others.set(slot, others);
    }
    return others;
  }

  /** The request's bytes. */
  finish(): Uint8Array {
    const out = new ByteWriter(4096 + 256 * this.#entries.length);
    const rest = new ByteWriter(1024);
    this.#entries.forEach(({fields}, slot) => {
      rest.reset();
      for (let i = this.#first[slot] as number; i >= 0; i = this.#next[i] as number) {
        writeSample(rest, this.#t[i] as number, this.#values[i] as number, this.#stale[i] as boolean);
      }
      const others = this.#others.get(slot);
      if (others !== undefined) writeOthers(rest, others);
      out.u8(0x0a);
      out.uvarint(fields.length + rest.length);
      out.bytes(fields);
      out.bytes(rest.view());
    });
    return out.view();
  }
}

const part = new ByteWriter(256);
const inner = new ByteWriter(64);

function field(out: ByteWriter, tag: number, content: ByteWriter): void {
  out.uvarint(tag);
  out.uvarint(content.length);
  out.bytes(content.view());
}

function writeSample(out: ByteWriter, t: number, value: number, stale: boolean): void {
  part.reset();
  part.u8(0x09);
  putDouble(part, value, stale);
  putTime(part, 0x10, t);
  field(out, 0x12, part);
}

function writeOthers(out: ByteWriter, {histograms, exemplars}: Others): void {
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

/** Eight bytes, little-endian; the stale marker by its bits, which a number need not keep. */
function putDouble(out: ByteWriter, value: number, stale: boolean): void {
  if (stale) out.u64le(STALE);
  else out.f64le(value);
}

/** An int64 field. */
function putTime(out: ByteWriter, tag: number, t: number): void {
  out.u8(tag);
  out.uvarint(t >= 0 && t <= Number.MAX_SAFE_INTEGER ? t : BigInt(t));
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
