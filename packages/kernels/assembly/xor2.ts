// Float chunks with cheap stale markers and optional start times (TSDB encoding 4): to columns and from columns.
//
//   BE u16 count | start time header | varint t0 | 64-bit v0 | [varint t0 - st0]
//   uvarint t1-t0 | VD | [start time]   { control | [VD] | [start time] } …
//
//   control  0: dod 0, value as the last  | 10: dod 0, then 0 window bits or 1 new window
//            110 + 13, 1110 + 20, 11110 + 64 bits: dod, then VD  | 11111: dod 0, stale
//   VD       0: as the last | 10: window bits | 110: new window | 111: stale
//
// Values are XORed with the last that was not stale (+0.0 before any); stale samples leave it and the window alone.

import {put, putAddress, putBegin, putEnd, putUvarint, putVarint, putWide} from "./bit-put";
import {bitsAt, CORRUPT, MAX_LENGTH, NO_ROOM, pos, readUvarint, readVarint, seek, STALE, varintOk, windowAt} from "./bits";
import {
  firstStartTime, putFirstStartTime, putNextStartTime, putStartTimesBegin, startTimeFirst, startTimeNext, startTimesBegin,
  startTimesHeader,
} from "./start-times";
import {xorDecode} from "./xor";

/** Bits 62 and 61 of a window: the second and third to come. */
const SECOND: u64 = 0x4000_0000_0000_0000;
const THIRD: u64 = 0x2000_0000_0000_0000;

/**
 * Decodes a chunk's data into columns of t (f64), v (bit patterns) and, where stOut is not 0, start times (f64, 0 for
 * none), `room` entries each. Returns the number of samples, CORRUPT or NO_ROOM.
 */
export function xor2Decode(src: usize, length: u32, tOut: usize, vOut: usize, stOut: usize, room: u32): i32 {
  if (length < 3 || length > MAX_LENGTH) return CORRUPT;
  const count = (<u32>load<u8>(src) << 8) | load<u8>(src, 1);
  if (count > room) return NO_ROOM;
  if (count == 0) return 0;
  const end = length << 3;
  const header = <u32>load<u8>(src, 2);
  startTimesBegin(header);
  seek(24);
  let t = readVarint(src);
  if (!varintOk || pos + 64 > end) return CORRUPT;
  let value = bitsAt(src, pos, 64);
  seek(pos + 64);
  if (!startTimeFirst(src, t) || pos > end) return CORRUPT;
  store<f64>(tOut, <f64>t);
  store<u64>(vOut, value);
  if (stOut) store<f64>(stOut, <f64>firstStartTime());
  let base: u64 = value == STALE ? 0 : value;
  let delta: i64 = 0;
  let sig: u32 = 64;
  let trail: u64 = 0;
  for (let i: u32 = 1; i < count; i++) {
    const before = t;
    let p = pos;
    // What follows for the value: 0 the last again, 1 window bits, 2 a new window, 3 stale.
    let kind: u32;
    if (i == 1) {
      delta = <i64>readUvarint(src);
      if (!varintOk || pos >= end) return CORRUPT;
      p = pos;
      kind = 4;
    } else {
      const w = windowAt(src, p);
      if (<i64>w >= 0) {
        p += 1;
        kind = 0;
      } else if (!(w & SECOND)) {
        kind = w & THIRD ? 2 : 1;
        p += 3;
      } else if (!(w & THIRD)) {
        delta += <i64>(w << 3) >> 51;
        p += 16;
        kind = 4;
      } else if (!(w & 0x1000_0000_0000_0000)) {
        delta += <i64>(w << 4) >> 44;
        p += 24;
        kind = 4;
      } else if (!(w & 0x0800_0000_0000_0000)) {
        delta += <i64>bitsAt(src, p + 5, 64);
        p += 69;
        kind = 4;
      } else {
        p += 5;
        kind = 3;
      }
    }
    t += delta;
    if (kind == 4) {
      const w = windowAt(src, p);
      if (<i64>w >= 0) {
        p += 1;
        kind = 0;
      } else if (!(w & SECOND)) {
        p += 2;
        kind = 1;
      } else {
        p += 3;
        kind = w & THIRD ? 3 : 2;
      }
    }
    if (kind == 3) {
      value = STALE;
    } else {
      if (kind == 2) {
        const w = windowAt(src, p);
        const lead = <u32>(w >> 59);
        sig = <u32>(w >> 53) & 63;
        if (sig == 0) sig = 64;
        if (lead + sig > 64) return CORRUPT;
        trail = 64 - lead - sig;
        p += 11;
      }
      if (kind != 0) {
        base ^= bitsAt(src, p, sig) << trail;
        p += sig;
      }
      value = base;
    }
    if (p > end) return CORRUPT;
    seek(p);
    const at: usize = <usize>i << 3;
    store<f64>(tOut + at, <f64>t);
    store<u64>(vOut + at, value);
    if (header != 0) {
      const st = startTimeNext(src, i, before);
      if (stOut) store<f64>(stOut + at, <f64>st);
      if (pos > end) return CORRUPT;
    } else if (stOut) {
      store<f64>(stOut + at, 0);
    }
  }
  return count;
}

