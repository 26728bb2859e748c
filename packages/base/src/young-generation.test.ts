import assert from "node:assert/strict";
import {test} from "node:test";
import {getHeapSpaceStatistics} from "node:v8";
import {holdYoungGeneration} from "./young-generation.ts";

const youngBytes = (): number =>
  getHeapSpaceStatistics().find(({space_name}) => space_name === "new_space")?.space_size ?? Number.NaN;

/** Garbage of which so much lives for a while that V8 would make room for it. */
function churn(): number {
  const kept: object[][] = [];
  let sum = 0;
  for (let round = 0; round < 60; round++) {
    kept.push(Array.from({length: 20_000}, (_, i) => ({i, text: `x${i}`})));
    if (kept.length > 5) kept.shift();
    sum += kept.length;
  }
  return sum;
}

test("the young generation stays small until each holder lets it grow", () => {
  const [first, second] = [holdYoungGeneration(), holdYoungGeneration()];
  const before = youngBytes();
  assert.ok(churn() > 0);
  const held = youngBytes();
  assert.ok(held <= Math.max(before, 4 << 20), `${before} grew to ${held}`);
  first();
  first();
  churn();
  assert.ok(youngBytes() <= Math.max(before, 4 << 20), "one holder is left");
  second();
  churn();
  assert.ok(youngBytes() > held, `${youngBytes()} has not grown again`);
});
