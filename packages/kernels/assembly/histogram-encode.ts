// Native histogram chunks: appending samples to a chunk whose header and layout are written. The layout of the bits is
// that of histogram.ts. All that goes on from sample to sample is kept in `state`, so that a chunk can grow by one sample
// at a time:
//
//    0 u32 end of the data, in bits          8 i64 t             16 its difference
//   24 count (i64, or f64 bits)             32 its difference    40 zero count   48 its difference
//   56 sum (f64 bits)                       64 u16 window of the sum
//   72 u32 changeOn, 76 u32 known           80 i64 last start time               88 its difference to t
//   96 bucket values (8 bytes each), then   int: their differences (8 bytes each)
//                                           float: windows of count, zero count and buckets (u16 each)

import {put, putEndBit, putResume, putVarbitInt, putVarbitUint, putWide} from "./bit-put";
import {NO_ROOM, STALE} from "./bits";
import {
  putFirstStartTime, putNextStartTime, putStartTimesBegin, putStartTimesResume, putStartTimesSave,
} from "./start-times";

const ARRAYS: usize = 96;
/** A window: leading zeros, trailing zeros, a byte each; no xor has this many leading zeros. */
const NO_WINDOW: u16 = 0xff;

/** Bytes of state that a chunk of so many buckets needs. */
export function histogramStateSize(buckets: u32): u32 {
  return <u32>ARRAYS + 16 * buckets + 16;
}

/** Bytes that one more sample may need. */
export function histogramSampleSize(buckets: u32): u32 {
  return 80 + 10 * buckets;
}

/** VX with the window at an address. */
@inline function putXor(xor: u64, window: usize): void {
  if (xor == 0) {
    put(0, 1);
    return;
  }
  const lead = min<u64>(clz(xor), 31);
  const trail = ctz(xor);
  let winLead = <u64>load<u8>(window);
  let winTrail = <u64>load<u8>(window, 1);
  if (winLead != 0xff && lead >= winLead && trail >= winTrail) {
    put(2, 2);
  } else {
    winLead = lead;
    winTrail = trail;
    store<u8>(window, <u8>lead);
    store<u8>(window, <u8>trail, 1);
    put(0x1800 | (lead << 6) | ((64 - lead - trail) & 63), 13);
  }
  putWide(xor >> winTrail, <u32>(64 - winLead - winTrail));
}

/**
 * Begins a chunk whose data so far (header and layout) ends at bit `end`; `buckets` as in histogramAppend.
 */
export function histogramBegin(state: usize, end: u32, buckets: u32): void {
  memory.fill(state, 0, histogramStateSize(buckets));
  store<u32>(state, end);
  store<u16>(state, NO_WINDOW, 64);
}

/** The header byte of start times of what was appended so far. */
export function histogramStartHeader(state: usize): u32 {
  return (load<u32>(state, 76) ? 0x80 : 0) | load<u32>(state, 72);
}

/**
 * Appends n samples to the chunk data at dst, which has `before` samples. Columns are t (f64 of whole ms), count and zero
 * (u64, or f64 for a float chunk), sum (f64 bits); `rows` has a row of `buckets` values (i64 differences, or f64) for
 * each sample that is not stale; stIn has start times (f64) or is 0. Returns the data's length in bytes, or NO_ROOM
 * with nothing changed when histogramSampleSize(buckets) × n more may not fit into `room`.
 */
export function histogramAppend(
  isFloat: u32, state: usize, dst: usize, room: u32, before: u32, n: u32, buckets: u32, t: usize, count: usize, zero: usize,
  sum: usize, rows: usize, stIn: usize,
): i32 {
  const end = load<u32>(state);
  if (<u64>(end >> 3) + <u64>histogramSampleSize(buckets) * <u64>n + 16 > <u64>room) return NO_ROOM;
  putResume(dst, end);
  putStartTimesResume(load<u32>(state, 72), load<u32>(state, 76), load<i64>(state, 80), load<i64>(state, 88));
  const rowBytes: usize = <usize>buckets << 3;
  let row = rows;
  for (let i: u32 = 0; i < n; i++) {
    const at: usize = <usize>i << 3;
    const time = <i64>load<f64>(t + at);
    const timeBefore = load<i64>(state, 8);
    const first = before + i == 0;
    if (isFloat) appendFloat(state, first, time, load<u64>(count + at), load<u64>(zero + at), load<u64>(sum + at), row, rowBytes);
    else appendInt(state, first, time, load<i64>(count + at), load<i64>(zero + at), load<u64>(sum + at), row, rowBytes);
    if (load<u64>(sum + at) != STALE) row += rowBytes;
    if (stIn) {
      const st = <i64>load<f64>(stIn + at);
      if (first) {
        putStartTimesBegin();
        putFirstStartTime(time, st);
      } else {
        putNextStartTime(before + i, timeBefore, st);
      }
    }
  }
  store<u32>(state, putEndBit(dst));
  putStartTimesSave(state + 72);
  return <i32>((load<u32>(state) + 7) >> 3);
}

