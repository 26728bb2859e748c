// node --expose-gc packages/store/src/store.bench.ts: the store gateway over a local bucket. Selecting a day of 1,430
// series, and getting ready with 1,000 blocks; each start in a process of its own, because its memory is what counts.
import assert from "node:assert/strict";
import {spawnSync} from "node:child_process";
import {linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {unlimited} from "@strata/base";
import {encodeXorChunks} from "@strata/chunkenc";
import {compareLabels, Labels, matcher, newUlid} from "@strata/model";
import {FilesystemBucket} from "@strata/objstore";
import type {Select} from "@strata/series";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {BlockWriter, EMPTY_THANOS_META, encodeBlockMeta} from "@strata/tsdb";
import {Store} from "./store-component.ts";

const SERIES = 1430;
const BLOCKS = 12;
const BLOCK_MS = 2 * 3_600_000;
const STEP_MS = 15_000;
const SMALL_SERIES = 500;
const SMALL_BLOCKS = 1000;
const ROUNDS = 20;
const START = 1_767_139_200_000;

const [mode, bucketDir, dataDir] = process.argv.slice(2);
if (mode === "start") await start(bucketDir as string, dataDir as string);
else await main();

async function main(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "strata-bench-"));
  try {
    for (let b = 0; b < BLOCKS; b++) await writeBlock(join(dir, "day"), START + b * BLOCK_MS, SERIES, STEP_MS, b);
    await benchSelect(join(dir, "day"), join(dir, "data-day"));
    await manyBlocks(join(dir, "many"));
    mkdirSync(join(dir, "none"));
    for (const [name, bucket] of [
      ["empty bucket", "none"],
      [`${SMALL_BLOCKS} blocks × ${SMALL_SERIES} series, cold`, "many"],
      ["the same, warm", "many"],
    ] as const) {
      const args = ["--expose-gc", import.meta.filename, "start", join(dir, bucket), join(dir, `data-${bucket}`)];
      const {stdout, stderr, status} = spawnSync(process.execPath, args, {encoding: "utf8"});
      assert.equal(status, 0, stderr);
      console.log(`start, ${name}: ${stdout.trim()}`);
    }
  } finally {
    rmSync(dir, {recursive: true});
  }
}

async function benchSelect(bucket: string, data: string): Promise<void> {
  const {store, stop} = await ready(bucket, data);
  const budget = unlimited();
  const q: Select = {
    matchers: [matcher("__name__", "=", "http_requests_total")],
    mint: START,
    maxt: START + BLOCKS * BLOCK_MS,
    step: 60_000,
    range: 300_000,
    func: "rate",
    maxResolution: 0,
    aggregates: [0],
    withoutReplicaLabels: [],
    skipChunks: false,
    limit: 0,
    partialResponse: false,
    budget,
  };
  const wall: number[] = [];
  const cpu: number[] = [];
  let chunks = 0;
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const [wall0, cpu0] = [performance.now(), process.cpuUsage()];
    let series = 0;
    [chunks, bytes] = [0, 0];
    for await (const batch of store.queryable.select(q, new AbortController().signal)) {
      series += batch.labels.length;
      chunks += batch.mint.length;
      bytes += batch.bytes.length;
    }
    const used = process.cpuUsage(cpu0);
    wall.push(performance.now() - wall0);
    cpu.push((used.user + used.system) / 1000);
    assert.equal(series, SERIES);
    assert.equal(chunks, SERIES * BLOCKS * Math.ceil(BLOCK_MS / STEP_MS / 120));
  }
  const best = (values: number[]) => Math.min(...values).toFixed(0);
  console.log(
    `select ${SERIES} series × 24 h (${chunks} chunks, ${(bytes / 1e6).toFixed(1)} MB): first ${wall[0]?.toFixed(0)} ms; ` +
      `then median ${median(wall)} ms, best ${best(wall)} ms; CPU median ${median(cpu)} ms, best ${best(cpu)} ms; ` +
      `held at the most ${(budget.peak / 1e6).toFixed(1)} MB`,
  );
  await stop();
}

