/** Samples after which a chunk's end is reckoned so that chunks fill their range evenly: a quarter of 120. */
export const END_TIME_SAMPLES = 30;
/** Never more than so many float samples in a chunk. */
export const MAX_FLOAT_SAMPLES = 240;
/** Sizes that histogram chunks aim at. */
export const HISTOGRAM_TARGET_BYTES = 1024;
export const MIN_HISTOGRAM_SAMPLES = 10;

/** End of the block range that `t` lies in, exclusive; ms. Compat: division truncates, also below 0. */
export const rangeEnd = (t: number, range: number): number => Math.trunc(t / range) * range + range;

/**
 * Where a chunk that so far covers [start, current] should end, so that the rest of the range up to `max` is shared
 * evenly by chunks; `ratio` says how many times over the chunk would still fill.
 */
export function chunkEndTime(start: number, current: number, max: number, ratio: number): number {
  const n = (max - start) / ((current - start + 1) * ratio);
  return n <= 1 ? max : Math.trunc(start + (max - start) / Math.floor(n));
}
