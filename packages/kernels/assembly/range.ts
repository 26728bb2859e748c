// Window functions over one series' columns (f64 times in ms, f64 values). Step i has the left-open window
// (ref - range, ref], ref = start + i * step. The numbers of `func` are those of RANGE in src/range-twin.ts.

const RATE: i32 = 0;
const DELTA: i32 = 2;
const SUM: i32 = 3;
const AVG: i32 = 4;
const MIN: i32 = 5;
const MAX: i32 = 6;
const COUNT: i32 = 7;
const INSTANT: i32 = 9;
const PRESENT: i32 = 10;
const CHANGES: i32 = 11;
const RESETS: i32 = 12;
const IRATE: i32 = 13;
const STALE: u64 = 0x7ff0000000000002;

// @ts-ignore: decorator
@inline function at(column: usize, i: i32): f64 {
  return load<f64>(column + (<usize>i << 3));
}

/** Removes stale markers in place; how many samples are left. */
export function dropStale(ts: usize, vs: usize, n: i32): i32 {
  let kept: i32 = 0;
  for (let i: i32 = 0; i < n; i++) {
    const bits = load<u64>(vs + (<usize>i << 3));
    if (bits == STALE) continue;
    if (kept != i) {
      store<f64>(ts + (<usize>kept << 3), at(ts, i));
      store<u64>(vs + (<usize>kept << 3), bits);
    }
    kept++;
  }
  return kept;
}

/** Samples in all windows of the last call, and how many different ones. */
let windowTotal: f64 = 0;
let windowFresh: f64 = 0;
let freshFrom: i32 = 0;

// @ts-ignore: decorator
@inline function note(from: i32, to: i32): void {
  windowTotal += <f64>(to - from);
  if (to > freshFrom) {
    windowFresh += <f64>(to - max(from, freshFrom));
    freshFrom = to;
  }
}

export function rangeTotal(): f64 {
  return windowTotal;
}

export function rangeFresh(): f64 {
  return windowFresh;
}

/** Writes `count` values to `out` and kinds (1 result, 0 none) to `kind`; how many results. `scratch`: 16 × n bytes. */
export function rangeWindows(
  func: i32, ts: usize, vs: usize, n: i32, start: f64, step: f64, count: i32, range: f64,
  out: usize, kind: usize, scratch: usize,
): i32 {
  memory.fill(kind, 0, count);
  windowTotal = 0;
  windowFresh = 0;
  freshFrom = 0;
  if (func <= DELTA) return rateWindows(func, ts, vs, n, start, step, count, range, out, kind, scratch);
  if (func == MIN || func == MAX) return extremes(func, ts, vs, n, start, step, count, range, out, kind, scratch);
  if (func == CHANGES || func == RESETS) return counts(func, ts, vs, n, start, step, count, range, out, kind, scratch);
  if ((func == SUM || func == AVG) && range > 3 * step && isTame(vs, n)) {
    return slideSum(func, ts, vs, n, start, step, count, range, out, kind, scratch);
  }
  let results: i32 = 0;
  let from: i32 = 0;
  let to: i32 = 0;
  for (let i: i32 = 0; i < count; i++) {
    const hi = start + <f64>i * step;
    const lo = hi - range;
    while (to < n && at(ts, to) <= hi) to++;
    while (from < to && at(ts, from) <= lo) from++;
    note(from, to);
    if (from == to) continue;
    if (func >= IRATE) {
      if (to - from < 2 || at(ts, to - 1) == at(ts, to - 2)) continue;
      const previous = at(vs, to - 2);
      const v = at(vs, to - 1);
      const delta = func == IRATE && v < previous ? v : v - previous;
      store<u8>(kind + i, 1);
      store<f64>(out + (<usize>i << 3), func == IRATE ? delta / ((at(ts, to - 1) - at(ts, to - 2)) / 1000) : delta);
      results++;
      continue;
    }
    if (func == INSTANT && load<u64>(vs + (<usize>(to - 1) << 3)) == STALE) continue;
    store<u8>(kind + i, 1);
    let value: f64;
    if (func == SUM) value = sumWindow(vs, from, to);
    else if (func == AVG) value = avgWindow(vs, from, to);
    else if (func == COUNT) value = <f64>(to - from);
    else if (func == PRESENT) value = 1;
    else value = at(vs, to - 1);
    store<f64>(out + (<usize>i << 3), value);
    results++;
  }
  return results;
}

// @ts-ignore: decorator
@inline function infinite(x: f64): bool {
  return abs(x) == Infinity;
}

