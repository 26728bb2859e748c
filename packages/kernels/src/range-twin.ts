/**
 * Window functions over one series, as numbers that the kernel and its twin share. Values are those of Prometheus'
 * functions of the same names; `last` is `last_over_time`, `instant` an instant selector with lookback as range.
 */
export const RANGE = {
  rate: 0,
  increase: 1,
  delta: 2,
  sum: 3,
  avg: 4,
  min: 5,
  max: 6,
  count: 7,
  last: 8,
  instant: 9,
  present: 10,
  changes: 11,
  resets: 12,
  irate: 13,
  idelta: 14,
} as const;
export type RangeFunc = (typeof RANGE)[keyof typeof RANGE];

/**
 * Reference times `start + i × step` (ms, i < count, step ≥ 0) and the left-open window (t − range, t] before each.
 * `step` 0 asks for the same window `count` times.
 */
export type Windows = {readonly start: number; readonly step: number; readonly count: number; readonly range: number};

/** High and low word of the stale marker's bits. */
const STALE_HIGH = 0x7ff00000;
const STALE_LOW = 2;

/** Removes stale markers in place; returns how many samples are left. */
export function dropStaleTwin(ts: Float64Array, vs: Float64Array, n: number): number {
  const words = new Uint32Array(vs.buffer, vs.byteOffset, n * 2);
  let kept = 0;
  for (let i = 0; i < n; i++) {
    if (words[2 * i + 1] === STALE_HIGH && words[2 * i] === STALE_LOW) continue;
    if (kept !== i) {
      ts[kept] = ts[i]!;
      vs[kept] = vs[i]!;
    }
    kept++;
  }
  return kept;
}

/**
 * Slides `func` over ascending samples ts[0, n), vs[0, n). Step i writes out[at + i] and kind[at + i] = 1, or kind 0
 * where there is no result; returns how many there are. Stale markers must be gone, except for `instant`, where one ends the series' life.
 *
 * Cost is O(samples + steps). Two exceptions keep results those of Prometheus: a window with many counter resets walks
 * those, and sum and avg start anew in each window where values of both signs, or near the largest number, would let
 * the order of additions show.
 */
export function rangeTwin(
  func: RangeFunc,
  ts: Float64Array,
  vs: Float64Array,
  n: number,
  w: Windows,
  out: Float64Array,
  kind: Uint8Array,
  at: number,
): number {
  kind.fill(0, at, at + w.count);
  if (func <= RANGE.delta) rateTwin(func, ts, vs, n, w, out, kind, at);
  else if (func === RANGE.min || func === RANGE.max) extremeTwin(func, ts, vs, n, w, out, kind, at);
  else if (func === RANGE.changes || func === RANGE.resets) countTwin(func, ts, vs, n, w, out, kind, at);
  else if ((func === RANGE.sum || func === RANGE.avg) && overlaps(w) && isTame(vs, n)) {
    slideSum(func, ts, vs, n, w, out, kind, at);
  } else slide(func, ts, vs, n, w, out, kind, at);
  let results = 0;
  for (let i = at; i < at + w.count; i++) results += kind[i]!;
  return results;
}

function slide(
  func: RangeFunc,
  ts: Float64Array,
  vs: Float64Array,
  n: number,
  w: Windows,
  out: Float64Array,
  kind: Uint8Array,
  at: number,
): void {
  const words = func === RANGE.instant ? new Uint32Array(vs.buffer, vs.byteOffset, n * 2) : undefined;
  let from = 0;
  let to = 0;
  for (let i = 0; i < w.count; i++) {
    const hi = w.start + i * w.step;
    const lo = hi - w.range;
    while (to < n && ts[to]! <= hi) to++;
    while (from < to && ts[from]! <= lo) from++;
    if (from === to) continue;
    if (func >= RANGE.irate) {
      if (to - from < 2 || ts[to - 1] === ts[to - 2]) continue;
      const previous = vs[to - 2]!;
      const v = vs[to - 1]!;
      const delta = func === RANGE.irate && v < previous ? v : v - previous;
      kind[at + i] = 1;
      out[at + i] = func === RANGE.irate ? delta / ((ts[to - 1]! - ts[to - 2]!) / 1000) : delta;
      continue;
    }
    if (words !== undefined && words[2 * to - 1] === STALE_HIGH && words[2 * to - 2] === STALE_LOW) continue;
    kind[at + i] = 1;
    out[at + i] = windowValue(func, vs, from, to);
  }
}

