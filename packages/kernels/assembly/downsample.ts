// Aggregates of float samples over windows of time. See src/downsample-twin.ts for the rules.

import {NO_ROOM} from "./bits";
import {xorEncode} from "./xor";

/** Windows that one chunk can take: a chunk counts to 65535, and the counter has two samples more. */
const MAX_WINDOWS: i32 = 65533;
const XOR: u32 = 1;
const STALE: u64 = 0x7ff0000000000002;

// State of a series, and the columns of the chunk under way.
@unmanaged
class State {
  resolution: i64;
  /** Samples after which a chunk ends with its window; NaN count too. */
  batchSize: i64;
  taken: i64;
  /** End of the window that the batch's last sample lies in, once it is full. */
  batchEnd: i64;
  /** Samples in the chunk, NaN left out. */
  used: i64;
  firstT: i64;
  lastT: i64;
  windowEnd: i64;
  firstV: f64;
  lastV: f64;
  count: f64;
  sum: f64;
  min: f64;
  max: f64;
  counter: f64;
  windows: i32;
  /** Finished chunks: entries of five f64: mint, maxt, samples, offset, length. */
  directory: usize;
  chunks: i32;
  out: usize;
  outRoom: u32;
  outLength: u32;
  t: usize;
  counts: usize;
  sums: usize;
  mins: usize;
  maxs: usize;
  counterT: usize;
  counters: usize;
  scratch: usize;
}

/** Bytes of a state with its columns, after which `outRoom` bytes for finished chunks follow. */
export function downsampleStateSize(): u32 {
  return <u32>(offsetof<State>() + 64) + (<u32>(MAX_WINDOWS + 2) << 3) * 7 + scratchBytes() + (DIRECTORY << 3) * 5;
}

/** Chunks that finish in one call at the most. */
const DIRECTORY: u32 = 256;

// @ts-ignore: decorator
@inline function scratchBytes(): u32 {
  return chunkBytes(MAX_WINDOWS + 2);
}

// @ts-ignore: decorator
@inline function chunkBytes(n: i32): u32 {
  return 2 + 19 * <u32>n + 96;
}

/** Lays out the state at `at`; finished chunks go to `out`. */
export function downsampleOpen(at: usize, out: usize, outRoom: u32): void {
  const s = changetype<State>(at);
  const column = <usize>(MAX_WINDOWS + 2) << 3;
  let next = (at + offsetof<State>() + 15) & ~15;
  s.t = next;
  s.counts = next + column;
  s.sums = next + column * 2;
  s.mins = next + column * 3;
  s.maxs = next + column * 4;
  s.counterT = next + column * 5;
  s.counters = next + column * 6;
  s.directory = next + column * 7;
  s.scratch = s.directory + (<usize>DIRECTORY << 3) * 5;
  s.out = out;
  s.outRoom = outRoom;
}

/** Begins a series, or a part of one that makes chunks of its own. */
export function downsampleBegin(at: usize, resolution: f64, batchSize: f64): void {
  const s = changetype<State>(at);
  s.resolution = <i64>resolution;
  s.batchSize = <i64>batchSize;
  s.chunks = 0;
  s.outLength = 0;
  startBatch(s);
}

function startBatch(s: State): void {
  s.taken = 0;
  s.used = 0;
  s.windows = 0;
}

/** Where the directory of finished chunks lies. */
export function downsampleDirectory(at: usize): usize {
  return changetype<State>(at).directory;
}

/** Finished chunks since the last drain. */
export function downsampleChunks(at: usize): i32 {
  return changetype<State>(at).chunks;
}

/** Forgets the finished chunks. */
export function downsampleDrain(at: usize): void {
  const s = changetype<State>(at);
  s.chunks = 0;
  s.outLength = 0;
}

/** The last ms of the window that t lies in. */
// @ts-ignore: decorator
@inline function windowEnd(t: i64, resolution: i64): i64 {
  let into = t % resolution;
  if (into < 0) into += resolution;
  return t - into + resolution - 1;
}

/** Whether one more chunk of what is under way fits the output. */
// @ts-ignore: decorator
@inline function fits(s: State): bool {
  return <u32>s.chunks < DIRECTORY && s.outLength + 5 * chunkBytes(s.windows + 3) <= s.outRoom;
}

