import assert from "node:assert/strict";
import {mkdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {errorCode} from "@strata/base";
import {freePort, tempDir} from "@strata/base/testing";
import {encodeXorChunks} from "@strata/chunkenc";
import {Labels, matcher, newUlid} from "@strata/model";
import {connectStore, selectAll} from "@strata/storeapi/testing";
import {BlockWriter, EMPTY_THANOS_META} from "@strata/tsdb";
import {strata} from "./strata.ts";

const BLOCK_MS = 7_200_000;
const BLOCKS = 6;
const SERIES = 6000;
const CALLS = 10;
const STEP_MS = 60_000;
const BUDGET_MIB = 64;

/** The bound is the issue's own: what a gateway may take above its idle size, in budgets. */
const MOST_BUDGETS = 1.2;

/** Two hours at a minute of values that hardly compress: one chunk of some 900 bytes a series. */
async function writeBlock(dir: string, number: number): Promise<void> {
  const start = number * BLOCK_MS;
  const writer = await BlockWriter.create(dir, {ulid: newUlid(start + BLOCK_MS)});
  const n = BLOCK_MS / STEP_MS;
  const t = Float64Array.from({length: n}, (_, i) => start + i * STEP_MS);
  const v = Float64Array.from({length: n}, (_, i) => Math.sin(i * 12_345.678) * 1e6);
  const chunks = encodeXorChunks({t, v, n}, 0, n, 120);
  for (let s = 0; s < SERIES; s++) {
    writer.startSeries(Labels.fromObject({__name__: "wide", instance: `host-${String(s).padStart(6, "0")}`, job: "j"}));
    for (const c of chunks) await writer.addChunk(c.mint, c.maxt, c.encoding, c.data);
    await writer.endSeries();
  }
  const thanos = {...EMPTY_THANOS_META, labels: {cluster: "a"}, source: "test", segmentFiles: ["000001"]};
  await writer.finish({minTime: start, maxTime: start + BLOCK_MS, thanos});
}

/** MB. */
function resident(pid: number, field: "VmHWM" | "VmRSS"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
}

const skip = process.platform === "linux" ? false : "optional: reads /proc";

test("ten wide calls at once keep a gateway within its idle size and 1.2 times its budget", {skip}, async (t) => {
  const dir = tempDir(t);
  const bucket = join(dir, "bucket");
  mkdirSync(bucket);
  for (let b = 0; b < BLOCKS; b++) await writeBlock(bucket, b);
  const address = `127.0.0.1:${await freePort()}`;
  const server = await strata(t, "store", [
    `--objstore.config={type: FILESYSTEM, config: {directory: ${JSON.stringify(bucket)}}}`,
    `--data-dir=${join(dir, "data")}`,
    `--grpc-address=${address}`,
    "--grpc-grace-period=1s",
    `--store.memory-budget=${BUDGET_MIB}MiB`,
  ]);
  const idle = resident(server.pid, "VmRSS");
  const store = connectStore(t, address);
  let sent = 0;
  const outcomes = await Promise.all(
    Array.from({length: CALLS}, async () => {
      const all = selectAll({matchers: [matcher("__name__", "=~", ".+")], mint: 0, maxt: BLOCKS * BLOCK_MS});
      let [series, chunks] = [0, 0];
      try {
        for await (const batch of store.select({...all, partialResponse: false}, new AbortController().signal)) {
          series += batch.labels.length;
          chunks += batch.mint.length;
          sent += batch.bytes.length;
        }
        return `${series} series, ${chunks} chunks`;
      } catch (err) {
        return errorCode(err);
      }
    }),
  );
  const whole = `${SERIES} series, ${SERIES * BLOCKS} chunks`;
  for (const outcome of outcomes) assert.ok(outcome === whole || outcome === "limit", outcome);
  assert.ok(outcomes.includes(whole));
  assert.ok(sent > 4 * BUDGET_MIB * 1024 * 1024, `${sent} bytes are too few to tell`);
  const grown = (resident(server.pid, "VmHWM") - idle) / BUDGET_MIB;
  assert.ok(grown <= MOST_BUDGETS, `grew by ${grown.toFixed(2)} budgets above ${idle.toFixed(0)} MB`);
});
