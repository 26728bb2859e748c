import assert from "node:assert/strict";
import {test} from "node:test";
import {parseExpr, type VectorSelector, walk} from "@strata/promql";
import {ReadRanges, type TimeRange} from "./read-ranges.ts";

const LOOKBACK = 300_000;
const MINUTE = 60_000;
const nothing: TimeRange = {mint: Number.POSITIVE_INFINITY, maxt: Number.NEGATIVE_INFINITY};

/** What is asked for each selector, in order, and what all are cut to. */
function ranges(query: string, start: number, end = start) {
  const expr = parseExpr(query, {});
  const read = new ReadRanges(expr, {start, end, step: end === start ? 0 : MINUTE}, LOOKBACK);
  const selectors: VectorSelector[] = [];
  walk(expr, (node) => {
    if (node.kind === "vector") selectors.push(node);
    return true;
  });
  const pair = ({mint, maxt}: TimeRange) => [mint, maxt];
  return {asked: selectors.map((s) => pair(read.asked(s, nothing))), cut: pair(read.cut(nothing))};
}

test("each selector is asked for its own range, samples are cut to that of the query", () => {
  const t = 100 * MINUTE + 7;
  assert.deepEqual(ranges("a + b offset 1m", t), {
    asked: [
      [t - LOOKBACK + 1, t],
      [t - LOOKBACK + 1 - MINUTE, t - MINUTE],
    ],
    cut: [t - LOOKBACK + 1 - MINUTE, t],
  });
  assert.deepEqual(ranges("rate(a[2m])", t, t + 10 * MINUTE).cut, [t - 2 * MINUTE + 1, t + 10 * MINUTE]);
});

test("a subquery is read from its unaligned beginning", () => {
  const t = 100 * MINUTE + 7;
  assert.deepEqual(ranges("max_over_time(deriv(a[2m])[10m:1m] offset 3m)", t).asked, [
    [t - 15 * MINUTE + 1, t - 3 * MINUTE],
  ]);
});

test("a fixed time wins over the query's, on selectors and subqueries", () => {
  const t = 100 * MINUTE;
  assert.deepEqual(ranges("a @ 60 offset 1m", t).asked, [[-LOOKBACK + 1, 0]]);
  assert.deepEqual(ranges("sum_over_time(a[5m:1m] @ 600)", t, 2 * t).asked, [[5 * MINUTE - LOOKBACK + 1, 10 * MINUTE]]);
  assert.deepEqual(ranges("sum_over_time(a[5m:1m] @ end())", t, 2 * t).asked, [
    [2 * t - 5 * MINUTE - LOOKBACK + 1, 2 * t],
  ]);
});

test("a query that selects nothing is cut to nothing", () => {
  assert.deepEqual(ranges("1 + 1", 0).cut, [nothing.mint, nothing.maxt]);
});