/** Whether windows share so many samples that sums are worth carrying over. */
const overlaps = (w: Windows): boolean => w.range > 3 * w.step;

/** Finite values of one sign whose sum cannot overflow: however they are added, the compensated sum is the same. */
function isTame(vs: Float64Array, n: number): boolean {
  let low = 0;
  let high = 0;
  for (let i = 0; i < n; i++) {
    const v = vs[i]!;
    // Not written as a comparison that NaN passes.
    if (!(v >= -1e290 && v <= 1e290)) return false;
    if (v < low) low = v;
    else if (v > high) high = v;
  }
  return low === 0 || high === 0;
}

/**
 * Sum and average of a sliding window. Samples [from, mid) have their sums up to mid, those in [mid, to) one running
 * sum; when the first part is used up, mid moves to `to` and its sums are made anew. Each sample is added twice, and
 * nothing is ever subtracted.
 */
function slideSum(
  func: RangeFunc,
  ts: Float64Array,
  vs: Float64Array,
  n: number,
  w: Windows,
  out: Float64Array,
  kind: Uint8Array,
  at: number,
): void {
  const sums = new Float64Array(2 * n);
  let from = 0;
  let to = 0;
  let mid = 0;
  let sum = 0;
  let c = 0;
  for (let i = 0; i < w.count; i++) {
    const hi = w.start + i * w.step;
    const lo = hi - w.range;
    for (; to < n && ts[to]! <= hi; to++) {
      const x = vs[to]!;
      const t = sum + x;
      c += Math.abs(sum) >= Math.abs(x) ? sum - t + x : x - t + sum;
      sum = t;
    }
    while (from < to && ts[from]! <= lo) from++;
    if (from === to) continue;
    if (from >= mid) {
      let s = 0;
      let e = 0;
      for (let j = to - 1; j >= from; j--) {
        const x = vs[j]!;
        const t = s + x;
        e += Math.abs(s) >= Math.abs(x) ? s - t + x : x - t + s;
        s = t;
        sums[2 * j] = s;
        sums[2 * j + 1] = e;
      }
      mid = to;
      sum = 0;
      c = 0;
    }
    const s = sums[2 * from]!;
    const t = s + sum;
    const e = sums[2 * from + 1]! + c + (Math.abs(s) >= Math.abs(sum) ? s - t + sum : sum - t + s);
    kind[at + i] = 1;
    out[at + i] = func === RANGE.sum ? t + e : t / (to - from) + e / (to - from);
  }
}

function windowValue(func: RangeFunc, vs: Float64Array, from: number, to: number): number {
  switch (func) {
    case RANGE.sum:
      return sumWindow(vs, from, to);
    case RANGE.avg:
      return avgWindow(vs, from, to);
    case RANGE.count:
      return to - from;
    case RANGE.present:
      return 1;
    default:
      return vs[to - 1]!;
  }
}

/** Compensated sum of vs[from, to): Neumaier's form, given up once the sum is infinite. */
export function sumWindow(vs: Float64Array, from: number, to: number): number {
  let sum = 0;
  let c = 0;
  for (let i = from; i < to; i++) {
    const x = vs[i]!;
    const t = sum + x;
    if (t === Infinity || t === -Infinity) c = 0;
    else if (Math.abs(sum) >= Math.abs(x)) c += sum - t + x;
    else c += x - t + sum;
    sum = t;
  }
  return sum === Infinity || sum === -Infinity ? sum : sum + c;
}

/** Mean of vs[from, to), at least one: compensated sum, and a running mean from the value on at which it overflows. */
export function avgWindow(vs: Float64Array, from: number, to: number): number {
  let sum = vs[from]!;
  let c = 0;
  let k = 1;
  for (let i = from + 1; i < to; i++) {
    const x = vs[i]!;
    const t = sum + x;
    if (t === Infinity || t === -Infinity) return meanFrom(vs, i, to, sum / k, c / k, k);
    if (Math.abs(sum) >= Math.abs(x)) c += sum - t + x;
    else c += x - t + sum;
    sum = t;
    k++;
  }
  return sum / k + c / k;
}

function meanFrom(vs: Float64Array, from: number, to: number, mean0: number, c0: number, k0: number): number {
  let mean = mean0;
  let c = c0;
  let k = k0;
  for (let i = from; i < to; i++) {
    k++;
    const q = (k - 1) / k;
    const x = vs[i]! / k;
    const m = q * mean;
    c *= q;
    const t = x + m;
    if (t === Infinity || t === -Infinity) c = 0;
    else if (Math.abs(m) >= Math.abs(x)) c += m - t + x;
    else c += x - t + m;
    mean = t;
  }
  return mean + c;
}

