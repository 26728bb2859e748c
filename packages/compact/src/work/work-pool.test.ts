import assert from "node:assert/strict";
import {test} from "node:test";
import type {Worker} from "node:worker_threads";
import {startSpareThread} from "./spare-thread.ts";
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

test("a pool begins with the thread that was started ahead of it, and ends it", async (t) => {
  let started = 0;
  const onWorker = (): void => {
    started++;
  };
  process.on("worker", onWorker);
  t.after(() => process.off("worker", onWorker));
  startSpareThread();
  const ahead = started;
  const pool = new WorkPool(true);
  pool.warmUp();
  const job = {kind: "verify", inputs: []} as const;
  const results = await Promise.all([pool.run(job, never), pool.run(job, never)]);
  assert.deepEqual(
    results.map(({kind}) => kind),
    ["unsound", "unsound"],
  );
  assert.equal(started, 1, "one inline, one beside it");
  assert.ok(ahead <= started);
  await pool.close();
});