/**
 * Takes samples, ascending, without stale markers. Returns how many were taken: fewer than n when the finished chunks have
 * to be drained before it can go on.
 */
export function downsamplePush(at: usize, ts: usize, vs: usize, n: i32): i32 {
  const s = changetype<State>(at);
  const resolution = s.resolution;
  const batchSize = s.batchSize;
  let taken = s.taken;
  let batchEnd = s.batchEnd;
  let used = s.used;
  let end = s.windowEnd;
  let lastT = s.lastT;
  let lastV = s.lastV;
  let count = s.count;
  let sum = s.sum;
  let lowest = s.min;
  let highest = s.max;
  let counter = s.counter;
  let i: i32 = 0;
  for (; i < n; i++) {
    const t = <i64>load<f64>(ts + (<usize>i << 3));
    if ((taken >= batchSize && t > batchEnd) || s.windows >= MAX_WINDOWS) {
      if (!fits(s)) break;
      s.used = used;
      s.lastT = lastT;
      s.lastV = lastV;
      s.count = count;
      s.sum = sum;
      s.min = lowest;
      s.max = highest;
      s.counter = counter;
      finishChunk(s);
      startBatch(s);
      taken = 0;
      used = 0;
    }
    taken++;
    if (taken == batchSize) batchEnd = windowEnd(t, resolution);
    const v = load<f64>(vs + (<usize>i << 3));
    if (v != v) continue;
    if (used == 0) {
      s.firstT = t;
      s.firstV = v;
      counter = v;
      end = windowEnd(t, resolution);
      count = 0;
      sum = 0;
      lowest = f64.MAX_VALUE;
      highest = -f64.MAX_VALUE;
    } else {
      if (t > end) {
        emit(s, end, count, sum, lowest, highest, counter);
        end = windowEnd(t, resolution);
        count = 0;
        sum = 0;
        lowest = f64.MAX_VALUE;
        highest = -f64.MAX_VALUE;
      }
      counter += v < lastV ? v : v - lastV;
    }
    used++;
    lastT = t;
    lastV = v;
    sum += v;
    count += 1;
    if (v < lowest) lowest = v;
    if (v > highest) highest = v;
  }
  s.taken = taken;
  s.batchEnd = batchEnd;
  s.used = used;
  s.windowEnd = end;
  s.lastT = lastT;
  s.lastV = lastV;
  s.count = count;
  s.sum = sum;
  s.min = lowest;
  s.max = highest;
  s.counter = counter;
  return i;
}

/** Ends the series. Returns 1, or NO_ROOM when the finished chunks have to be drained first. */
export function downsampleEnd(at: usize): i32 {
  const s = changetype<State>(at);
  if (s.used == 0) return 1;
  if (!fits(s)) return NO_ROOM;
  finishChunk(s);
  startBatch(s);
  return 1;
}

// @ts-ignore: decorator
@inline function emit(s: State, t: i64, count: f64, sum: f64, lowest: f64, highest: f64, counter: f64): void {
  const at = <usize>s.windows << 3;
  store<f64>(s.t + at, <f64>t);
  store<f64>(s.counts + at, count);
  store<f64>(s.sums + at, sum);
  store<f64>(s.mins + at, lowest);
  store<f64>(s.maxs + at, highest);
  // The counter begins with the first sample as it is.
  store<f64>(s.counterT + at + 8, <f64>t);
  store<f64>(s.counters + at + 8, counter);
  s.windows++;
}

function finishChunk(s: State): void {
  if (s.used == 0) return;
  emit(s, s.lastT, s.count, s.sum, s.min, s.max, s.counter);
  const n = s.windows;
  store<f64>(s.counterT, <f64>s.firstT);
  store<f64>(s.counters, s.firstV);
  const last = <usize>(n + 1) << 3;
  store<f64>(s.counterT + last, <f64>s.lastT);
  store<f64>(s.counters + last, s.lastV);
  const from = s.outLength;
  putColumn(s, s.t, s.counts, n);
  putColumn(s, s.t, s.sums, n);
  putColumn(s, s.t, s.mins, n);
  putColumn(s, s.t, s.maxs, n);
  putColumn(s, s.counterT, s.counters, n + 2);
  const entry = s.directory + <usize>s.chunks * 40;
  store<f64>(entry, load<f64>(s.t));
  store<f64>(entry + 8, <f64>s.lastT);
  store<f64>(entry + 16, <f64>n);
  store<f64>(entry + 24, <f64>from);
  store<f64>(entry + 32, <f64>(s.outLength - from));
  s.chunks++;
}

