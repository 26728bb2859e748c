const FIVE_MINUTES = 300_000;
const HOUR = 3_600_000;

/**
 * How far back a sample may lie (ms) when data of `maxResolution` (ms) may answer: downsampled points are further apart
 * than raw ones. `configured` is `--query.lookback-delta`, undefined for the engine's default (promql.md §16.1).
 */
export function lookbackFor(configured: number | undefined, dynamic: boolean, maxResolution: number): number {
  const own = configured ?? 0;
  if (dynamic && maxResolution > Math.max(FIVE_MINUTES, own)) return Math.max(own, HOUR);
  if (dynamic && maxResolution > own) return Math.max(own, FIVE_MINUTES);
  return own === 0 ? FIVE_MINUTES : own;
}