/** Finite values of one sign whose sum cannot overflow: however they are added, the compensated sum is the same. */
function isTame(vs: usize, n: i32): bool {
  let low: f64 = 0;
  let high: f64 = 0;
  for (let i: i32 = 0; i < n; i++) {
    const v = at(vs, i);
    if (!(v >= -1e290 && v <= 1e290)) return false;
    if (v < low) low = v;
    else if (v > high) high = v;
  }
  return low == 0 || high == 0;
}

// Sums up to `mid` for the samples before it (pairs of sum and compensation), one running sum for those after it.
function slideSum(
  func: i32, ts: usize, vs: usize, n: i32, start: f64, step: f64, count: i32, range: f64,
  out: usize, kind: usize, sums: usize,
): i32 {
  let results: i32 = 0;
  let from: i32 = 0;
  let to: i32 = 0;
  let mid: i32 = 0;
  let sum: f64 = 0;
  let c: f64 = 0;
  for (let i: i32 = 0; i < count; i++) {
    const hi = start + <f64>i * step;
    const lo = hi - range;
    for (; to < n && at(ts, to) <= hi; to++) {
      const x = at(vs, to);
      const t = sum + x;
      c += abs(sum) >= abs(x) ? sum - t + x : x - t + sum;
      sum = t;
    }
    while (from < to && at(ts, from) <= lo) from++;
    note(from, to);
    if (from == to) continue;
    if (from >= mid) {
      let s: f64 = 0;
      let e: f64 = 0;
      for (let j = to - 1; j >= from; j--) {
        const x = at(vs, j);
        const t = s + x;
        e += abs(s) >= abs(x) ? s - t + x : x - t + s;
        s = t;
        const pair = sums + (<usize>j << 4);
        store<f64>(pair, s);
        store<f64>(pair, e, 8);
      }
      mid = to;
      sum = 0;
      c = 0;
    }
    const pair = sums + (<usize>from << 4);
    const s = load<f64>(pair);
    const t = s + sum;
    const e = load<f64>(pair, 8) + c + (abs(s) >= abs(sum) ? s - t + sum : sum - t + s);
    const size = <f64>(to - from);
    store<u8>(kind + i, 1);
    store<f64>(out + (<usize>i << 3), func == SUM ? t + e : t / size + e / size);
    results++;
  }
  return results;
}

function sumWindow(vs: usize, from: i32, to: i32): f64 {
  let sum: f64 = 0;
  let c: f64 = 0;
  for (let i = from; i < to; i++) {
    const x = at(vs, i);
    const t = sum + x;
    if (infinite(t)) c = 0;
    else if (abs(sum) >= abs(x)) c += sum - t + x;
    else c += x - t + sum;
    sum = t;
  }
  return infinite(sum) ? sum : sum + c;
}

function avgWindow(vs: usize, from: i32, to: i32): f64 {
  let sum = at(vs, from);
  let c: f64 = 0;
  let k: f64 = 1;
  for (let i = from + 1; i < to; i++) {
    const x = at(vs, i);
    const t = sum + x;
    if (infinite(t)) return meanFrom(vs, i, to, sum / k, c / k, k);
    if (abs(sum) >= abs(x)) c += sum - t + x;
    else c += x - t + sum;
    sum = t;
    k++;
  }
  return sum / k + c / k;
}

function meanFrom(vs: usize, from: i32, to: i32, mean: f64, c: f64, k: f64): f64 {
  for (let i = from; i < to; i++) {
    k++;
    const q = (k - 1) / k;
    const x = at(vs, i) / k;
    const m = q * mean;
    c *= q;
    const t = x + m;
    if (infinite(t)) c = 0;
    else if (abs(m) >= abs(x)) c += m - t + x;
    else c += x - t + m;
    mean = t;
  }
  return mean + c;
}

