import {type ByteReader, ByteWriter} from "@strata/bytes";
import {RECORD} from "./record-type.ts";

/**
 * Float samples as columns that grow: series reference, time (ms), value (bits kept), start time (ms, 0 for none). Entries
 * from `n` on are undefined. Take `ref`, `t`, `v`, `st` afresh after a `reserve`.
 */
export class SampleColumns {
  n = 0;
  ref: Float64Array;
  t: Float64Array;
  v: Float64Array;
  st: Float64Array;
  /** The two words of each value: low, then high. */
  words: Uint32Array;

  constructor(capacity = 256) {
    this.ref = new Float64Array(capacity);
    this.t = new Float64Array(capacity);
    this.v = new Float64Array(capacity);
    this.st = new Float64Array(capacity);
    this.words = new Uint32Array(this.v.buffer);
  }

  /** Makes room for so many in all. */
  reserve(capacity: number): void {
    if (capacity <= this.ref.length) return;
    const size = Math.max(capacity, this.ref.length * 2);
    this.ref = grown(this.ref, size);
    this.t = grown(this.t, size);
    this.v = grown(this.v, size);
    this.st = grown(this.st, size);
    this.words = new Uint32Array(this.v.buffer);
  }

  push(ref: number, t: number, v: number, st = 0): void {
    const n = this.n;
    if (n === this.ref.length) this.reserve(n + 1);
    this.ref[n] = ref;
    this.t[n] = t;
    this.v[n] = v;
    this.st[n] = st;
    this.n = n + 1;
  }

  pushWords(ref: number, t: number, low: number, high: number, st: number): void {
    const n = this.n;
    if (n === this.ref.length) this.reserve(n + 1);
    this.ref[n] = ref;
    this.t[n] = t;
    this.words[2 * n] = low;
    this.words[2 * n + 1] = high;
    this.st[n] = st;
    this.n = n + 1;
  }

  /** Copies entry `from` over entry `to`. */
  move(from: number, to: number): void {
    this.ref[to] = this.ref[from] as number;
    this.t[to] = this.t[from] as number;
    this.words[2 * to] = this.words[2 * from] as number;
    this.words[2 * to + 1] = this.words[2 * from + 1] as number;
    this.st[to] = this.st[from] as number;
  }

  clear(): void {
    this.n = 0;
  }
}

function grown(column: Float64Array, size: number): Float64Array {
  const next = new Float64Array(size);
  next.set(column);
  return next;
}

/** Start times of a V2 record: none, that of the entry before, or written out. */
const ST_NONE = 0;
const ST_SAME = 1;
const ST_EXPLICIT = 2;

/**
 * Appends the entries of a samples record, type byte read, to `into`.
 *
 * ```
 * 2    BE u64 ref₀ · BE u64 t₀ · { varint ref − ref₀ · varint t − t₀ · BE f64 }…            from the first entry on
 * 11   varint ref · varint t · varint st · BE f64 · { varint ref − previous · varint t − t₀ · u8 [varint st − st₀] · BE f64 }…
 * ```
 */
export function decodeSamples(r: ByteReader, type: number, into: SampleColumns): void {
  if (r.remaining === 0) return;
  if (type === RECORD.samplesV2) {
    const entry = new V2Entry();
    while (r.remaining > 0) {
      entry.read(r);
      const high = r.u32be();
      into.pushWords(entry.ref, entry.t, r.u32be(), high, entry.st);
    }
    return;
  }
  const ref = Number(r.u64be());
  const t = Number(r.i64be());
  while (r.remaining > 0) {
    const dRef = r.varint();
    const dT = r.varint();
    const high = r.u32be();
    into.pushWords(ref + dRef, t + dT, r.u32be(), high, 0);
  }
}

/** Reference, time and start time of the entries of a V2 record, one after the other. */
export class V2Entry {
  ref = 0;
  t = 0;
  st = 0;
  #firstT = 0;
  #firstSt = 0;
  #any = false;

