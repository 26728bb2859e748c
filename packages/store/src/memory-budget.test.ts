import assert from "node:assert/strict";
import {test} from "node:test";
import {ByteBudget, errorCode} from "@strata/base";
import {tempDir} from "@strata/base/testing";
import {matcher, newUlid} from "@strata/model";
import {FilesystemBucket} from "@strata/objstore";
import type {BucketStore} from "./bucket-store.ts";
import {memoryPlan} from "./memory-plan.ts";
import {LOCAL_TUNING, REMOTE_TUNING} from "./read-context.ts";
import {writeBlock} from "./testing/make-blocks.ts";
import {openStore} from "./testing/open-store.ts";

const never = new AbortController().signal;
const SERIES = 400;

async function blocks(t: Parameters<typeof tempDir>[0]): Promise<FilesystemBucket> {
  const dir = tempDir(t);
  const series = Array.from({length: SERIES}, (_, i) => ({
    labels: {__name__: "up", instance: String(i)},
    times: Array.from({length: 60}, (_, k) => k),
  }));
  for (const n of [1, 2, 3]) {
    const ulid = newUlid(1_700_000_000_000 + n, new Uint8Array(10));
    await writeBlock(dir, {ulid, minTime: 0, maxTime: 100, external: {replica: String(n)}, series});
  }
  return new FilesystemBucket(dir);
}

/** How many series a wide call gives. */
async function wide(store: BucketStore): Promise<number> {
  let count = 0;
  const q = {
    matchers: [matcher("__name__", "=~", ".+")],
    mint: 0,
    maxt: 100,
    step: 0,
    range: 0,
    func: "",
    maxResolution: 0,
    aggregates: [0 as const],
    withoutReplicaLabels: [],
    skipChunks: false,
    limit: 0,
    partialResponse: true,
    budget: new ByteBudget("call", 0, store.budget),
  };
  for await (const batch of store.select(q, never)) count += batch.labels.length;
  return count;
}

test("wide calls at once stay within the budget, answered or ended by it, and give all back", async (t) => {
  const bucket = await blocks(t);
  for (const memoryBudget of [2000, 20_000, 200_000, 2_000_000]) {
    const {store} = await openStore(t, bucket, {memoryBudget});
    const outcomes = await Promise.allSettled(Array.from({length: 10}, () => wide(store)));
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") assert.equal(outcome.value, 3 * SERIES, `${memoryBudget}`);
      else assert.equal(errorCode(outcome.reason), "limit", `${memoryBudget}: ${outcome.reason}`);
    }
    assert.equal(store.budget.used, 0, `${memoryBudget}`);
    assert.ok(store.budget.peak > 0 && store.budget.peak <= memoryBudget);
    const answered = outcomes.filter(({status}) => status === "fulfilled").length;
    if (memoryBudget === 2000) assert.equal(answered, 0);
    if (memoryBudget === 2_000_000) assert.equal(answered, 10);
  }
});

test("a small budget lets fewer calls run at once and reads less ahead; none changes nothing", () => {
  assert.deepEqual(memoryPlan(0, 20, REMOTE_TUNING), {concurrency: 20, tuning: REMOTE_TUNING});
  assert.deepEqual(memoryPlan(2 * 1024 ** 3, 20, LOCAL_TUNING).concurrency, 20);
  const small = memoryPlan(64 << 20, 20, REMOTE_TUNING);
  assert.ok(small.concurrency >= 1 && small.concurrency < 20);
  assert.ok(small.tuning.unitBytes * small.concurrency < 64 << 20);
  assert.equal(memoryPlan(1, 0, LOCAL_TUNING).concurrency, 1);
});
