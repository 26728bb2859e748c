// Gorilla-style float chunks (TSDB encoding 1): decode to columns and encode from columns.
//
//   BE u16 count | varint t0 | 64-bit v0 | uvarint t1-t0 | VX | { DOD | VX } …        bits MSB first
//
// The decoder looks at the stream through a 64-bit window loaded unaligned and byte-swapped at the current bit, one
// load for the control bits and one for the value's bits. A sample takes at most 145 bits, and the position is checked
// after each, so reads stay within SLACK bytes past the data.

import {put, putAddress, putBegin, putEnd, putUvarint, putVarint, putWide} from "./bit-put";
import {bitsAt, CORRUPT, MAX_LENGTH, NO_ROOM, pos as bitPos, readUvarint, readVarint, seek, varintOk, windowAt} from "./bits";

/** Bits of a window that are there wherever it begins. */
const WINDOW: u32 = 57;
/** A window below it begins with two samples or more of which nothing changes. */
const STILL: u64 = 1 << 60;

/** Samples that the chunk says it has; CORRUPT when it is too short to say. */
export function xorCount(src: usize, length: u32): i32 {
  return length < 2 ? CORRUPT : (<i32>load<u8>(src) << 8) | load<u8>(src, 1);
}

/**
 * Decodes a chunk's data into columns of t (ms as f64) and v (bit patterns kept), `room` entries each. Returns the
 * number of samples, CORRUPT or NO_ROOM.
 */
export function xorDecode(src: usize, length: u32, tOut: usize, vOut: usize, room: u32): i32 {
  if (length < 2 || length > MAX_LENGTH) return CORRUPT;
  const count = (<u32>load<u8>(src) << 8) | load<u8>(src, 1);
  if (count > room) return NO_ROOM;
  if (count == 0) return 0;
  const end = length << 3;

  seek(16);
  let t = readVarint(src);
  let pos = bitPos;
  if (!varintOk || pos + 64 > end) return CORRUPT;
  let v = bitsAt(src, pos, 64);
  pos += 64;
  store<f64>(tOut, <f64>t);
  store<u64>(vOut, v);
  if (count == 1) return 1;

  seek(pos);
  let delta = <i64>readUvarint(src);
  pos = bitPos;
  if (!varintOk || pos >= end) return CORRUPT;
  t += delta;

  // Before any window is set, "reuse the window" means all 64 bits.
  let sig: u32 = 64;
  let trail: u64 = 0;
  // The stream from the current bit on, of which the first `left` bits are there.
  let w = windowAt(src, pos);
  let left: u32 = WINDOW;
  const tEnd = tOut + (<usize>count << 3);
  let out: usize = tOut + 8;
  let vp: usize = vOut + 8;
  for (;;) {
    store<f64>(out, <f64>t);
    if (<i64>w >= 0) {
      pos += 1;
    } else {
      let control: u32 = 2;
      if (w & 0x4000_0000_0000_0000) {
        const lead = (w >> 57) & 31;
        sig = <u32>((w >> 51) & 63);
        if (sig == 0) sig = 64;
        if (lead + sig > 64) return CORRUPT;
        trail = 64 - lead - sig;
        control = 13;
      }
      pos += control;
      // PERF: most values are whole within the window; with a second load for each a sample took 8 ns instead of 5.
      if (control + sig <= left) v ^= ((w << control) >> (64 - sig)) << trail;
      else v ^= bitsAt(src, pos, sig) << trail;
      pos += sig;
    }
    store<u64>(vp, v);
    if (pos > end) return CORRUPT;
    out += 8;
    if (out == tEnd) break;
    vp += 8;
    w = windowAt(src, pos);
    if (w < STILL) {
      // PERF: samples that go on in time and value are two zero bits each: 1 ns instead of 3.
      const run = min(min(<u32>clz(w) >> 1, WINDOW >> 1), <u32>(tEnd - out) >> 3);
      for (let i: u32 = 0; i < run; i++) {
        t += delta;
        store<f64>(out, <f64>t);
        store<u64>(vp, v);
        out += 8;
        vp += 8;
      }
      pos += run << 1;
      if (pos > end) return CORRUPT;
      if (out == tEnd) break;
      w = windowAt(src, pos);
    }
    if (<i64>w >= 0) {
      w <<= 1;
      pos += 1;
      left = WINDOW - 1;
    } else {
      if (!(w & 0x4000_0000_0000_0000)) {
        delta += <i64>(((w >> 48) + 8191) & 16383) - 8191;
        w <<= 16;
        pos += 16;
        left = WINDOW - 16;
      } else if (!(w & 0x2000_0000_0000_0000)) {
        delta += <i64>(((w >> 44) + 65535) & 131071) - 65535;
        w <<= 20;
        pos += 20;
        left = WINDOW - 20;
      } else if (!(w & 0x1000_0000_0000_0000)) {
        delta += <i64>(((w >> 40) + 524287) & 1048575) - 524287;
        w <<= 24;
        pos += 24;
        left = WINDOW - 24;
      } else {
        delta += <i64>bitsAt(src, pos + 4, 64);
        pos += 68;
        // At most 8 + 9 bytes further on, so still inside the slack.
        w = windowAt(src, pos);
        left = WINDOW;
      }
    }
    t += delta;
  }
  return count;
}

