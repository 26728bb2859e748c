import {execFileSync} from "node:child_process";
import {mkdtempSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {ByteBudget} from "@strata/base";
import {encodeFloatChunks} from "@strata/chunkenc";
import {Labels, matcher} from "@strata/model";
import {BlockReader} from "./block-reader.ts";
import {compactBlocks} from "./compact/compact-blocks.ts";
import {BlockWriter} from "./writer/block-writer.ts";

// Merge of 4 blocks × 10,000 series × 2 h at 15 s (4.8 M samples a block), and selects over the result. Prints medians
// of five runs and the peak of resident memory above that before the runs. Merges of 2 h and of 8 h each run in a process
// of their own, whose peaks should not differ: memory follows series and labels, not samples.

const SERIES = 10_000;
const SAMPLES = 480;
const STEP = 15_000;
/** With block directories as arguments this process only merges those and prints the peak of its resident memory, KiB. */
const given = process.argv.slice(2);
const dir = mkdtempSync(join(tmpdir(), "strata-bench-"));

async function writeBlock(start: number, samples: number = SAMPLES): Promise<string> {
  const writer = await BlockWriter.create(dir);
  const t = new Float64Array(samples);
  const v = new Float64Array(samples);
  for (let s = 0; s < SERIES; s++) {
    const pad = String(s).padStart(5, "0");
    writer.startSeries(
      Labels.fromObject({
        __name__: `metric_${pad.slice(0, 2)}`,
        cluster: "eu1",
        instance: `10.0.${pad.slice(2, 3)}.${pad.slice(3)}:9100`,
        job: `job${s % 20}`,
        pod: `pod-${pad}`,
      }),
    );
    for (let i = 0; i < samples; i++) {
      t[i] = start + i * STEP + ((s * 7 + i * 3) % 11);
      v[i] = s + i * (1 + (s % 5)) + (s % 3 === 0 ? Math.sin(i) : 0);
    }
    for (const c of encodeFloatChunks({t, v, n: samples})) {
      const wait = writer.addChunk(c.mint, c.maxt, c.encoding, c.data);
      if (wait !== undefined) await wait;
    }
    const wait = writer.endSeries();
    if (wait !== undefined) await wait;
  }
  await writer.finish({minTime: start, maxTime: start + samples * STEP});
  return writer.dir;
}

async function median(name: string, work: () => Promise<string>): Promise<void> {
  const times: number[] = [];
  let note = "";
  const before = process.memoryUsage().rss;
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 5);
  let cpu = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    const used = process.cpuUsage();
    note = await work();
    const {user, system} = process.cpuUsage(used);
    cpu = Math.min(cpu, (user + system) / 1000);
    times.push(performance.now() - start);
    peak = Math.max(peak, process.memoryUsage().rss);
  }
  clearInterval(timer);
  times.sort((a, b) => a - b);
  const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  console.log(
    `${name}: median ${times[2]?.toFixed(0)} ms (${times[0]?.toFixed(0)}–${times[4]?.toFixed(0)}), least CPU ${cpu.toFixed(0)} ms, +${mb(peak - before)} to ${mb(peak)} resident; ${note}`,
  );
}

async function mergeGiven(): Promise<void> {
  const blocks = await Promise.all(given.map((d) => BlockReader.open(d)));
  const start = performance.now();
  await compactBlocks(blocks, dir);
  console.log(`${process.resourceUsage().maxRSS} ${performance.now() - start}`);
  await Promise.all(blocks.map((b) => b.close()));
}

/** Merges the blocks in a process of its own; the peak of its resident memory in bytes. */
function mergeApart(name: string, dirs: readonly string[]): number {
  const [peak, ms] = execFileSync(process.execPath, [import.meta.filename, ...dirs], {encoding: "utf8"}).split(" ");
  console.log(
    `merge 4 blocks of ${name} apart: peak ${Math.round(Number(peak) / 976.6)} MB, ${Number(ms).toFixed(0)} ms`,
  );
  return Number(peak) * 1024;
}

async function benchLengths(short: readonly string[]): Promise<void> {
  const long: string[] = [];
  for (let b = 0; b < 4; b++) long.push(await writeBlock(b * SAMPLES * 4 * STEP, SAMPLES * 4));
  const two = mergeApart("2 h", short);
  const eight = mergeApart("8 h", long);
  console.log(`four times the samples take ${(eight / two).toFixed(2)} times the memory`);
}

async function bench(): Promise<void> {
  const dirs: string[] = [];
  const start = performance.now();
  for (let b = 0; b < 4; b++) dirs.push(await writeBlock(b * SAMPLES * STEP));
  console.log(`write 4 blocks of ${SERIES} series: ${(performance.now() - start).toFixed(0)} ms`);
  const blocks = await Promise.all(dirs.map((d) => BlockReader.open(d)));
  let merged = "";
  await median("merge 4 blocks", async () => {
    const meta = await compactBlocks(blocks, dir);
    merged = join(dir, meta?.ulid ?? "");
    return `${meta?.stats.numSeries} series, ${meta?.stats.numChunks} chunks`;
  });
  await median("open a block", async () => {
    const block = await BlockReader.open(merged);
    await block.close();
    return "";
  });
  const block = await BlockReader.open(merged);
  const selects = {
    "select 1,000 series by name": [matcher("__name__", "=", "metric_04")],
    "select 500 series by job": [matcher("job", "=", "job7")],
    "select all": [matcher("__name__", "=~", ".+")],
    "select by a regular expression over 10,000 pods": [matcher("pod", "=~", "pod-.*7[0-9]")],
  };
  for (const [name, matchers] of Object.entries(selects)) {
    await median(name, async () => {
      let series = 0;
      let bytes = 0;
      const q = {
        matchers,
        mint: 0,
        maxt: 1e15,
        step: 0,
        range: 0,
        func: "",
        maxResolution: 0,
        aggregates: [],
        withoutReplicaLabels: [],
        skipChunks: false,
        limit: 0,
        partialResponse: false,
        budget: new ByteBudget("bench", 0),
      };
      for await (const batch of block.select(q, new AbortController().signal)) {
        series += batch.labels.length;
        bytes += batch.bytes.length;
      }
      return `${series} series, ${(bytes / 1e6).toFixed(1)} MB`;
    });
  }
  await block.close();
  await Promise.all(blocks.map((b) => b.close()));
  await benchLengths(dirs);
}

try {
  await (given.length > 0 ? mergeGiven() : bench());
} finally {
  rmSync(dir, {recursive: true, force: true});
}
