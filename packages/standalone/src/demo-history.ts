import {readdir} from "node:fs/promises";
import {encodeXorChunks, newFloatColumns} from "@strata/chunkenc";
import {compareLabels, newUlid} from "@strata/model";
import {BlockWriter, META_FILE} from "@strata/tsdb";
import {DEMO_SPAN_MS, DEMO_STEP_MS, demoSeries} from "./demo-series.ts";

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
 * Writes the demo history below `dir` as the 2 h blocks that a Prometheus would have left there, the newest ending at the
 * last block boundary before `now` (ms). Equal for equal `now`, ids of blocks apart.
 */
export async function writeDemoHistory(dir: string, now: number): Promise<DemoHistory> {
  const series = demoSeries().sort((a, b) => compareLabels(a.labels, b.labels));
  const maxTime = Math.floor(now / BLOCK_MS) * BLOCK_MS;
  const minTime = maxTime - DEMO_SPAN_MS;
  const perBlock = BLOCK_MS / DEMO_STEP_MS;
  const columns = newFloatColumns(perBlock);
  let samples = 0;
  let blocks = 0;
  for (let from = minTime; from < maxTime; from += BLOCK_MS) {
    const writer = await BlockWriter.create(dir, {ulid: newUlid(from + BLOCK_MS)});
    try {
      for (const [index, one] of series.entries()) {
        // Targets are not scraped all at once.
        const first = from + ((index * 37) % DEMO_STEP_MS);
        columns.n = perBlock;
        for (let i = 0; i < perBlock; i++) columns.t[i] = first + i * DEMO_STEP_MS;
        one.fill(first, columns.v);
        writer.startSeries(one.labels);
        for (const c of encodeXorChunks(columns)) await writer.addChunk(c.mint, c.maxt, c.encoding, c.data);
        await writer.endSeries();
        samples += perBlock;
      }
      await writer.finish({minTime: from, maxTime: from + BLOCK_MS});
      blocks++;
    } finally {
      await writer.abort();
    }
  }
  return {blocks, series: series.length, samples, minTime, maxTime};
}

/** Whether a directory holds no finished block yet; a missing one holds none. */
export async function isEmpty(dir: string): Promise<boolean> {
  const names = await readdir(dir, {recursive: true}).catch((err: NodeJS.ErrnoException) => {
    if (err.code === "ENOENT") return [];
    throw err;
  });
  return !names.some((name) => name.endsWith(META_FILE));
}