/**
 * Decodes `chunks` chunks at base + offsets[i] (u32 arrays), one after the other, into one pair of columns. Returns the
 * number of samples, or -(i + 1) when chunk i is corrupt or finds no room.
 */
export function xorDecodeMany(
  base: usize, offsets: usize, lengths: usize, chunks: u32, tOut: usize, vOut: usize, room: u32,
): i32 {
  let total: u32 = 0;
  for (let i: u32 = 0; i < chunks; i++) {
    const at: usize = <usize>total << 3;
    const src = base + load<u32>(offsets + (i << 2));
    const n = xorDecode(src, load<u32>(lengths + (i << 2)), tOut + at, vOut + at, room - total);
    if (n < 0) return -<i32>(i + 1);
    total += n;
  }
  return total;
}

/**
 * Encodes n (1…65535) samples; t must hold whole numbers of ms. Returns the number of bytes written at dst, or NO_ROOM
 * when `room` is too small: 2 + 19 × n + 32 is always enough.
 */
export function xorEncode(tIn: usize, vIn: usize, n: u32, dst: usize, room: u32): i32 {
  if (n > 65535 || room < 64) return NO_ROOM;
  store<u8>(dst, <u8>(n >> 8));
  store<u8>(dst, <u8>n, 1);
  if (n == 0) return 2;
  const limit = dst + room - 32;
  putBegin(dst + 2);
  let t = <i64>load<f64>(tIn);
  let v = load<u64>(vIn);
  let delta: i64 = 0;
  putVarint(t);
  putWide(v, 64);

  // No window yet: no xor has this many leading zeros.
  let winLead: u64 = 0xff;
  let winTrail: u64 = 0;
  for (let i: u32 = 1; i < n; i++) {
    if (putAddress() > limit) return NO_ROOM;
    const next = <i64>load<f64>(tIn + (i << 3));
    const step = next - t;
    const dod = step - delta;
    t = next;
    delta = step;
    // The control bits of t (up to 24) and v (up to 13) go out in one put.
    let head: u64 = 0;
    let bits: u32 = 1;
    if (i == 1) {
      putUvarint(<u64>step);
      bits = 0;
    } else if (dod != 0) {
      if (dod >= -8191 && dod <= 8192) {
        head = 0x8000 | (<u64>dod & 0x3fff);
        bits = 16;
      } else if (dod >= -65535 && dod <= 65536) {
        head = 0xc0000 | (<u64>dod & 0x1ffff);
        bits = 20;
      } else if (dod >= -524287 && dod <= 524288) {
        head = 0xe00000 | (<u64>dod & 0xfffff);
        bits = 24;
      } else {
        put(0xf, 4);
        putWide(<u64>dod, 64);
        bits = 0;
      }
    }
    const value = load<u64>(vIn + (i << 3));
    const xor = value ^ v;
    v = value;
    if (xor == 0) {
      put(head << 1, bits + 1);
      continue;
    }
    const lead = min<u64>(clz(xor), 31);
    const trail = ctz(xor);
    if (winLead != 0xff && lead >= winLead && trail >= winTrail) {
      head = (head << 2) | 2;
      bits += 2;
    } else {
      winLead = lead;
      winTrail = trail;
      head = (head << 13) | 0x1800 | (lead << 6) | ((64 - lead - trail) & 63);
      bits += 13;
    }
    const sig = <u32>(64 - winLead - winTrail);
    const mantissa = xor >> winTrail;
    if (bits + sig <= 56) {
      put((head << sig) | mantissa, bits + sig);
    } else {
      put(head, bits);
      putWide(mantissa, sig);
    }
  }
  return <i32>(putEnd() - dst);
}