function putColumn(s: State, ts: usize, vs: usize, n: i32): void {
  const length = xorEncode(ts, vs, <u32>n, s.scratch, chunkBytes(n));
  let at = s.out + s.outLength;
  let rest = <u32>length;
  for (; rest > 0x7f; rest >>= 7) store<u8>(at++, <u8>(rest | 0x80));
  store<u8>(at++, <u8>rest);
  store<u8>(at++, <u8>XOR);
  memory.copy(at, s.scratch, <usize>length);
  s.outLength = <u32>(at + length - s.out);
}

/** Drops stale markers and samples that are behind one before them, in place; `lastT` is what they must not be behind. */
export function downsampleClean(ts: usize, vs: usize, n: i32, lastT: f64): i32 {
  let kept: i32 = 0;
  let last = lastT;
  for (let i: i32 = 0; i < n; i++) {
    const bits = load<u64>(vs + (<usize>i << 3));
    const t = load<f64>(ts + (<usize>i << 3));
    if (bits == STALE || t < last) continue;
    last = t;
    store<f64>(ts + (<usize>kept << 3), t);
    store<u64>(vs + (<usize>kept << 3), bits);
    kept++;
  }
  return kept;
}

/** Aggregates one column over windows: op 0 sums, 1 takes the least, 2 the greatest, 3 follows a counter. How many windows. */
export function windowColumn(ts: usize, vs: usize, n: i32, resolution: f64, op: i32, tOut: usize, vOut: usize): i32 {
  if (n == 0) return 0;
  const width = <i64>resolution;
  const lastT = <i64>load<f64>(ts + (<usize>(n - 1) << 3));
  let windows: i32 = 0;
  let end: i64 = 0;
  let acc: f64 = 0;
  let counter: f64 = 0;
  let last: f64 = 0;
  for (let i: i32 = 0; i < n; i++) {
    const t = <i64>load<f64>(ts + (<usize>i << 3));
    const v = load<f64>(vs + (<usize>i << 3));
    if (i == 0 || t > end) {
      if (i > 0) {
        store<f64>(tOut + (<usize>windows << 3), <f64>end);
        store<f64>(vOut + (<usize>windows << 3), op == 3 ? counter : acc);
        windows++;
      }
      end = min(windowEnd(t, width), lastT);
      acc = op == 1 ? f64.MAX_VALUE : op == 2 ? -f64.MAX_VALUE : 0;
    }
    if (op == 0) acc += v;
    else if (op == 1) {
      if (v < acc) acc = v;
    } else if (op == 2) {
      if (v > acc) acc = v;
    } else {
      counter = i == 0 ? v : counter + (v < last ? v : v - last);
      last = v;
    }
  }
  store<f64>(tOut + (<usize>windows << 3), <f64>end);
  store<f64>(vOut + (<usize>windows << 3), op == 3 ? counter : acc);
  return windows + 1;
}

/**
 * Makes counter samples of several chunks, one behind the other, ascend as if the counter had never been reset. A sample at
 * the time of the one before it is the true last value of its chunk. In place; how many are left, and the last value in
 * vs[n - 1 + …]: at `lastOut`.
 */
export function applyCounterResets(ts: usize, vs: usize, n: i32, lastOut: usize): i32 {
  let kept: i32 = 0;
  let lastT: f64 = 0;
  let lastV: f64 = 0;
  let total: f64 = 0;
  for (let i: i32 = 0; i < n; i++) {
    const t = load<f64>(ts + (<usize>i << 3));
    const v = load<f64>(vs + (<usize>i << 3));
    if (v != v) continue;
    if (kept > 0 && t <= lastT) {
      if (t == lastT) lastV = v;
      continue;
    }
    total = kept == 0 ? v : total + (v >= lastV ? v - lastV : v);
    lastT = t;
    lastV = v;
    store<f64>(ts + (<usize>kept << 3), t);
    store<f64>(vs + (<usize>kept << 3), total);
    kept++;
  }
  store<f64>(lastOut, lastV);
  return kept;
}
