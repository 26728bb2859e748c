import {type ByteReader, ByteWriter} from "@strata/bytes";
import {Labels} from "@strata/model";
import {RECORD} from "./record-type.ts";

/** Label sets in records: uvarint count · count × (uvarint length · name · uvarint length · value). */
export function writeLabels(w: ByteWriter, labels: Labels): void {
  const {pairs} = labels;
  w.uvarint(pairs.length >> 1);
  for (const text of pairs) w.str(text);
}

export function readLabels(r: ByteReader): Labels {
  const count = r.uvarint();
  r.need(2 * count);
  const pairs: string[] = [];
  for (let i = 0; i < 2 * count; i++) pairs.push(r.str());
  return new Labels(pairs);
}

/**
 * Hands each entry of a series record, type byte read, to `visit`: { BE u64 ref · labels }… . The labels are
 * r.data[from, to), encoded as `writeLabels` does.
 */
export function decodeSeries(r: ByteReader, visit: (ref: number, from: number, to: number) => void): void {
  while (r.remaining > 0) {
    const ref = r.u53be();
    const from = r.pos;
    const count = r.uvarint();
    r.need(2 * count);
    for (let i = 0; i < 2 * count; i++) {
      const length = r.uvarint();
      r.need(length);
      r.pos += length;
    }
    visit(ref, from, r.pos);
  }
}

/** Series go on in another record when one has grown to this, so that none needs a segment of its own. */
const SERIES_RECORD_BYTES = 1024 * 1024;

/** Records of series: each entry's reference, and its labels as bytes. */
export class SeriesRecord {
  readonly #w = new ByteWriter(4096);
  #full: Uint8Array[] = [];

  get isEmpty(): boolean {
    return this.#w.length === 0 && this.#full.length === 0;
  }

  /** Adds a series whose encoded labels are bytes[from, to). */
  add(ref: number, bytes: Uint8Array, from: number, to: number): void {
    if (this.#w.length >= SERIES_RECORD_BYTES) {
      this.#full.push(this.#w.take());
      this.#w.reset();
    }
    if (this.#w.length === 0) this.#w.u8(RECORD.series);
    this.#w.u64be(ref);
    this.#w.bytes(bytes, from, to);
  }

  /** The records; the last is a view that the next `add` after `clear` overwrites. */
  records(): Uint8Array[] {
    return this.#w.length === 0 ? this.#full : [...this.#full, this.#w.view()];
  }

  clear(): void {
    this.#w.reset();
    this.#full = [];
  }
}

/** A deleted range of a series, ms, both inclusive. */
export type Stone = {readonly ref: number; readonly mint: number; readonly maxt: number};

/** { BE u64 ref · varint mint · varint maxt }… */
export function decodeStones(r: ByteReader): Stone[] {
  const stones: Stone[] = [];
  while (r.remaining > 0) stones.push({ref: r.u53be(), mint: r.varint(), maxt: r.varint()});
  return stones;
}

export function encodeStones(stones: readonly Stone[]): Uint8Array {
  const w = new ByteWriter();
  w.u8(RECORD.tombstones);
  for (const {ref, mint, maxt} of stones) {
    w.u64be(ref);
    writeTime(w, mint);
    writeTime(w, maxt);
  }
  return w.take();
}

const MAX_TIME = 2n ** 63n - 1n;

/** The largest time has no exact Number. */
const writeTime = (w: ByteWriter, t: number): void => w.varint(t >= 2 ** 63 ? MAX_TIME : t);

export type RefExemplar = {readonly ref: number; readonly t: number; readonly v: number; readonly labels: Labels};

/** BE u64 ref₀ · BE u64 t₀ · { varint ref − ref₀ · varint t − t₀ · BE f64 · labels }… */
export function decodeExemplars(r: ByteReader): RefExemplar[] {
  const exemplars: RefExemplar[] = [];
  if (r.remaining === 0) return exemplars;
  const ref = Number(r.u64be());
  const t = Number(r.i64be());
  while (r.remaining > 0) {
    exemplars.push({ref: ref + r.varint(), t: t + r.varint(), v: r.f64be(), labels: readLabels(r)});
  }
  return exemplars;
}

export function encodeExemplars(exemplars: readonly RefExemplar[]): Uint8Array {
  const w = new ByteWriter();
  w.u8(RECORD.exemplars);
  const first = exemplars[0];
  if (first === undefined) return w.take();
  w.u64be(first.ref);
  w.u64be(first.t);
  for (const {ref, t, v, labels} of exemplars) {
    w.varint(ref - first.ref);
    w.varint(t - first.t);
    w.f64be(v);
    writeLabels(w, labels);
  }
  return w.take();
}

/** Type of a metric as a number: 0 unknown, 1 counter, 2 gauge, 3 histogram, 4 gauge histogram, 5 summary, 6 info, 7 state set. */
export type RefMetadata = {readonly ref: number; readonly type: number; readonly unit: string; readonly help: string};

/** { uvarint ref · u8 type · uvarint fields · fields × (name · text) }…; fields of other names than UNIT and HELP are skipped. */
export function decodeMetadata(r: ByteReader): RefMetadata[] {
  const list: RefMetadata[] = [];
  while (r.remaining > 0) {
    const ref = r.uvarint();
    const type = r.u8();
    const fields = r.uvarint();
    r.need(2 * fields);
    let unit = "";
    let help = "";
    for (let i = 0; i < fields; i++) {
      const name = r.str();
      const text = r.str();
      if (name === "UNIT") unit = text;
      else if (name === "HELP") help = text;
    }
    list.push({ref, type, unit, help});
  }
  return list;
}

export function encodeMetadata(list: readonly RefMetadata[]): Uint8Array {
  const w = new ByteWriter();
  w.u8(RECORD.metadata);
  for (const {ref, type, unit, help} of list) {
    w.uvarint(ref);
    w.u8(type);
    w.uvarint(2);
    w.str("UNIT");
    w.str(unit);
    w.str("HELP");
    w.str(help);
  }
  return w.take();
}

/** A marker that all out-of-order samples of the series logged so far lie in m-mapped chunks up to `chunkRef` (0: none). */
export type MmapMarker = {readonly ref: number; readonly chunkRef: number};

/** { BE u64 ref · BE u64 chunk ref }… */
export function decodeMarkers(r: ByteReader): MmapMarker[] {
  const markers: MmapMarker[] = [];
  while (r.remaining > 0) markers.push({ref: r.u53be(), chunkRef: r.u53be()});
  return markers;
}

export function encodeMarkers(markers: readonly MmapMarker[]): Uint8Array {
  const w = new ByteWriter();
  w.u8(RECORD.mmapMarkers);
  for (const {ref, chunkRef} of markers) {
    w.u64be(ref);
    w.u64be(chunkRef);
  }
  return w.take();
}