/** Decodes a float chunk of the given encoding: XOR (1) or XOR2 (4, start times left out). */
export function floatDecode(encoding: u32, src: usize, length: u32, tOut: usize, vOut: usize, room: u32): i32 {
  if (encoding == 1) return xorDecode(src, length, tOut, vOut, room);
  return encoding == 4 ? xor2Decode(src, length, tOut, vOut, 0, room) : CORRUPT;
}

/**
 * Decodes `chunks` float chunks at base + offsets[i] (u32 arrays) with encodings[i] (u8), one after the other, into one
 * pair of columns. Returns the number of samples, or -(i + 1) when chunk i is corrupt or finds no room.
 */
export function floatDecodeMany(
  base: usize, offsets: usize, lengths: usize, encodings: usize, chunks: u32, tOut: usize, vOut: usize, room: u32,
): i32 {
  let total: u32 = 0;
  for (let i: u32 = 0; i < chunks; i++) {
    const at: usize = <usize>total << 3;
    const src = base + load<u32>(offsets + (i << 2));
    const encoding = <u32>load<u8>(encodings + i);
    const n = floatDecode(encoding, src, load<u32>(lengths + (i << 2)), tOut + at, vOut + at, room - total);
    if (n < 0) return -<i32>(i + 1);
    total += n;
  }
  return total;
}

/** Appends a changed value: `reuse` (2 bits and, after a zero second difference, a third) or `fresh` with its window. */
@inline function putChange(xor: u64, reuse: u64, reuseBits: u32, fresh: u64): void {
  const lead = min<u64>(clz(xor), 31);
  const trail = ctz(xor);
  if (winLead != 0xff && lead >= winLead && trail >= winTrail) {
    put(reuse, reuseBits);
  } else {
    winLead = lead;
    winTrail = trail;
    put((fresh << 11) | (lead << 6) | ((64 - lead - trail) & 63), 14);
  }
  putWide(xor >> winTrail, <u32>(64 - winLead - winTrail));
}

let winLead: u64 = 0;
let winTrail: u64 = 0;

/**
 * Encodes n (1…65535) samples; t and st (0 when there are none) must hold whole numbers of ms. Returns the number of
 * bytes written at dst, or NO_ROOM when `room` is too small: 64 + 29 × n is always enough.
 */
export function xor2Encode(tIn: usize, vIn: usize, stIn: usize, n: u32, dst: usize, room: u32): i32 {
  if (n > 65535 || room < 64) return NO_ROOM;
  store<u8>(dst, <u8>(n >> 8));
  store<u8>(dst, <u8>n, 1);
  store<u8>(dst, 0, 2);
  if (n == 0) return 3;
  const limit = dst + room - 48;
  putBegin(dst + 3);
  let t = <i64>load<f64>(tIn);
  const v = load<u64>(vIn);
  putVarint(t);
  putWide(v, 64);
  putStartTimesBegin();
  putFirstStartTime(t, stIn ? <i64>load<f64>(stIn) : 0);
  let base: u64 = v == STALE ? 0 : v;
  let delta: i64 = 0;
  winLead = 0xff;
  winTrail = 0;
  for (let i: u32 = 1; i < n; i++) {
    if (putAddress() > limit) return NO_ROOM;
    const at: usize = <usize>i << 3;
    const next = <i64>load<f64>(tIn + at);
    const value = load<u64>(vIn + at);
    const step = next - t;
    const dod = step - delta;
    const before = t;
    t = next;
    delta = step;
    const stale = value == STALE;
    const xor = stale ? 0 : value ^ base;
    if (i > 1 && dod == 0) {
      if (stale) put(31, 5);
      else if (xor == 0) put(0, 1);
      else putChange(xor, 4, 3, 5);
    } else {
      if (i == 1) {
        putUvarint(<u64>step);
      } else if (dod >= -4096 && dod <= 4095) {
        put(0xc000 | (<u64>dod & 0x1fff), 16);
      } else if (dod >= -524288 && dod <= 524287) {
        put(0xe00000 | (<u64>dod & 0xfffff), 24);
      } else {
        put(30, 5);
        putWide(<u64>dod, 64);
      }
      if (stale) put(7, 3);
      else if (xor == 0) put(0, 1);
      else putChange(xor, 2, 2, 6);
    }
    if (!stale) base = value;
    putNextStartTime(i, before, stIn ? <i64>load<f64>(stIn + at) : 0);
  }
  store<u8>(dst, <u8>startTimesHeader(), 2);
  return <i32>(putEnd() - dst);
}
