import assert from "node:assert/strict";
import {test} from "node:test";
import type {MatrixResult} from "../api.ts";
import {type HeatData, heatData} from "./heat-data.ts";

/** The rows from the lowest bucket up. */
const rows = ({cells, times}: HeatData): number[][] =>
  Array.from({length: cells.length / times.length}, (_, i) => [
    ...cells.subarray(i * times.length, (i + 1) * times.length),
  ]);

const classic = (le: string, values: readonly (readonly [number, string])[], labels = {}): MatrixResult => ({
  metric: {le, ...labels},
  values,
});

test("classic buckets are told apart, whatever order they come in", () => {
  const heat = heatData(
    [
      classic("+Inf", [
        [0, "10"],
        [20, "4"],
      ]),
      classic("0.5", [
        [0, "7"],
        [20, "4"],
      ]),
      classic("0.1", [
        [0, "3"],
        [20, "0"],
      ]),
    ],
    0,
    20,
    10,
  );
  assert.ok(heat);
  assert.deepEqual(heat.edges, [0, 0.1, 0.5, Number.POSITIVE_INFINITY]);
  assert.deepEqual(rows(heat), [
    [3, Number.NaN, 0],
    [4, Number.NaN, 4],
    [3, Number.NaN, 0],
  ]);
  assert.equal(heat.max, 4);
});

test("histograms of several series add up, a wide bucket lies evenly over the narrow ones", () => {
  const heat = heatData(
    [classic("1", [[0, "2"]], {job: "a"}), classic("2", [[0, "6"]], {job: "a"}), classic("2", [[0, "8"]], {job: "b"})],
    0,
    0,
    10,
  );
  assert.ok(heat);
  assert.deepEqual(heat.edges, [0, 1, 2]);
  assert.deepEqual(rows(heat), [[2 + 4], [4 + 4]]);
});

test("counts that step back a little do not make negative buckets", () => {
  const heat = heatData([classic("1", [[0, "5"]]), classic("2", [[0, "4"]]), classic("3", [[0, "6"]])], 0, 0, 1);
  assert.ok(heat);
  assert.deepEqual(rows(heat).flat(), [5, 0, 1].slice(0, heat.edges.length - 1));
});

test("native histograms are drawn by their own bounds", () => {
  const histogram = {
    count: "7",
    sum: "0",
    buckets: [
      [1, "-2", "-1", "1"],
      [3, "-0.1", "0.1", "2"],
      [0, "1", "2", "4"],
    ],
  } as const;
  const heat = heatData([{metric: {}, histograms: [[10, histogram]]}], 0, 10, 10);
  assert.ok(heat);
  assert.deepEqual(heat.edges, [-2, -1, -0.1, 0.1, 1, 2]);
  assert.deepEqual(
    rows(heat).map(([, at10]) => at10),
    [1, 0, 2, 0, 4],
  );
});

test("very many buckets are thinned out and nothing is lost", () => {
  const buckets = Array.from({length: 1000}, (_, i) => [0, String(i), String(i + 1), "1"] as const);
  const heat = heatData([{metric: {}, histograms: [[0, {count: "1000", sum: "0", buckets}]]}], 0, 0, 1);
  assert.ok(heat);
  assert.ok(heat.edges.length <= 122, `${heat.edges.length} edges`);
  const total = rows(heat)
    .flat()
    .reduce((sum, cell) => sum + cell, 0);
  assert.ok(Math.abs(total - 1000) < 1e-6, `${total}`);
});

test("what holds no histogram has no heat map", () => {
  assert.equal(heatData([{metric: {job: "a"}, values: [[0, "1"]]}], 0, 0, 1), undefined);
});
