// npm run bench -- store-memory [--series=10000] [--hours=12] [--budget=64MiB] [--calls=10]: many wide Series calls at once
// against a store gateway with a small memory budget: what became of each, and how far the process grew above its idle
// size, in budgets. Where a thanos is on PATH it does the same, without a budget, which it does not have.
import assert from "node:assert/strict";
import {mkdtempSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {errorCode, parseByteSize, unlimited} from "@strata/base";
import {matcher} from "@strata/model";
import type {Select} from "@strata/series";
import {GrpcClient, rpcMetrics, StoreClient} from "@strata/storeapi";
import {newRegistry} from "@strata/telemetry";
import {fleetBucket} from "./support/fleet.ts";
import {record} from "./support/record.ts";
import {cpuSeconds, type Program, programs, residentMb, startStore, withScope} from "./support/systems.ts";
import {flag, ms, printTable, textFlag} from "./support/table.ts";

const CALLS = flag("calls", 10);
const BUDGET = textFlag("budget", "64MiB");
const options = {series: flag("series", 10_000), hours: flag("hours", 12), stepMs: 15_000};
const never = new AbortController().signal;

const WIDE: Omit<Select, "budget"> = {
  matchers: [matcher("__name__", "=~", ".+")],
  mint: 0,
  maxt: 2e12,
  step: 0,
  range: 0,
  func: "",
  maxResolution: 0,
  aggregates: [0],
  withoutReplicaLabels: ["replica"],
  skipChunks: false,
  limit: 0,
  partialResponse: false,
};

type Outcome = {readonly answers: number; readonly limits: number; readonly bytes: number};

/** One call to its end; everything but a whole answer and a limit error is a fault of the bench's subject. */
async function call(client: StoreClient): Promise<{limit: boolean; series: number; bytes: number}> {
  let series = 0;
  let bytes = 0;
  try {
    for await (const batch of client.select({...WIDE, budget: unlimited()}, never)) {
      series += batch.labels.length;
      bytes += batch.bytes.length;
    }
    return {limit: false, series, bytes};
  } catch (err) {
    // Thanos has a pool instead, and says so.
    assert.ok(errorCode(err) === "limit" || String(err).includes("pool exhausted"), String(err));
    return {limit: true, series, bytes};
  }
}

async function measure(program: Program, bucket: string, data: string): Promise<string[]> {
  return withScope(async (scope) => {
    const store = await startStore(scope, program, bucket, data);
    const transport = new GrpcClient({address: store.grpc, metrics: rpcMetrics(newRegistry(), "client")});
    scope.after(() => transport.close());
    const client = new StoreClient(transport);
    await client.info(10_000, never);
    const idle = residentMb(store.pid).now;
    const begun = performance.now();
    const calls = await Promise.all(Array.from({length: CALLS}, () => call(client)));
    const wall = performance.now() - begun;
    const outcome: Outcome = {
      answers: calls.filter(({limit}) => !limit).length,
      limits: calls.filter(({limit}) => limit).length,
      bytes: calls.reduce((sum, {bytes}) => sum + bytes, 0),
    };
    const whole = new Set(calls.filter(({limit}) => !limit).map(({series}) => series));
    assert.ok(whole.size <= 1, `answers differ: ${[...whole].join()} series`);
    const {peak} = residentMb(store.pid);
    const grown = ((peak - idle) * 1e6) / parseByteSize(BUDGET);
    record(`${CALLS} wide calls at once, idle`, "MB", {[program.name]: idle}, {measure: "memory"});
    record(`${CALLS} wide calls at once, peak`, "MB", {[program.name]: peak}, {measure: "memory"});
    if (program.name === "strata") {
      record("growth above idle", "budgets", {strata: grown}, {measure: "memory budget"});
    }
    return [
      program.name,
      String(outcome.answers),
      String(outcome.limits),
      (outcome.bytes / 1e6).toFixed(0),
      ms(wall),
      ms(cpuSeconds(store.pid) * 1000),
      idle.toFixed(0),
      peak.toFixed(0),
      grown.toFixed(2),
    ];
  });
}

await withScope(async (scope) => {
  const bucket = await fleetBucket(scope, options);
  const dir = mkdtempSync(join(tmpdir(), "strata-bench-"));
  scope.after(() => rmSync(dir, {recursive: true}));
  const rows: string[][] = [];
  for (const program of programs()) {
    const own =
      program.name === "strata" ? {...program, flags: [...program.flags, `--store.memory-budget=${BUDGET}`]} : program;
    rows.push(await measure(own, bucket, join(dir, program.name)));
  }
  console.log(`\n${CALLS} calls for everything at once, budget ${BUDGET}`);
  printTable(["store", "answers", "limits", "MB sent", "ms", "CPU ms", "idle MB", "peak MB", "growth / budget"], rows);
});
