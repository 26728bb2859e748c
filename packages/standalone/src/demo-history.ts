import {writeDemoBlocks} from "./demo-block.ts";
import {DEMO_SPAN_MS, DEMO_STEP_MS, type DemoSeries, demoSeries} from "./demo-series.ts";

const BLOCK_MS = 2 * 3_600_000;

/** What was written: how much, and which time it covers, ms, [minTime, maxTime). */
export type DemoHistory = {
  readonly blocks: number;
  readonly series: number;
  readonly samples: number;
  readonly minTime: number;
  readonly maxTime: number;
};

/** The time that the newest two days of the demo history cover when it is written at `now`, ms, [minTime, maxTime). */
export function recentDemoTimes(now: number): {readonly minTime: number; readonly maxTime: number} {
  const maxTime = Math.floor(now / DEMO_STEP_MS) * DEMO_STEP_MS;
  return {minTime: Math.floor((maxTime - DEMO_SPAN_MS) / BLOCK_MS) * BLOCK_MS, maxTime};
}

/**
 * Writes the newest two days of the demo history below `dir` as the 2 h blocks that a Prometheus would have left there; the
 * newest ends at `now` (ms), wherever in its two hours that is. Equal for equal `now`.
 */
export async function writeDemoHistory(
  dir: string,
  now: number,
  series: readonly DemoSeries[] = demoSeries(),
): Promise<DemoHistory> {
  const {minTime, maxTime} = recentDemoTimes(now);
  let samples = 0;
  let blocks = 0;
  for (let from = minTime; from < maxTime; from += BLOCK_MS) {
    const to = Math.min(from + BLOCK_MS, maxTime);
    const metas = await writeDemoBlocks(dir, series, {from, to, step: DEMO_STEP_MS, level: 1, end: maxTime}, [0]);
    for (const meta of metas) samples += meta.stats.numSamples;
    blocks += metas.length;
  }
  return {blocks, series: series.length, samples, minTime, maxTime};
}
