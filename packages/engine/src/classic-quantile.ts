/** Classic buckets of one series at one step: cumulative counts by upper bound. */
export type ClassicBucket = {le: number; count: number};

/** What had to be mended for the counts not to fall. */
export type Mended = {readonly min: number; readonly max: number; readonly diff: number};

/**
 * Sorted and equal bounds merged; for quantiles (`monotonic`) counts that fall are mended. undefined without a +Inf
 * bucket. The list is changed.
 */
export function prepareBuckets(
  buckets: ClassicBucket[],
  monotonic: boolean,
): {buckets: ClassicBucket[]; mended: Mended | undefined} | undefined {
  buckets.sort((a, b) => a.le - b.le);
  if (buckets.length === 0 || buckets[buckets.length - 1]!.le !== Infinity) return undefined;
  const merged: ClassicBucket[] = [];
  for (const b of buckets) {
    const last = merged[merged.length - 1];
    if (last !== undefined && last.le === b.le) last.count += b.count;
    else merged.push({le: b.le, count: b.count});
  }
  return {buckets: merged, mended: monotonic ? mend(merged) : undefined};
}

/** Relative difference below which counts are taken for equal. */
const TOLERANCE = 1e-12;
const SMALLEST_NORMAL = 2.2250738585072014e-308;

function almostEqual(a: number, b: number): boolean {
  if (a === b) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const diff = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return diff < TOLERANCE * SMALLEST_NORMAL;
  return diff / Math.min(sum, Number.MAX_VALUE) < TOLERANCE;
}

function mend(buckets: ClassicBucket[]): Mended | undefined {
  let previous = buckets[0]!.count;
  let mended: {min: number; max: number; diff: number} | undefined;
  for (let i = 1; i < buckets.length; i++) {
    const b = buckets[i]!;
    if (b.count === previous) continue;
    if (almostEqual(previous, b.count)) b.count = previous;
    else if (b.count < previous) {
      mended ??= {min: b.le, max: b.le, diff: 0};
      mended.min = Math.min(mended.min, b.le);
      mended.max = Math.max(mended.max, b.le);
      mended.diff = Math.max(mended.diff, previous - b.count);
      b.count = previous;
    } else previous = b.count;
  }
  return mended;
}

/** The φ-quantile of prepared buckets. */
export function bucketQuantile(phi: number, buckets: readonly ClassicBucket[]): number {
  if (Number.isNaN(phi)) return Number.NaN;
  if (phi < 0) return -Infinity;
  if (phi > 1) return Infinity;
  const n = buckets.length;
  if (n < 2) return Number.NaN;
  const total = buckets[n - 1]!.count;
  if (total === 0) return Number.NaN;
  let rank = phi * total;
  let b = 0;
  while (b < n - 1 && !(buckets[b]!.count >= rank)) b++;
  if (b === n - 1) return buckets[n - 2]!.le;
  const end = buckets[b]!.le;
  if (b === 0 && end <= 0) return end;
  let start = 0;
  let {count} = buckets[b]!;
  if (b > 0) {
    start = buckets[b - 1]!.le;
    count -= buckets[b - 1]!.count;
    rank -= buckets[b - 1]!.count;
  }
  return start + (end - start) * (rank / count);
}

/** The share of observations between two bounds, of prepared buckets. */
export function bucketFraction(lower: number, upper: number, buckets: readonly ClassicBucket[]): number {
  const n = buckets.length;
  const total = buckets[n - 1]!.count;
  if (total === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  const below = (bound: number): number => Math.min(rankOf(bound), total);
  const rankOf = (bound: number): number => {
    let rank = 0;
    for (let i = 0; i < n; i++) {
      const end = buckets[i]!.le;
      const begin = i === 0 ? (end <= 0 ? -Infinity : 0) : buckets[i - 1]!.le;
      if (bound <= begin) return rank;
      if (bound < end) {
        // Nothing is known of how the first of negative buckets is filled: all of it counts as below.
        if (begin === -Infinity) return buckets[i]!.count;
        return rank + ((buckets[i]!.count - rank) * (bound - begin)) / (end - begin);
      }
      rank = buckets[i]!.count;
    }
    return total;
  };
  return (below(upper) - below(lower)) / total;
}
