import {ascendingBuckets, type Bucket, type FloatHistogram, isCustom} from "./float-histogram.ts";

/** What to say about observations that are NaN. */
export type NaNRemark = "quantile is NaN" | "quantile is skewed" | "fraction excludes NaN" | undefined;

/** The φ-quantile of a native histogram by interpolation within buckets. */
export function histogramQuantile(phi: number, h: FloatHistogram): {value: number; remark: NaNRemark} {
  const plain = (value: number) => ({value, remark: undefined});
  if (phi < 0) return plain(-Infinity);
  if (phi > 1) return plain(Infinity);
  if (h.count === 0 || Number.isNaN(phi)) return plain(Number.NaN);
  const ascending = Number.isNaN(h.sum) || phi < 0.5;
  const rank = (ascending ? phi : 1 - phi) * h.count;
  const buckets = ascendingBuckets(h);
  if (!ascending) buckets.reverse();
  let count = 0;
  let bucket: Bucket = {lower: 0, upper: 0, lowerInclusive: false, upperInclusive: false, count: 0};
  for (const b of buckets) {
    if (b.count === 0) continue;
    bucket = b;
    count += b.count;
    if (count >= rank) break;
  }
  let {lower, upper} = bucket;
  if (!isCustom(h) && lower < 0 && upper > 0) {
    if (h.nv.length === 0 && h.pv.length > 0) lower = 0;
    else if (h.pv.length === 0 && h.nv.length > 0) upper = 0;
  } else if (isCustom(h)) {
    if (lower === -Infinity) {
      if (upper <= 0) return plain(upper);
      lower = 0;
    } else if (upper === Infinity) return plain(lower);
  }
  if (count > h.count) count = h.count;
  if (count < rank) {
    if (Number.isNaN(h.sum)) return {value: Number.NaN, remark: "quantile is NaN"};
    return plain(upper);
  }
  let remark: NaNRemark;
  if (Number.isNaN(h.sum)) {
    const total = buckets.reduce((n, b) => n + b.count, 0);
    if (total < h.count) remark = "quantile is skewed";
  }
  const part = ascending ? (rank - (count - bucket.count)) / bucket.count : (count - rank) / bucket.count;
  if (isCustom(h) || (lower <= 0 && upper >= 0)) return {value: lower + (upper - lower) * part, remark};
  const low = Math.log2(Math.abs(lower));
  const high = Math.log2(Math.abs(upper));
  if (lower > 0) return {value: 2 ** (low + (high - low) * part), remark};
  return {value: -(2 ** (high + (low - high) * (1 - part))), remark};
}

/** The share of observations between two bounds. */
export function histogramFraction(lower: number, upper: number, h: FloatHistogram): {value: number; remark: NaNRemark} {
  if (h.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return {value: Number.NaN, remark: undefined};
  if (lower >= upper) return {value: 0, remark: undefined};
  const buckets = ascendingBuckets(h);
  let total = h.count;
  let remark: NaNRemark;
  if (Number.isNaN(h.sum)) {
    total = buckets.reduce((n, b) => n + b.count, 0);
    if (total < h.count) remark = "fraction excludes NaN";
  }
  const below = (bound: number) => Math.min(rankOf(h, buckets, bound, total), total);
  return {value: (below(upper) - below(lower)) / h.count, remark};
}

/** How many observations lie below a bound. */
function rankOf(h: FloatHistogram, buckets: readonly Bucket[], bound: number, total: number): number {
  let rank = 0;
  for (const b of buckets) {
    let {lower, upper} = b;
    // Compat: this also moves the lower bound of a custom bucket that spans 0, the first one included.
    const zero = lower <= 0 && upper >= 0;
    if (zero && h.nv.length === 0 && h.pv.length > 0) lower = 0;
    else if (zero && h.pv.length === 0 && h.nv.length > 0) upper = 0;
    if (bound <= lower) return rank;
    if (bound < upper) {
      if (lower === -Infinity) return b.count;
      return rank + b.count * partBelow(isCustom(h) || zero, lower, upper, bound);
    }
    rank += b.count;
  }
  return total;
}

function partBelow(linear: boolean, lower: number, upper: number, bound: number): number {
  if (linear) return upper === Infinity ? 0 : (bound - lower) / (upper - lower);
  const low = Math.log2(Math.abs(lower));
  const high = Math.log2(Math.abs(upper));
  const at = Math.log2(Math.abs(bound));
  return lower > 0 ? (at - low) / (high - low) : 1 - (at - high) / (low - high);
}

/** Mean square distance of the buckets' representatives from the mean. */
export function histogramVariance(h: FloatHistogram): number {
  const mean = h.sum / h.count;
  let variance = 0;
  let c = 0;
  for (const b of ascendingBuckets(h)) {
    if (b.count === 0) continue;
    let mid: number;
    if (isCustom(h)) mid = (b.upper + b.lower) / 2;
    else if (b.lower <= 0 && b.upper >= 0) mid = 0;
    else mid = Math.sign(b.upper || b.lower) * Math.sqrt(b.upper * b.lower);
    const x = b.count * (mid - mean) * (mid - mean);
    const t = variance + x;
    if (t === Infinity || t === -Infinity) c = 0;
    else c += Math.abs(variance) >= Math.abs(x) ? variance - t + x : x - t + variance;
    variance = t;
  }
  return (variance + c) / h.count;
}