  read(r: ByteReader): void {
    if (!this.#any) {
      this.#any = true;
      this.ref = r.varint();
      this.t = r.varint();
      this.st = r.varint();
      this.#firstT = this.t;
      this.#firstSt = this.st;
      return;
    }
    this.ref += r.varint();
    this.t = this.#firstT + r.varint();
    const marker = r.u8();
    if (marker === ST_NONE) this.st = 0;
    else if (marker === ST_EXPLICIT) this.st = this.#firstSt + r.varint();
    else if (marker !== ST_SAME) throw r.corrupt(`unknown start time marker ${marker}`);
  }

  write(w: ByteWriter, ref: number, t: number, st: number): void {
    if (!this.#any) {
      this.#any = true;
      w.varint(ref);
      w.varint(t);
      w.varint(st);
      this.#firstT = t;
      this.#firstSt = st;
    } else {
      w.varint(ref - this.ref);
      w.varint(t - this.#firstT);
      if (st === 0) w.u8(ST_NONE);
      else if (st === this.st) w.u8(ST_SAME);
      else {
        w.u8(ST_EXPLICIT);
        w.varint(st - this.#firstSt);
      }
    }
    this.ref = ref;
    this.t = t;
    this.st = st;
  }
}

/** What an entry takes at the most: two varints and a value. */
const MAX_ENTRY_BYTES = 28;
/** Varints of so few bits are written by the loop itself. */
const SMALL = 2 ** 30;

let scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** The record of samples [from, to), as a view that is good until the next call. With `startTimes` of type 11. */
export function encodeSamples(samples: SampleColumns, from: number, to: number, startTimes = false): Uint8Array {
  if (startTimes) return encodeSamplesV2(samples, from, to);
  const room = 17 + (to - from) * MAX_ENTRY_BYTES;
  if (scratch.length < room) scratch = Buffer.allocUnsafeSlow(room * 2);
  const out = scratch;
  const {ref, t, words} = samples;
  const ref0 = ref[from] as number;
  const t0 = t[from] as number;
  out[0] = RECORD.samples;
  if (from === to) return out.subarray(0, 1);
  out.writeBigUInt64BE(BigInt(ref0), 1);
  out.writeBigInt64BE(BigInt(t0), 9);
  let at = 17;
  // PERF: the bytes are put one by one here because this loop runs for every sample that is appended.
  for (let i = from; i < to; i++) {
    at = putVarint(out, at, (ref[i] as number) - ref0);
    at = putVarint(out, at, (t[i] as number) - t0);
    const high = words[2 * i + 1] as number;
    const low = words[2 * i] as number;
    out[at] = high >>> 24;
    out[at + 1] = high >>> 16;
    out[at + 2] = high >>> 8;
    out[at + 3] = high;
    out[at + 4] = low >>> 24;
    out[at + 5] = low >>> 16;
    out[at + 6] = low >>> 8;
    out[at + 7] = low;
    at += 8;
  }
  return out.subarray(0, at);
}

function putVarint(out: Uint8Array, at: number, value: number): number {
  let p = at;
  if (value > -SMALL && value < SMALL) {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    for (; rest >= 0x80; rest >>>= 7) out[p++] = (rest & 0x7f) | 0x80;
    out[p++] = rest;
    return p;
  }
  const big = BigInt(value);
  let rest = BigInt.asUintN(64, (big << 1n) ^ (big >> 63n));
  for (; rest >= 0x80n; rest >>= 7n) out[p++] = Number(rest & 0x7fn) | 0x80;
  out[p++] = Number(rest);
  return p;
}

function encodeSamplesV2(samples: SampleColumns, from: number, to: number): Uint8Array {
  const w = new ByteWriter();
  const entry = new V2Entry();
  w.u8(RECORD.samplesV2);
  for (let i = from; i < to; i++) {
    entry.write(w, samples.ref[i] as number, samples.t[i] as number, samples.st[i] as number);
    w.u32be(samples.words[2 * i + 1] as number);
    w.u32be(samples.words[2 * i] as number);
  }
  return w.view();
}