/** Extrapolated rate, increase and delta: Prometheus' `extrapolatedRate` for floats. */
function rateTwin(
  func: RangeFunc,
  ts: Float64Array,
  vs: Float64Array,
  n: number,
  w: Windows,
  out: Float64Array,
  kind: Uint8Array,
  at: number,
): void {
  const counter = func !== RANGE.delta;
  // Samples that are lower than the one before them, so that a window need not look at the others.
  const resets = new Uint32Array(counter ? n : 0);
  let resetCount = 0;
  if (counter) for (let i = 1; i < n; i++) if (vs[i]! < vs[i - 1]!) resets[resetCount++] = i;
  let from = 0;
  let to = 0;
  let reset = 0;
  for (let i = 0; i < w.count; i++) {
    const hi = w.start + i * w.step;
    const lo = hi - w.range;
    while (to < n && ts[to]! <= hi) to++;
    while (from < to && ts[from]! <= lo) from++;
    if (to - from < 2) continue;
    const first = vs[from]!;
    const firstT = ts[from]!;
    const lastT = ts[to - 1]!;
    let result = vs[to - 1]! - first;
    while (reset < resetCount && resets[reset]! <= from) reset++;
    for (let r = reset; r < resetCount && resets[r]! < to; r++) result += vs[resets[r]! - 1]!;
    let toStart = (firstT - lo) / 1000;
    let toEnd = (hi - lastT) / 1000;
    const sampled = (lastT - firstT) / 1000;
    const average = sampled / (to - from - 1);
    const threshold = average * 1.1;
    if (toStart >= threshold) toStart = average / 2;
    if (counter) {
      const toZero = result > 0 && first >= 0 ? sampled * (first / result) : toStart;
      if (toZero < toStart) toStart = toZero;
    }
    if (toEnd >= threshold) toEnd = average / 2;
    let factor = sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled;
    if (func === RANGE.rate) factor /= w.range / 1000;
    kind[at + i] = 1;
    out[at + i] = result * factor;
  }
}

/** How often neighbours in the window differ (NaN equals NaN), or how often a value is below the one before it. */
function countTwin(
  func: RangeFunc,
  ts: Float64Array,
  vs: Float64Array,
  n: number,
  w: Windows,
  out: Float64Array,
  kind: Uint8Array,
  at: number,
): void {
  const upTo = new Uint32Array(n);
  for (let i = 1; i < n; i++) {
    const a = vs[i - 1]!;
    const b = vs[i]!;
    const counts = func === RANGE.resets ? b < a : a !== b && !(Number.isNaN(a) && Number.isNaN(b));
    upTo[i] = upTo[i - 1]! + (counts ? 1 : 0);
  }
  let from = 0;
  let to = 0;
  for (let i = 0; i < w.count; i++) {
    const hi = w.start + i * w.step;
    const lo = hi - w.range;
    while (to < n && ts[to]! <= hi) to++;
    while (from < to && ts[from]! <= lo) from++;
    if (from === to) continue;
    kind[at + i] = 1;
    out[at + i] = upTo[to - 1]! - upTo[from]!;
  }
}

/** Minimum or maximum by a monotonic queue. NaN only where a window holds nothing else; of equals the first counts. */
function extremeTwin(
  func: RangeFunc,
  ts: Float64Array,
  vs: Float64Array,
  n: number,
  w: Windows,
  out: Float64Array,
  kind: Uint8Array,
  at: number,
): void {
  const sign = func === RANGE.max ? -1 : 1;
  const queue = new Uint32Array(n);
  let head = 0;
  let tail = 0;
  let from = 0;
  let to = 0;
  for (let i = 0; i < w.count; i++) {
    const hi = w.start + i * w.step;
    const lo = hi - w.range;
    for (; to < n && ts[to]! <= hi; to++) {
      const v = vs[to]! * sign;
      if (Number.isNaN(v)) continue;
      while (tail > head && vs[queue[tail - 1]!]! * sign > v) tail--;
      queue[tail++] = to;
    }
    while (from < to && ts[from]! <= lo) from++;
    while (head < tail && queue[head]! < from) head++;
    if (from === to) continue;
    kind[at + i] = 1;
    // With no number in the window every sample is NaN.
    out[at + i] = head < tail ? vs[queue[head]!]! : vs[from]!;
  }
}
