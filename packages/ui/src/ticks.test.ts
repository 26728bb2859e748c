import assert from "node:assert/strict";
import {test} from "node:test";
import {timeLabels, timeStep, timeTicks} from "./ticks.ts";

const at = (iso: string): number => Date.parse(iso) / 1000;

test("the step is the smallest that leaves room for the labels", () => {
  assert.equal(timeStep(3600, 12), 300);
  assert.equal(timeStep(3600, 11), 600);
  assert.equal(timeStep(60, 60), 1);
  assert.equal(timeStep(2 * 86_400, 10), 6 * 3600);
  assert.equal(timeStep(10 * 365 * 86_400, 3), 4 * 365 * 86_400);
});

test("ticks fall on round local times", () => {
  const day = 86_400;
  const ticks = timeTicks(at("2024-03-01T00:10:00Z"), at("2024-03-03T12:00:00Z"), day, 5.5 * 3600);
  assert.deepEqual(ticks, [at("2024-03-01T18:30:00Z"), at("2024-03-02T18:30:00Z")]);
  assert.deepEqual(timeTicks(10, 30, 10, 0), [10, 20, 30]);
});

test("the date stands below the first label of each day", () => {
  const ticks = timeTicks(at("2024-02-29T18:00:00Z"), at("2024-03-01T06:00:00Z"), 6 * 3600, 0);
  assert.deepEqual(timeLabels(ticks, 6 * 3600, 0), ["18:00\nFeb 29", "00:00\nMar 1", "06:00"]);
  assert.deepEqual(timeLabels([at("2024-03-01T10:00:05Z")], 5, 3600), ["11:00:05\nMar 1"]);
  assert.deepEqual(timeLabels([at("2024-03-01T00:00:00Z")], 86_400, 0), ["Mar 1"]);
  assert.deepEqual(timeLabels([at("2024-03-01T00:00:00Z")], 365 * 86_400, 0), ["Mar 2024"]);
});
