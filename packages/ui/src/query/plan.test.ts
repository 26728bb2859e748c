import assert from "node:assert/strict";
import {test} from "node:test";
import {goDurationMs, planRows} from "./plan.ts";

test("a plan reads from the root down, with what each operator takes itself", () => {
  const rows = planRows({
    name: "[sum] by (job)",
    executionTime: "10ms",
    children: [{name: "[rate] x[5m]", executionTime: "7.5ms", children: [{name: "[select]", executionTime: "9ms"}]}],
  });
  assert.deepEqual(
    rows.map(({depth, operator, detail, ownMs}) => [depth, operator, detail, ownMs]),
    [
      [0, "sum", "by (job)", 2.5],
      [1, "rate", "x[5m]", 0],
      [2, "select", "", 9],
    ],
  );
});

test("durations as Go writes them", () => {
  const f = (text: string, want: number): void => assert.ok(Math.abs(goDurationMs(text) - want) < 1e-9, text);
  f("0s", 0);
  f("1m2.5s", 62_500);
  f("850µs", 0.85);
  f("1.234567ms", 1.234567);
  f("120ns", 0.00012);
});
