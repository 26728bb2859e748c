import assert from "node:assert/strict";
import {test} from "node:test";
import {Labels} from "@strata/model";
import {parseExpr} from "@strata/promql";
import type {Queryable, Select} from "@strata/series";
import {execute} from "./execute.ts";
import type {EngineOptions} from "./options.ts";
import {MemoryStore} from "./testing/memory-store.ts";

const store = new MemoryStore(
  ["200", "500"].flatMap((code) =>
    ["a", "b"].map((job) => ({
      labels: Labels.fromObject({__name__: "x_total", code, job, replica: "r"}),
      samples: Array.from({length: 40}, (_, k) => ({t: k * 15_000, v: 0n})),
    })),
  ),
);

/** What a query asks its source for: matchers and time ranges, minutes before its end. */
async function selections(query: string, options: Partial<EngineOptions> = {}): Promise<string[]> {
  const asked: string[] = [];
  const source: Queryable = {
    labelNames: () => Promise.reject(new Error("not asked for")),
    labelValues: () => Promise.reject(new Error("not asked for")),
    select(q: Select) {
      asked.push(`${q.matchers.map((m) => `${m.name}${m.op}${m.value}`).join(",")} ${(600_000 - q.mint + 1) / 60_000}`);
      return store.select(q);
    },
  };
  const params = {start: 300_000, end: 600_000, step: 60_000};
  await execute(parseExpr(query), params, source, {query, ...options}, new AbortController().signal);
  return asked;
}

test("selectors within another one are selected once", async () => {
  const f = async (query: string, want: string[], options: Partial<EngineOptions> = {}) =>
    assert.deepEqual(await selections(query, options), want, query);
  await f('sum(rate(x_total{code="500"}[5m])) / sum(rate(x_total[5m]))', ["__name__=x_total 10"]);
  await f(
    'sum(rate(x_total{code="500"}[5m])) / sum(rate(x_total[5m]))',
    ["code=500,__name__=x_total 10", "__name__=x_total 10"],
    {
      optimise: false,
    },
  );
  await f('count(x_total{job="a"}) + count(x_total{code="500"}) + count(x_total)', ["__name__=x_total 10"]);
  // What is evaluated once anyway keeps nothing.
  await f("sum(x_total) / sum(x_total)", ["__name__=x_total 10"]);
  // Neither is within the other.
  await f('count(x_total{job="a"}) + count(x_total{code="500"})', [
    "job=a,__name__=x_total 10",
    "code=500,__name__=x_total 10",
  ]);
  // Times too far apart.
  await f("max(x_total) - max(x_total offset 1h)", ["__name__=x_total 10", "__name__=x_total 70"]);
  // Different columns of downsampled data.
  await f("sum(rate(x_total[5m])) / count(x_total)", ["__name__=x_total 10", "__name__=x_total 10"]);
  // A label that is taken off cannot be looked at afterwards.
  const dedup = {enabled: true, replicaLabels: ["replica"], func: "penalty"} as const;
  await f('count(x_total{replica="r"}) + count(x_total)', ["replica=r,__name__=x_total 10", "__name__=x_total 10"], {
    dedup,
  });
});

test("matchers on labels that must be equal go to the other side of a match", async () => {
  const f = async (query: string, want: string[]) => assert.deepEqual(await selections(query), want, query);
  await f('x_total{job="a"} / y', ["job=a,__name__=x_total 10", "__name__=y,job=a 10"]);
  await f('rate(x_total{job="a"}[5m]) / rate(y_total[5m])', ["job=a,__name__=x_total 10", "__name__=y_total,job=a 10"]);
  await f('sum by (job) (x_total{job="a"}) and on (job) y', ["__name__=y,job=a 10", "job=a,__name__=x_total 10"]);
  await f('x_total{job="a"} unless y', ["__name__=y,job=a 10", "job=a,__name__=x_total 10"]);
  // Not where the label is not matched on, from the right of unless, under what may remark, or where doubles are errors.
  await f('x_total{job="a"} / ignoring (job) y', ["job=a,__name__=x_total 10", "__name__=y 10"]);
  await f('x_total unless y{job="a"}', ["job=a,__name__=y 10", "__name__=x_total 10"]);
  await f('x_total{job="a"} / rate(y[5m])', ["job=a,__name__=x_total 10", "__name__=y 10"]);
  await f('x_total{job="a"} / on (job) group_left () y', ["job=a,__name__=x_total 10", "__name__=y 10"]);
});
