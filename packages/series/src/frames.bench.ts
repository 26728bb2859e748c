// Frames written and read: 1,430 series × 48 chunks of 180 bytes (a day at 15 s), as a range query moves them.
import {Labels} from "@strata/model";
import {SeriesFrameParser} from "./frame-parser.ts";
import {SeriesFrameWriter} from "./frame-writer.ts";
import {mergeBatches} from "./merge.ts";
import {type SeriesBatch, SeriesBatchBuilder} from "./series-batch.ts";
import {streamOf} from "./testing/index.ts";

const SERIES = 1430;
const CHUNKS = 48;
const data = Buffer.alloc(180, 7);

function batches(replica?: string): SeriesBatch[] {
  const out: SeriesBatch[] = [];
  const b = new SeriesBatchBuilder();
  for (let s = 0; s < SERIES; s++) {
    const labels: Record<string, string> = {
      __name__: "http_requests_total",
      cluster: "eu-west-1",
      instance: `10.0.${10 + (s >> 6)}.${1000 + (s & 63)}:9100`,
      job: "api-server",
      namespace: "production",
      pod: `api-server-${1000 + s}-abcde`,
    };
    if (replica !== undefined) labels.replica = replica;
    b.startSeries(Labels.fromObject(labels));
    for (let c = 0; c < CHUNKS; c++) b.addChunk(c * 1.8e6 + 1.7e12, c * 1.8e6 + 1.7e12 + 1.7e6, 1, 0, 0, data, 0, 180);
    if (b.series === 256) out.push(b.finish());
  }
  out.push(b.finish());
  return out;
}

const input = batches();
const other = batches("b");
const bytes = SERIES * CHUNKS * data.length;

async function time(name: string, fn: () => number | Promise<number>): Promise<void> {
  const took: number[] = [];
  let units = 0;
  for (let i = 0; i < 30; i++) {
    const from = process.hrtime.bigint();
    units = await fn();
    took.push(Number(process.hrtime.bigint() - from) / 1e6);
  }
  took.sort((a, b) => a - b);
  const ms = took[15]!;
  console.log(`${name.padEnd(34)} ${ms.toFixed(2)} ms  ${((bytes / ms) * 1e-3).toFixed(0)} MB/s  ${units} units`);
}

const write = (size: number, hashes: boolean): Buffer[] => {
  const w = new SeriesFrameWriter({batchSeries: size, hashes});
  return input.flatMap((b) => [...w.frames(b)]);
};
const parse = (frames: readonly Buffer[]): number => {
  const p = new SeriesFrameParser("bench");
  let series = 0;
  for (const f of frames) for (const b of p.push(f)) series += b.labels.length;
  return series + (p.finish()?.labels.length ?? 0);
};
const large = write(256, false);
const small = write(1, false);
if (parse(large) !== SERIES || parse(small) !== SERIES) throw new Error("series lost");

await time("write, batches of 256", () => write(256, false).length);
await time("write, batches of 256, hashes", () => write(256, true).length);
await time("write, one series a frame", () => write(1, false).length);
await time("parse, batches of 256", () => parse(large));
await time("parse, one series a frame", () => parse(small));
await time("merge, two disjoint inputs", async () => {
  let series = 0;
  for await (const b of mergeBatches([streamOf(input), streamOf(other)])) series += b.labels.length;
  return series;
});
await time("merge, two equal inputs", async () => {
  let series = 0;
  for await (const b of mergeBatches([streamOf(input), streamOf(input)])) series += b.labels.length;
  return series;
});
