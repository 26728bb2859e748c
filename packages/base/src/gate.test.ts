import assert from "node:assert/strict";
import {test} from "node:test";
import {setImmediate as turn} from "node:timers/promises";
import {Gate} from "./gate.ts";

const never = new AbortController().signal;

test("work beyond the limit waits and goes on in the order in which it came", async () => {
  const gate = new Gate(2);
  const order: number[] = [];
  const enter = async (i: number): Promise<void> => {
    await gate.enter(never);
    order.push(i);
  };
  const all = [1, 2, 3, 4].map(enter);
  await turn();
  assert.deepEqual([order, gate.running, gate.waiting], [[1, 2], 2, 2]);
  gate.leave();
  await turn();
  assert.deepEqual([order, gate.running, gate.waiting], [[1, 2, 3], 2, 1]);
  gate.leave();
  gate.leave();
  await Promise.all(all);
  gate.leave();
  assert.deepEqual([order, gate.running, gate.waiting], [[1, 2, 3, 4], 0, 0]);
});

test("whoever leaves while waiting loses the turn to the next", async () => {
  const gate = new Gate(1);
  await gate.enter(never);
  const abort = new AbortController();
  const left = gate.enter(abort.signal);
  const next = gate.enter(never);
  abort.abort(new Error("gone"));
  await assert.rejects(left, /gone/);
  gate.leave();
  await next;
  assert.deepEqual([gate.running, gate.waiting], [1, 0]);
  await assert.rejects(gate.enter(abort.signal), /gone/);
  assert.equal(gate.waiting, 0);
});

test("without a limit nobody waits", async () => {
  const gate = new Gate(0);
  for (let i = 0; i < 100; i++) await gate.enter(never);
  assert.deepEqual([gate.running, gate.waiting], [100, 0]);
});
