import assert from "node:assert/strict";
import {test} from "node:test";
import {gridData, isolated, stackedColumns} from "./graph-data.ts";

test("points fall on the grid, gaps and what cannot be drawn stay empty", () => {
  const {times, columns} = gridData(
    [
      {
        metric: {},
        values: [
          [10.001, "1"],
          [30.001, "-2.5"],
          [40.001, "NaN"],
        ],
      },
      {
        metric: {},
        values: [
          [0.001, "9"],
          [20.001, "+Inf"],
          [99, "1"],
        ],
      },
      {metric: {}, histograms: []},
    ],
    0.001,
    40.001,
    10,
  );
  assert.deepEqual(times.map(Math.floor), [0, 10, 20, 30, 40]);
  assert.deepEqual(columns, [
    [null, 1, null, -2.5, null],
    [9, null, null, null, null],
    [null, null, null, null, null],
  ]);
});

test("stacked columns begin where the visible ones before them end; gaps add nothing", () => {
  const columns = [
    [1, 2, null],
    [10, null, null],
    [5, 5, 5],
    [100, 100, null],
  ];
  const all = [true, true, true, true];
  assert.deepEqual(stackedColumns(columns, all), [
    [1, 2, null],
    [11, null, null],
    [16, 7, 5],
    [116, 107, null],
  ]);
  assert.deepEqual(stackedColumns(columns, [true, true, false, true])[3], [111, 102, null]);
  assert.deepEqual(stackedColumns([], []), []);
});

test("points without neighbours are found", () => {
  assert.deepEqual(isolated([1, null, 2, 3, null, 4]), [0, 5]);
  assert.deepEqual(isolated([null, 5, null]), [1]);
  assert.deepEqual(isolated([]), []);
});
