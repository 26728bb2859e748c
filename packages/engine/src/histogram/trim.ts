import {
  type Bucket,
  compact,
  type FloatHistogram,
  isCustom,
  negativeBucket,
  positiveBucket,
} from "./float-histogram.ts";

/** `h </ x`: only the observations below x. */
export const trimAbove = (h: FloatHistogram, x: number): FloatHistogram => trim(h, x, true);

/** `h >/ x`: only those above it. */
export const trimBelow = (h: FloatHistogram, x: number): FloatHistogram => trim(h, x, false);

/** What of a bucket is kept, and what its observations count for in the sum. */
type Kept = {count: number; mid: number};

function trim(h: FloatHistogram, x: number, upper: boolean): FloatHistogram {
  const custom = isCustom(h);
  let count = 0;
  let sum = 0;
  let changed = false;
  const add = (kept: Kept, of: number): number => {
    count += kept.count;
    sum += kept.mid * kept.count;
    if (kept.count !== of) changed = true;
    return kept.count;
  };
  const keep = (b: Bucket): number => {
    if (b.count === 0) return 0;
    if (upper ? b.upper <= x : b.lower >= x) {
      return add({count: b.count, mid: midpoint(b.lower, b.upper, custom)}, b.count);
    }
    // Neither holds for NaN: nothing is kept then.
    const cut = upper ? b.lower < x : b.upper > x;
    return add(cut ? split(b, x, upper, custom) : NOTHING, b.count);
  };
  const pv = h.pv.map((_, k) => keep(positiveBucket(h, k)));
  const nv = h.nv.map((_, k) => keep(negativeBucket(h, k)));
  const zeroCount = h.zeroCount > 0 ? add(keptOfZero(h, x, upper), h.zeroCount) : h.zeroCount;
  return changed ? compact({...h, count, sum, zeroCount, pv, nv}) : h;
}

const NOTHING: Kept = {count: 0, mid: 0};

/** What is kept of the zero bucket, or of the half of it in which its observations must lie. */
function keptOfZero(h: FloatHistogram, x: number, upper: boolean): Kept {
  const positive = h.pv.some((v) => v !== 0);
  const negative = h.nv.some((v) => v !== 0);
  const low = positive && !negative ? 0 : -h.zeroThreshold;
  const high = negative && !positive ? 0 : h.zeroThreshold;
  const all = {count: h.zeroCount, mid: (low + high) / 2};
  if (x <= low) return upper ? NOTHING : all;
  if (x >= high) return upper ? all : NOTHING;
  const [from, to] = upper ? [low, x] : [x, high];
  return {count: (h.zeroCount * (to - from)) / (high - low), mid: (from + to) / 2};
}

function midpoint(lower: number, upper: number, linear: boolean): number {
  if (lower === -Infinity && upper === Infinity) return 0;
  if (lower === -Infinity) return upper > 0 ? upper / 2 : upper;
  if (upper === Infinity) return lower;
  if (linear) return (lower + upper) / 2;
  const mid = Math.sqrt(Math.abs(lower * upper));
  return lower < 0 ? -mid : mid;
}

/** The part of a bucket that lies on the wanted side of x, which is strictly inside it. */
function split(b: Bucket, x: number, upper: boolean, linear: boolean): Kept {
  if (b.lower === -Infinity && b.upper === Infinity) return {count: 0, mid: 0};
  if (b.lower === -Infinity) return splitLowest(b, x, upper);
  if (b.upper === Infinity) return upper ? {count: 0, mid: 0} : {count: b.count, mid: x};
  let below: number;
  if (linear) below = (x - b.lower) / (b.upper - b.lower);
  else if (b.lower >= 0) below = logPart(b.lower, x, b.upper);
  else below = 1 - logPart(-b.upper, -x, -b.lower);
  return upper
    ? {count: b.count * below, mid: midpoint(b.lower, x, linear)}
    : {count: b.count * (1 - below), mid: midpoint(x, b.upper, linear)};
}

const logPart = (from: number, x: number, to: number): number =>
  (Math.log2(x) - Math.log2(from)) / (Math.log2(to) - Math.log2(from));

/** The first custom bucket, without a lower bound; its observations are taken to start at 0 if its bound is positive. */
function splitLowest(b: Bucket, x: number, upper: boolean): Kept {
  if (upper) {
    if (b.upper <= 0) return {count: b.count, mid: x};
    return x > 0 ? {count: (b.count * x) / b.upper, mid: x / 2} : {count: 0, mid: 0};
  }
  if (x < 0 || x >= b.upper) return {count: 0, mid: 0};
  return {count: b.count * (1 - x / b.upper), mid: (x + b.upper) / 2};
}