function appendInt(
  state: usize, first: bool, t: i64, countIn: i64, zeroIn: i64, sum: u64, row: usize, rowBytes: usize,
): void {
  const stale = sum == STALE;
  const count = stale ? 0 : countIn;
  const zero = stale ? 0 : zeroIn;
  const values = state + ARRAYS;
  const deltas = values + rowBytes;
  if (first) {
    putVarbitInt(t);
    putVarbitUint(<u64>count);
    putVarbitUint(<u64>zero);
    putWide(sum, 64);
    if (!stale) {
      for (let b: usize = 0; b < rowBytes; b += 8) {
        const value = load<i64>(row + b);
        putVarbitInt(value);
        store<i64>(values + b, value);
      }
    }
  } else {
    const tDelta = t - load<i64>(state, 8);
    putVarbitInt(tDelta - load<i64>(state, 16));
    store<i64>(state, tDelta, 16);
    const countDelta = count - load<i64>(state, 24);
    const zeroDelta = zero - load<i64>(state, 40);
    putVarbitInt(stale ? 0 : countDelta - load<i64>(state, 32));
    putVarbitInt(stale ? 0 : zeroDelta - load<i64>(state, 48));
    store<i64>(state, countDelta, 32);
    store<i64>(state, zeroDelta, 48);
    putXor(sum ^ load<u64>(state, 56), state + 64);
    if (!stale) {
      for (let b: usize = 0; b < rowBytes; b += 8) {
        const value = load<i64>(row + b);
        const delta = value - load<i64>(values + b);
        putVarbitInt(delta - load<i64>(deltas + b));
        store<i64>(values + b, value);
        store<i64>(deltas + b, delta);
      }
    }
  }
  store<i64>(state, t, 8);
  store<i64>(state, count, 24);
  store<i64>(state, zero, 40);
  store<u64>(state, sum, 56);
}

function appendFloat(
  state: usize, first: bool, t: i64, countIn: u64, zeroIn: u64, sum: u64, row: usize, rowBytes: usize,
): void {
  const stale = sum == STALE;
  const count = stale ? 0 : countIn;
  const zero = stale ? 0 : zeroIn;
  const values = state + ARRAYS;
  const windows = values + rowBytes;
  if (first) {
    putVarbitInt(t);
    putWide(count, 64);
    putWide(zero, 64);
    putWide(sum, 64);
    for (let w: usize = 0; w < (rowBytes >> 2) + 4; w += 2) store<u16>(windows + w, NO_WINDOW);
    if (!stale) {
      for (let b: usize = 0; b < rowBytes; b += 8) {
        const value = load<u64>(row + b);
        putWide(value, 64);
        store<u64>(values + b, value);
      }
    }
  } else {
    const tDelta = t - load<i64>(state, 8);
    putVarbitInt(tDelta - load<i64>(state, 16));
    store<i64>(state, tDelta, 16);
    putXor(count ^ load<u64>(state, 24), windows);
    putXor(zero ^ load<u64>(state, 40), windows + 2);
    putXor(sum ^ load<u64>(state, 56), state + 64);
    if (!stale) {
      for (let b: usize = 0; b < rowBytes; b += 8) {
        const value = load<u64>(row + b);
        putXor(value ^ load<u64>(values + b), windows + 4 + (b >> 2));
        store<u64>(values + b, value);
      }
    }
  }
  store<i64>(state, t, 8);
  store<u64>(state, count, 24);
  store<u64>(state, zero, 40);
  store<u64>(state, sum, 56);
}
