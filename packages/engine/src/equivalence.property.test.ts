import assert from "node:assert/strict";
import {test} from "node:test";
import {repeat, seed} from "@strata/base/testing";
import {parseExpr} from "@strata/promql";
import fc from "fast-check";
import {execute} from "./execute.ts";
import type {EngineOptions} from "./options.ts";
import type {QueryResult} from "./query-result.ts";
import {writeResultJson} from "./result-json.ts";
import {expression, rangeCall, storedSeries} from "./testing/arbitraries.ts";
import {MemoryStore, type StoredSeries} from "./testing/memory-store.ts";

type Point = [number, unknown];
type Series = {metric: object; value?: Point; histogram?: Point; values?: Point[]; histograms?: Point[]};
type Answer = {series: Series[]; remarks: string[]} | {error: string};

const RANGE = {start: 60_000, end: 900_000, step: 60_000};

async function ask(
  query: string,
  data: readonly StoredSeries[],
  options: Partial<EngineOptions> = {},
  params: {start: number; end: number; step: number} = RANGE,
  batchSeries?: number,
): Promise<Answer> {
  const store = new MemoryStore(data, batchSeries);
  let result: QueryResult;
  try {
    const expr = parseExpr(query, {experimentalFunctions: true});
    const all = {query, decodeChunk: store.decodeChunk, ...options};
    result = await execute(expr, params, store, all, new AbortController().signal);
  } catch (err) {
    return {error: (err as Error).message};
  }
  const series = JSON.parse(Buffer.concat([...writeResultJson(result)]).toString()) as Series[];
  const byMetric = (s: Series) => JSON.stringify(s.metric);
  series.sort((a, b) => (byMetric(a) < byMetric(b) ? -1 : 1));
  return {series, remarks: [...result.warnings, ...result.infos].sort()};
}

const runs = (n: number) => ({numRuns: repeat(n), seed: seed()});

test("an optimised plan gives the answer of the plan as written, remarks and errors included", async () => {
  await fc.assert(
    fc.asyncProperty(storedSeries, expression, async (data, query) => {
      assert.deepEqual(await ask(query, data), await ask(query, data, {optimise: false}), query);
    }),
    runs(3000),
  );
});

test("functions that slide over samples give what each window gives on its own", async () => {
  await fc.assert(
    fc.asyncProperty(storedSeries, rangeCall, async (data, query) => {
      const [slid, plain] = [await ask(query, data), await ask(query, data, {slide: false})];
      assert.equal("error" in slid, "error" in plain, query);
      if ("error" in slid || "error" in plain) return;
      assert.deepEqual(slid.remarks, plain.remarks, query);
      close(slid.series, plain.series, query);
    }),
    runs(4000),
  );
});

test("answers do not depend on how many series a batch has", async () => {
  await fc.assert(
    fc.asyncProperty(storedSeries, expression, fc.constantFrom(1, 2, 5), async (data, query, batch) => {
      assert.deepEqual(await ask(query, data, {}, RANGE, batch), await ask(query, data), query);
    }),
    runs(2000),
  );
});

test("a range query that slides and streams gives at each step what an instant query computes on its own", async () => {
  await fc.assert(
    fc.asyncProperty(storedSeries, expression, async (data, query) => {
      const range = await ask(query, data);
      if ("error" in range) return;
      for (let t = RANGE.start; t <= RANGE.end; t += RANGE.step) {
        const instant = await ask(query, data, {}, {start: t, end: t, step: 0});
        assert.ok(!("error" in instant), `${query} at ${t}`);
        const at: Series[] = range.series.flatMap(({metric, values = [], histograms = []}): Series[] => {
          const [v] = values.filter((p) => p[0] === t / 1000);
          const [h] = histograms.filter((p) => p[0] === t / 1000);
          return v === undefined ? (h === undefined ? [] : [{metric, histogram: h}]) : [{metric, value: v}];
        });
        assert.equal(instant.series.length, at.length, `${query} at ${t}`);
        instant.series.forEach((s, i) => void close(s, at[i]!, `${query} at ${t}`));
      }
    }),
    runs(1500),
  );
});

/** Equal but for the last bits of sums that a window carries on. */
function close(got: unknown, want: unknown, what: string): void {
  if (typeof got === "string" && typeof want === "string" && got !== want) {
    const [a, b] = [Number(got), Number(want)];
    assert.ok(Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b)), `${what}: ${got} is not ${want}`);
  } else if (typeof got === "object" && got !== null && typeof want === "object" && want !== null) {
    assert.deepEqual(Object.keys(got), Object.keys(want), what);
    for (const key of Object.keys(got)) close(got[key as never], want[key as never], what);
  } else assert.equal(got, want, what);
}