function rateWindows(
  func: i32, ts: usize, vs: usize, n: i32, start: f64, step: f64, count: i32, range: f64,
  out: usize, kind: usize, resets: usize,
): i32 {
  const counter = func != DELTA;
  let results: i32 = 0;
  let resetEnd = resets;
  if (counter && n > 0) {
    let prev = at(vs, 0);
    for (let i: i32 = 1; i < n; i++) {
      const v = at(vs, i);
      if (v < prev) {
        store<i32>(resetEnd, i);
        resetEnd += 4;
      }
      prev = v;
    }
  }
  const seconds = range / 1000;
  let from: i32 = 0;
  let to: i32 = 0;
  let reset = resets;
  for (let i: i32 = 0; i < count; i++) {
    const hi = start + <f64>i * step;
    const lo = hi - range;
    while (to < n && at(ts, to) <= hi) to++;
    while (from < to && at(ts, from) <= lo) from++;
    note(from, to);
    if (to - from < 2) continue;
    const first = at(vs, from);
    const firstT = at(ts, from);
    const lastT = at(ts, to - 1);
    let result = at(vs, to - 1) - first;
    while (reset < resetEnd && load<i32>(reset) <= from) reset += 4;
    for (let r = reset; r < resetEnd && load<i32>(r) < to; r += 4) result += at(vs, load<i32>(r) - 1);
    let toStart = (firstT - lo) / 1000;
    let toEnd = (hi - lastT) / 1000;
    const sampled = (lastT - firstT) / 1000;
    const average = sampled / <f64>(to - from - 1);
    const threshold = average * 1.1;
    if (toStart >= threshold) toStart = average / 2;
    if (counter) {
      const toZero = result > 0 && first >= 0 ? sampled * (first / result) : toStart;
      if (toZero < toStart) toStart = toZero;
    }
    if (toEnd >= threshold) toEnd = average / 2;
    let factor: f64 = sampled == 0 ? 1 : (sampled + toStart + toEnd) / sampled;
    if (func == RATE) factor /= seconds;
    store<u8>(kind + i, 1);
    store<f64>(out + (<usize>i << 3), result * factor);
    results++;
  }
  return results;
}

// Extremes up to `mid` for the samples before it, one running extreme for those after it, as slideSum does with sums. PERF:
// 4 ns a sample where a monotonic queue, whose branches nobody predicts, takes 14. Of equal values the first one stays
// (the sign of zero), NaN only where there is nothing else.
function extremes(
  func: i32, ts: usize, vs: usize, n: i32, start: f64, step: f64, count: i32, range: f64,
  out: usize, kind: usize, suffix: usize,
): i32 {
  let results: i32 = 0;
  // Flipping the sign bit makes the least of the greatest and keeps every bit of NaN.
  const flip: u64 = func == MAX ? 0x8000_0000_0000_0000 : 0;
  let from: i32 = 0;
  let to: i32 = 0;
  let mid: i32 = 0;
  let running = NaN;
  for (let i: i32 = 0; i < count; i++) {
    const hi = start + <f64>i * step;
    const lo = hi - range;
    for (; to < n && at(ts, to) <= hi; to++) {
      const v = reinterpret<f64>(load<u64>(vs + (<usize>to << 3)) ^ flip);
      running = select<f64>(v, running, v < running || running != running);
    }
    while (from < to && at(ts, from) <= lo) from++;
    note(from, to);
    if (from == to) continue;
    if (from >= mid) {
      let least = NaN;
      for (let j = to - 1; j >= from; j--) {
        const v = reinterpret<f64>(load<u64>(vs + (<usize>j << 3)) ^ flip);
        least = select<f64>(v, least, v <= least || least != least);
        store<f64>(suffix + (<usize>j << 3), least);
      }
      mid = to;
      running = NaN;
    }
    const least = load<f64>(suffix + (<usize>from << 3));
    const value = select<f64>(running, least, running < least || (least != least && running == running));
    store<u8>(kind + i, 1);
    store<u64>(out + (<usize>i << 3), reinterpret<u64>(value) ^ flip);
    results++;
  }
  return results;
}

// Of each sample how many before it, itself included, differ from (or fell below) their predecessors.
function counts(
  func: i32, ts: usize, vs: usize, n: i32, start: f64, step: f64, count: i32, range: f64,
  out: usize, kind: usize, upTo: usize,
): i32 {
  let sum: i32 = 0;
  for (let i: i32 = 0; i < n; i++) {
    if (i > 0) {
      const a = at(vs, i - 1);
      const b = at(vs, i);
      if (func == RESETS ? b < a : a != b && (a == a || b == b)) sum++;
    }
    store<i32>(upTo + (<usize>i << 2), sum);
  }
  let results: i32 = 0;
  let from: i32 = 0;
  let to: i32 = 0;
  for (let i: i32 = 0; i < count; i++) {
    const hi = start + <f64>i * step;
    const lo = hi - range;
    while (to < n && at(ts, to) <= hi) to++;
    while (from < to && at(ts, from) <= lo) from++;
    note(from, to);
    if (from == to) continue;
    store<u8>(kind + i, 1);
    const changes = load<i32>(upTo + (<usize>(to - 1) << 2)) - load<i32>(upTo + (<usize>from << 2));
    store<f64>(out + (<usize>i << 3), <f64>changes);
    results++;
  }
  return results;
}
