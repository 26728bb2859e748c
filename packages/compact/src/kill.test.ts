import assert from "node:assert/strict";
import {spawn} from "node:child_process";
import {cpSync, rmSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {random, repeat, seed, tempDir} from "@strata/base/testing";
import {FilesystemBucket} from "@strata/objstore";
import {assertFinished, assertNothingLost, fillBucket, finishWork} from "./testing/kill-scenario.ts";
import {HistoryReader} from "./testing/made-history.ts";

const CHILD = join(import.meta.dirname, "testing", "kill-child.ts");
/** Two hundred in a soak; fewer than in proportion otherwise, as each is a process. */
const KILLS = Math.max(6, Math.round(repeat(200) ** 2 / 200));
const never = new AbortController().signal;

/** Runs the child and kills it `afterMs` from its beginning, or lets it end. True when it ended by itself. */
async function runChild(bucketDir: string, dataDir: string, afterMs: number): Promise<boolean> {
  const child = spawn(process.execPath, [CHILD, bucketDir, dataDir], {stdio: ["ignore", "pipe", "inherit"]});
  let said = "";
  let timer: NodeJS.Timeout | undefined;
  child.stdout.on("data", (data: Buffer) => {
    said += data.toString();
    if (said.includes("begin")) timer ??= setTimeout(() => child.kill("SIGKILL"), afterMs);
  });
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.on("exit", (...how) => resolve(how)),
  );
  clearTimeout(timer);
  assert.ok(signal === "SIGKILL" || code === 0, `child ended with ${code ?? signal}`);
  return said.includes("end");
}

test("killed at any moment, nothing is half there or lost, and the next run finishes the work", async (t) => {
  const next = random(seed());
  const root = tempDir(t);
  const [full, bucketDir, dataDir] = ["full", "bucket", "data"].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  await fillBucket(new FilesystemBucket(full), root, never);
  const reset = (): void => {
    rmSync(bucketDir, {recursive: true, force: true});
    cpSync(full, bucketDir, {recursive: true});
  };
  reset();
  const bucket = new FilesystemBucket(bucketDir);
  const reader = new HistoryReader(bucket, join(root, "read"));
  const begun = performance.now();
  await finishWork(bucket, join(root, "first"), never);
  const whole = performance.now() - begun;
  await assertFinished(bucket, reader, never);
  reset();
  for (let kill = 0; kill < KILLS; kill++) {
    const finished = await runChild(bucketDir, dataDir, next() * whole);
    await assertNothingLost(bucket, reader, never);
    // A run after a killed one goes on where that stopped; now and then all begins anew.
    if (!finished && next() < 0.7) continue;
    await finishWork(bucket, dataDir, never);
    await assertFinished(bucket, reader, never);
    reset();
  }
  await finishWork(bucket, dataDir, never);
  await assertFinished(bucket, reader, never);
});
