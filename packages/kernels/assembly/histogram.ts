// Native histogram chunks (TSDB encodings 2, 3 and, with start timestamps, 5 and 6): the samples after the layout.
// The layout (schema, spans, bounds) is small and read outside; it decides how many buckets a sample has.
//
//   int:    varbitInt t, varbitUint count, varbitUint zeroCount, 64-bit sum, varbitInt bucket …      first sample
//           varbitInt of the second difference of each, VX of the sum                                later samples
//   float:  varbitInt t, 64-bit count, zeroCount, sum, bucket …                                      first sample
//           varbitInt of the second difference of t, VX of each, with a window of its own            later samples
//
// A sample whose sum is the stale marker has no buckets, and only stale ones may follow.

import {bitsAt, CORRUPT, MAX_LENGTH, NO_ROOM, pos, readVarbitInt, readVarbitUint, seek, STALE, windowAt} from "./bits";
import {firstStartTime, startTimeFirst, startTimeNext, startTimesBegin} from "./start-times";

/** Windows of the VX code: width of the significant bits and trailing zeros, a byte each. */
const NO_WINDOW: u16 = 64;

/** What the decoders report beside the number of samples. */
let liveSamples: u32 = 0;

/** Of the chunk decoded last: how many samples, all at its start, are not stale markers. */
export function histogramLive(): u32 {
  return liveSamples;
}

/** Set by readXor when a window is impossible. */
let badWindow: bool = false;

/** VX: the bits to xor onto a value; `window` is the address of its window. Reads at most 77 bits. */
@inline function readXor(base: usize, window: usize): u64 {
  const w = windowAt(base, pos);
  if (<i64>w >= 0) {
    seek(pos + 1);
    return 0;
  }
  let sig: u32;
  let trail: u32;
  let p = pos;
  if (w & 0x4000_0000_0000_0000) {
    const lead = <u32>(w >> 57) & 31;
    sig = <u32>(w >> 51) & 63;
    if (sig == 0) sig = 64;
    if (lead + sig > 64) {
      badWindow = true;
      return 0;
    }
    trail = 64 - lead - sig;
    store<u16>(window, <u16>(sig | (trail << 8)));
    p += 13;
  } else {
    const packed = <u32>load<u16>(window);
    sig = packed & 0xff;
    trail = packed >> 8;
    p += 2;
  }
  seek(p + sig);
  return bitsAt(base, p, sig) << trail;
}

/**
 * Decodes the n samples of an int chunk, from bit `start` of src on, into columns: t (f64), count and zero (u64), sum
 * (bit patterns), and rows of positive + negative values: the stored differences between neighbouring buckets (i64).
 * With `asFloat` counts become f64 and rows absolute counts in f64. There is room for `room` rows; `state` is 8 bytes of
 * scratch for each bucket. `stHeader` is the header byte of start times, which go to `st` (f64), or -1. Returns n,
 * CORRUPT, or NO_ROOM when there are more rows.
 */
export function histogramIntDecode(
  src: usize, length: u32, start: u32, n: u32, positive: u32, negative: u32, asFloat: u32, tOut: usize, countOut: usize,
  zeroOut: usize, sumOut: usize, rows: usize, room: u32, state: usize, stHeader: i32, st: usize,
): i32 {
  liveSamples = 0;
  if (length > MAX_LENGTH) return CORRUPT;
  const end = length << 3;
  const rowBytes: usize = <usize>(positive + negative) << 3;
  seek(start);
  if (stHeader >= 0) startTimesBegin(stHeader);
  badWindow = false;
  const window = memory.data(16, 16);
  store<u16>(window, NO_WINDOW);
  memory.fill(state, 0, rowBytes);
  let t: i64 = 0, tDelta: i64 = 0;
  let count: i64 = 0, countDelta: i64 = 0;
  let zero: i64 = 0, zeroDelta: i64 = 0;
  let sum: u64 = 0;
  let stale = false;
  let row = rows;
  for (let i: u32 = 0; i < n; i++) {
    const before = t;
    if (i == 0) {
      t = readVarbitInt(src);
      if (pos > end) return CORRUPT;
      count = <i64>readVarbitUint(src);
      zero = <i64>readVarbitUint(src);
      if (pos > end) return CORRUPT;
      sum = bitsAt(src, pos, 64);
      seek(pos + 64);
    } else {
      tDelta += readVarbitInt(src);
      t += tDelta;
      if (pos > end) return CORRUPT;
      countDelta += readVarbitInt(src);
      count += countDelta;
      zeroDelta += readVarbitInt(src);
      zero += zeroDelta;
      if (pos > end) return CORRUPT;
      sum ^= readXor(src, window);
    }
    if (pos > end || badWindow) return CORRUPT;
    const at: usize = <usize>i << 3;
    store<f64>(tOut + at, <f64>t);
    store<u64>(sumOut + at, sum);
    if (sum == STALE) {
      stale = true;
      store<u64>(countOut + at, 0);
      store<u64>(zeroOut + at, 0);
    } else {
      if (stale) return CORRUPT;
      if (i >= room) return NO_ROOM;
      liveSamples++;
      if (asFloat) {
        store<f64>(countOut + at, <f64><u64>count);
        store<f64>(zeroOut + at, <f64><u64>zero);
      } else {
        store<u64>(countOut + at, <u64>count);
        store<u64>(zeroOut + at, <u64>zero);
      }
      if (i == 0) {
        for (let b: usize = 0; b < rowBytes; b += 8) {
          store<i64>(row + b, readVarbitInt(src));
          if (pos > end) return CORRUPT;
        }
      } else {
        const last = row - rowBytes;
        for (let b: usize = 0; b < rowBytes; b += 8) {
          const delta = load<i64>(state + b) + readVarbitInt(src);
          store<i64>(state + b, delta);
          store<i64>(row + b, load<i64>(last + b) + delta);
          if (pos > end) return CORRUPT;
        }
      }
      row += rowBytes;
    }
    if (stHeader >= 0) {
      if (i == 0) {
        if (!startTimeFirst(src, t)) return CORRUPT;
        store<f64>(st, <f64>firstStartTime());
      } else {
        store<f64>(st + at, <f64>startTimeNext(src, i, before));
      }
      if (pos > end) return CORRUPT;
    }
  }
  if (asFloat) makeAbsolute(rows, liveSamples, positive, negative);
  return n;
}

