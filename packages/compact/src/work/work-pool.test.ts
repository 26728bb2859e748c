import assert from "node:assert/strict";
import {test} from "node:test";
import type {Worker} from "node:worker_threads";
import {WorkPool} from "./work-pool.ts";

const never = new AbortController().signal;

test("threads end when they are to rest, and the next job gets a new one", async (t) => {
  const alive = new Set<Worker>();
  const onWorker = (worker: Worker): void => {
    alive.add(worker);
    worker.once("exit", () => alive.delete(worker));
  };
  process.on("worker", onWorker);
  t.after(() => process.off("worker", onWorker));
  const pool = new WorkPool();
  t.after(() => pool.close());
  pool.warmUp();
  for (const _ of [1, 2]) {
    assert.deepEqual(await pool.run({kind: "verify", inputs: []}, never), {kind: "unsound", findings: []});
    assert.equal(alive.size, 1);
    await pool.rest();
    assert.equal(alive.size, 0);
  }
  // One at work is left alone.
  const running = pool.run({kind: "verify", inputs: []}, never);
  await pool.rest();
  assert.equal((await running).kind, "unsound");
});
