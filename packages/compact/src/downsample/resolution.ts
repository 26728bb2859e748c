/** ms between the samples of each resolution; raw samples have none. */
export const RESOLUTION = {raw: 0, fiveMinutes: 300_000, oneHour: 3_600_000} as const;

/** ms that a block must span before it is downsampled from the resolution. */
export const DOWNSAMPLE_RANGE = {raw: 40 * 3_600_000, fiveMinutes: 10 * 24 * 3_600_000} as const;

/** Distance of raw samples that the number of output chunks is reckoned with, whatever it really is. */
const RAW_STEP_MS = 60_000;
/** Windows that an output chunk should have on average at the most. */
const CHUNK_WINDOWS = 140;

/**
 * Into how many chunks a series of `count` samples in [mint, maxt] (ms) goes when it is downsampled from one resolution to
 * another: as many as keep them below 140 windows, judging by how densely the time is filled.
 */
export function targetChunks(mint: number, maxt: number, from: number, to: number, count: number): number {
  const step = from === RESOLUTION.raw ? RAW_STEP_MS : from;
  const windows = Math.trunc((maxt - mint) / to);
  const fullness = Math.min(1, count / ((maxt - mint) / step));
  // A single time has no span, and is as full as can be.
  const expected = Math.trunc(windows * (Number.isNaN(fullness) ? 1 : fullness)) + 1;
  let chunks = 1;
  while (Math.trunc(expected / chunks) > CHUNK_WINDOWS) chunks++;
  return chunks;
}
