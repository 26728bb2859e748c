import {RESOLUTION} from "@strata/compact";
import {type DemoBlock, writeDemoBlocks} from "./demo-block.ts";
import {type DemoHistory, recentDemoTimes} from "./demo-history.ts";
import {DEMO_YEAR_MS, type DemoSeries} from "./demo-series.ts";

const DAY_MS = 24 * 3_600_000;
/** Ranges at which a compactor merges, the last one first: what is cut there is left as it is, if it is whole. */
const TWO_WEEKS = {ms: 14 * DAY_MS, level: 4} as const;
const TWO_DAYS = {ms: 2 * DAY_MS, level: 3} as const;
const EIGHT_HOURS = {ms: DAY_MS / 3, level: 2} as const;
/** Distance of raw samples that are still there: as far apart as a query looks back. */
const RAW_STEP_MS = 300_000;
/** Distance of those of which only hours are left: two make a lowest and a highest. */
const GONE_STEP_MS = 1_800_000;

/**
 * Writes what a bucket would hold of the year before the newest two days, below `dir`: hours where raw samples and five
 * minutes are gone by their retention, raw samples (few of them) and five minutes for the last days. Blocks end where those
 * of a compactor would, and downsampled ones name the sources of raw ones, so that a compactor has nothing to do with them.
 */
export async function writeDemoYear(dir: string, now: number, series: readonly DemoSeries[]): Promise<DemoHistory> {
  const {minTime: until, maxTime: end} = recentDemoTimes(now);
  const minTime = floor(end - DEMO_YEAR_MS, TWO_WEEKS);
  let [blocks, samples] = [0, 0];
  const write = async (piece: Omit<DemoBlock, "end">, ...resolutions: number[]): Promise<void> => {
    const metas = await writeDemoBlocks(dir, series, {...piece, end}, resolutions);
    blocks += metas.length;
    for (const meta of metas) samples += meta.stats.numSamples;
  };
  const weeks = floor(until, TWO_WEEKS);
  for (const piece of pieces(minTime, weeks, TWO_WEEKS)) {
    await write({...piece, step: GONE_STEP_MS}, RESOLUTION.oneHour);
  }
  const days = floor(until, TWO_DAYS);
  for (const piece of pieces(weeks, days, TWO_DAYS)) {
    await write({...piece, step: RAW_STEP_MS}, RESOLUTION.raw, RESOLUTION.fiveMinutes);
  }
  // Two days that are not over yet are not downsampled.
  for (const piece of pieces(days, until, EIGHT_HOURS)) await write({...piece, step: RAW_STEP_MS}, RESOLUTION.raw);
  return {blocks, series: series.length, samples, minTime, maxTime: until};
}

type Range = {readonly ms: number; readonly level: number};

const floor = (t: number, {ms}: Range): number => Math.floor(t / ms) * ms;

function pieces(from: number, to: number, {ms, level}: Range): {from: number; to: number; level: number}[] {
  return Array.from({length: Math.ceil((to - from) / ms)}, (_, i) => {
    return {from: from + i * ms, to: Math.min(from + (i + 1) * ms, to), level};
  });
}
