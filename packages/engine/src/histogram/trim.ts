import {ascendingBuckets, type Bucket, compact, type FloatHistogram, isCustom} from "./float-histogram.ts";

/** `h </ x`: only the observations below x. */
export const trimAbove = (h: FloatHistogram, x: number): FloatHistogram => trim(h, x, true);

/** `h >/ x`: only those above it. */
export const trimBelow = (h: FloatHistogram, x: number): FloatHistogram => trim(h, x, false);

/** What of a bucket is kept, and what its observations count for in the sum. */
type Kept = {count: number; mid: number};

function trim(h: FloatHistogram, x: number, upper: boolean): FloatHistogram {
  const custom = isCustom(h);
  const zero = zeroBucket(h);
  let count = 0;
  let sum = 0;
  let changed = false;
  const keep = (b: Bucket, linear: boolean): number => {
    if (b.count === 0) return 0;
    const inside = upper ? b.upper <= x : b.lower >= x;
    const outside = upper ? b.lower >= x : b.upper <= x;
    if (inside) {
      count += b.count;
      sum += midpoint(b.lower, b.upper, linear) * b.count;
      return b.count;
    }
    const kept = outside ? {count: 0, mid: 0} : split(b, x, upper, linear);
    if (kept.count !== b.count) changed = true;
    count += kept.count;
    if (kept.count !== 0) sum += kept.mid * kept.count;
    return kept.count;
  };
  const buckets = ascendingBuckets({...h, zeroCount: 0});
  const nv = h.nv.map((_, k) => keep(buckets[h.nv.length - 1 - k]!, custom));
  const zeroCount = h.zeroCount === 0 ? 0 : keep(zero, true);
  const pv = h.pv.map((_, k) => keep(buckets[h.nv.length + k]!, custom));
  return changed ? compact({...h, count, sum, zeroCount, pv, nv}) : h;
}

/** The zero bucket, or the half of it in which its observations must lie. */
function zeroBucket(h: FloatHistogram): Bucket {
  const positive = h.pv.some((v) => v !== 0);
  const negative = h.nv.some((v) => v !== 0);
  return {
    lower: positive && !negative ? 0 : -h.zeroThreshold,
    upper: negative && !positive ? 0 : h.zeroThreshold,
    lowerInclusive: true,
    upperInclusive: true,
    count: h.zeroCount,
  };
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
