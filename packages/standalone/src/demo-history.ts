import {encodeXorChunks, newFloatColumns} from "@strata/chunkenc";
import {compareLabels, newUlid} from "@strata/model";
import {BlockWriter} from "@strata/tsdb";
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

/**
 * Writes the demo history below `dir` as the 2 h blocks that a Prometheus would have left there; the newest ends at `now`
 * (ms), wherever in its two hours that is. Equal for equal `now`.
 */
export async function writeDemoHistory(dir: string, now: number): Promise<DemoHistory> {
  const series = demoSeries().sort((a, b) => compareLabels(a.labels, b.labels));
  const maxTime = Math.floor(now / DEMO_STEP_MS) * DEMO_STEP_MS;
  const minTime = Math.floor((maxTime - DEMO_SPAN_MS) / BLOCK_MS) * BLOCK_MS;
  let samples = 0;
  let blocks = 0;
  for (let from = minTime; from < maxTime; from += BLOCK_MS) {
    const to = Math.min(from + BLOCK_MS, maxTime);
    samples += await writeBlock(dir, series, from, to);
    blocks++;
  }
  return {blocks, series: series.length, samples, minTime, maxTime};
}

/** One block of [from, to), ms; gives the number of its samples. */
async function writeBlock(dir: string, series: readonly DemoSeries[], from: number, to: number): Promise<number> {
  const perSeries = (to - from) / DEMO_STEP_MS;
  const columns = newFloatColumns(perSeries);
  columns.n = perSeries;
  const writer = await BlockWriter.create(dir, {ulid: newUlid(to)});
  try {
    for (const [index, one] of series.entries()) {
      // Targets are not scraped all at once.
      const first = from + ((index * 37) % DEMO_STEP_MS);
      for (let i = 0; i < perSeries; i++) columns.t[i] = first + i * DEMO_STEP_MS;
      one.fill(first, columns.v.subarray(0, perSeries));
      writer.startSeries(one.labels);
      for (const c of encodeXorChunks(columns)) await writer.addChunk(c.mint, c.maxt, c.encoding, c.data);
      await writer.endSeries();
    }
    await writer.finish({minTime: from, maxTime: to});
    return series.length * perSeries;
  } finally {
    await writer.abort();
  }
}