function median(values: readonly number[]): string {
  return ([...values].sort((a, b) => a - b)[values.length >> 1] as number).toFixed(0);
}

/** Prints how long it took to be ready and what memory that left. */
async function start(bucket: string, data: string): Promise<void> {
  const [wall0, cpu0] = [performance.now(), process.cpuUsage()];
  const {store, stop} = await ready(bucket, data);
  const used = process.cpuUsage(cpu0);
  const ms = performance.now() - wall0;
  globalThis.gc?.();
  const mb = (b: number) => (b / 1e6).toFixed(0);
  console.log(
    `${store.queryable.blocks().length} blocks in ${ms.toFixed(0)} ms, CPU ${((used.user + used.system) / 1000).toFixed(0)} ms; ` +
      `resident ${mb(process.memoryUsage().rss)} MB, peak ${mb(process.resourceUsage().maxRSS * 1024)} MB`,
  );
  await stop();
}

async function ready(bucketDir: string, dataDir: string): Promise<{store: Store; stop: () => Promise<void>}> {
  const registry = newRegistry();
  const bucket = new FilesystemBucket(bucketDir);
  const store = new Store({bucket, dataDir, logger: nullLogger(), registry});
  const stopping = new AbortController();
  const {promise, resolve} = Promise.withResolvers<void>();
  const running = store.run(stopping.signal, resolve);
  await promise;
  return {
    store,
    async stop() {
      stopping.abort();
      await running;
      await store.close();
      await bucket.close();
    },
  };
}

function seriesLabels(count: number): Labels[] {
  const all = Array.from({length: count}, (_, i) =>
    Labels.fromObject({
      __name__: "http_requests_total",
      code: ["200", "404", "500"][i % 3] as string,
      instance: `10.0.${i >> 8}.${i & 255}:9100`,
      job: `api-${i % 5}`,
      method: i % 2 === 0 ? "GET" : "POST",
      namespace: `ns-${i % 17}`,
      pod: `api-${i % 5}-${((i * 2654435761) >>> 0).toString(16)}`,
    }),
  );
  return all.sort(compareLabels);
}

async function writeBlock(dir: string, minTime: number, count: number, stepMs: number, seed: number) {
  const writer = await BlockWriter.create(dir, {ulid: newUlid(minTime)});
  const samples = BLOCK_MS / stepMs;
  const t = Float64Array.from({length: samples}, (_, i) => minTime + i * stepMs);
  const v = new Float64Array(samples);
  let state = seed + 1;
  for (const labels of seriesLabels(count)) {
    writer.startSeries(labels);
    for (let i = 0, value = 0; i < samples; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      value += state >>> 27;
      v[i] = value;
    }
    for (const chunk of encodeXorChunks({t, v, st: undefined, n: samples})) {
      await writer.addChunk(chunk.mint, chunk.maxt, chunk.encoding, chunk.data);
    }
    await writer.endSeries();
  }
  const thanos = {...EMPTY_THANOS_META, labels: {cluster: "eu-1"}, source: "test", segmentFiles: ["000001"]};
  return writer.finish({minTime, maxTime: minTime + BLOCK_MS, thanos});
}

/** One real block, and hard links to its files under other ids and times: for start-up only the metas count as different. */
async function manyBlocks(dir: string): Promise<void> {
  const meta = await writeBlock(dir, START, SMALL_SERIES, 60_000, 1);
  assert.ok(meta !== undefined);
  for (let b = 1; b < SMALL_BLOCKS; b++) {
    const minTime = START + b * BLOCK_MS;
    const ulid = newUlid(minTime);
    mkdirSync(join(dir, ulid, "chunks"), {recursive: true});
    linkSync(join(dir, meta.ulid, "index"), join(dir, ulid, "index"));
    linkSync(join(dir, meta.ulid, "chunks", "000001"), join(dir, ulid, "chunks", "000001"));
    const own = {
      ...meta,
      ulid,
      minTime,
      maxTime: minTime + BLOCK_MS,
      compaction: {...meta.compaction, sources: [ulid]},
    };
    writeFileSync(join(dir, ulid, "meta.json"), encodeBlockMeta(own));
  }
}