/** In place: `n` rows of `buckets` differences (i64) become absolute counts (f64), each side summed on its own. */
function makeAbsolute(rows: usize, n: u32, positive: u32, negative: u32): void {
  let p = rows;
  for (let i: u32 = 0; i < n; i++) {
    let value: i64 = 0;
    for (let b: u32 = 0; b < positive; b++, p += 8) {
      value += load<i64>(p);
      store<f64>(p, <f64>value);
    }
    value = 0;
    for (let b: u32 = 0; b < negative; b++, p += 8) {
      value += load<i64>(p);
      store<f64>(p, <f64>value);
    }
  }
}

/**
 * Decodes the n samples of a float chunk as histogramIntDecode does, but all columns and rows hold bit patterns of
 * floats; rows are absolute. `state` is 2 × (buckets + 3) bytes of scratch.
 */
export function histogramFloatDecode(
  src: usize, length: u32, start: u32, n: u32, buckets: u32, tOut: usize, countOut: usize, zeroOut: usize, sumOut: usize,
  rows: usize, room: u32, state: usize, stHeader: i32, st: usize,
): i32 {
  liveSamples = 0;
  if (length > MAX_LENGTH) return CORRUPT;
  const end = length << 3;
  const rowBytes: usize = <usize>buckets << 3;
  seek(start);
  if (stHeader >= 0) startTimesBegin(stHeader);
  badWindow = false;
  const windows = state + 6;
  for (let b: u32 = 0; b < buckets + 3; b++) store<u16>(state + (b << 1), NO_WINDOW);
  let t: i64 = 0, tDelta: i64 = 0;
  let count: u64 = 0, zero: u64 = 0, sum: u64 = 0;
  let stale = false;
  let row = rows;
  for (let i: u32 = 0; i < n; i++) {
    const before = t;
    if (i == 0) {
      t = readVarbitInt(src);
      if (pos > end) return CORRUPT;
      count = bitsAt(src, pos, 64);
      zero = bitsAt(src, pos + 64, 64);
      sum = bitsAt(src, pos + 128, 64);
      seek(pos + 192);
    } else {
      tDelta += readVarbitInt(src);
      t += tDelta;
      if (pos > end) return CORRUPT;
      count ^= readXor(src, state);
      zero ^= readXor(src, state + 2);
      if (pos > end) return CORRUPT;
      sum ^= readXor(src, state + 4);
    }
    if (pos > end || badWindow) return CORRUPT;
    const at: usize = <usize>i << 3;
    store<f64>(tOut + at, <f64>t);
    store<u64>(sumOut + at, sum);
    if (sum == STALE) {
      stale = true;
      store<u64>(countOut + at, 0);
      store<u64>(zeroOut + at, 0);
    } else {
      if (stale) return CORRUPT;
      if (i >= room) return NO_ROOM;
      liveSamples++;
      store<u64>(countOut + at, count);
      store<u64>(zeroOut + at, zero);
      if (i == 0) {
        for (let b: usize = 0; b < rowBytes; b += 8) {
          store<u64>(row + b, bitsAt(src, pos, 64));
          seek(pos + 64);
          if (pos > end) return CORRUPT;
        }
      } else {
        const last = row - rowBytes;
        for (let b: usize = 0; b < rowBytes; b += 8) {
          store<u64>(row + b, load<u64>(last + b) ^ readXor(src, windows + (b >> 2)));
          if (pos > end) return CORRUPT;
        }
        if (badWindow) return CORRUPT;
      }
      row += rowBytes;
    }
    if (stHeader >= 0) {
      if (i == 0) {
        if (!startTimeFirst(src, t)) return CORRUPT;
        store<f64>(st, <f64>firstStartTime());
      } else {
        store<f64>(st + at, <f64>startTimeNext(src, i, before));
      }
      if (pos > end) return CORRUPT;
    }
  }
  return n;
}
