import assert from "node:assert/strict";
import {test} from "node:test";
import {setImmediate as turn} from "node:timers/promises";
import {forEachLimit} from "./for-each-limit.ts";

test("never more than the limit run at once, and all are run", async () => {
  let running = 0;
  let peak = 0;
  const seen: number[] = [];
  await forEachLimit(
    Array.from({length: 50}, (_, i) => i),
    4,
    async (i) => {
      running++;
      peak = Math.max(peak, running);
      await turn();
      if (i % 3 === 0) await turn();
      seen.push(i);
      running--;
    },
  );
  assert.equal(peak, 4);
  assert.deepEqual(
    seen.sort((a, b) => a - b),
    Array.from({length: 50}, (_, i) => i),
  );
});

test("a failure is thrown after what runs has ended, and nothing new is started", async () => {
  const started: number[] = [];
  const ended: number[] = [];
  const work = async (i: number) => {
    started.push(i);
    await turn();
    if (i === 1) throw new Error("one");
    await turn();
    ended.push(i);
  };
  await assert.rejects(forEachLimit([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 2, work), /one/);
  assert.ok(started.length < 5, `started ${started}`);
  assert.deepEqual(
    ended,
    started.filter((i) => i !== 1),
  );
});

test("a source that fails is waited for as well", async () => {
  const ended: number[] = [];
  async function* source() {
    yield 1;
    throw new Error("listing broke");
  }
  const work = async (i: number) => {
    await turn();
    ended.push(i);
  };
  await assert.rejects(forEachLimit(source(), 8, work), /listing broke/);
  assert.deepEqual(ended, [1]);
});
