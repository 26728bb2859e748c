/**
 * Queries over encoded chunks in memory: time, and what is held beyond the input; then how both grow with series,
 * windows and steps, and what sliding gains over computing each window on its own.
 * Run: npm run bench -- execute [--scale=10] [--no-scaling]
 */
import assert from "node:assert/strict";
import {ByteBudget} from "@strata/base";
import {parseExpr} from "@strata/promql";
import type {SeriesBatch} from "@strata/series";
import {execute} from "./execute.ts";
import type {EngineOptions} from "./options.ts";
import type {QueryResult} from "./query-result.ts";
import {writeResultJson} from "./result-json.ts";
import {buckets, counters, jobs, sourceOf, T0} from "./testing/bench-data.ts";

const REPS = 5;
const HOUR = 3_600_000;

type Measured = {
  /** ms, sorted. */
  readonly times: readonly number[];
  /** The most that was counted, and the most that the process grew by. */
  readonly held: number;
  readonly grown: number;
  readonly result: QueryResult;
};

async function measure(
  batches: readonly SeriesBatch[],
  query: string,
  hours: number,
  stepMs: number,
  options: Partial<EngineOptions> = {},
  reps = REPS,
): Promise<Measured> {
  const expr = parseExpr(query);
  const params = {start: T0, end: T0 + hours * HOUR, step: stepMs};
  const source = sourceOf(batches);
  const times: number[] = [];
  let held = 0;
  let grown = 0;
  let last: QueryResult | undefined;
  const buffers = () => process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
  for (let rep = 0; rep < reps; rep++) {
    last = undefined;
    globalThis.gc?.();
    const before = buffers();
    const watch = setInterval(() => {
      grown = Math.max(grown, buffers() - before);
    }, 5);
    const budget = new ByteBudget("bench", 0);
    const from = performance.now();
    last = await execute(expr, params, source, {budget, ...options}, new AbortController().signal);
    times.push(performance.now() - from);
    clearInterval(watch);
    held = Math.max(held, budget.peak);
  }
  const result = last as QueryResult;
  assert.ok(result.labels.length > 0, query);
  return {times: times.sort((a, b) => a - b), held, grown, result};
}

const median = ({times}: Measured): number => times[times.length >> 1]!;
const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

async function row(name: string, ...args: Parameters<typeof measure>): Promise<Measured> {
  const m = await measure(...args);
  let json = 0;
  for (const piece of writeResultJson(m.result)) json += piece.length;
  const read = m.result.stats.samplesDecoded;
  const perSample = ((median(m) * 1e6) / read).toFixed(1);
  console.log(
    `${name.padEnd(58)} ${median(m).toFixed(0).padStart(6)} ms (${m.times[0]!.toFixed(0)}–${m.times.at(-1)!.toFixed(0)})` +
      ` ${perSample.padStart(6)} ns/sample, ${(read / 1e6).toFixed(1)} M samples; holds ${mb(m.held)}, grows ${mb(m.grown)}; ${mb(json)} JSON`,
  );
  return m;
}

const flag = (name: string, fallback: number): number => {
  const text = process.argv.find((arg) => arg.startsWith(`--${name}=`));
  return text === undefined ? fallback : Number(text.slice(name.length + 3));
};

const scale = flag("scale", 1);
const DAY = `${1430 * scale} × 5,760, 1,440 steps:`;
const day = counters(1430 * scale, 5760, 15_000, jobs("x_total"));
await row(`${DAY} sum by (job)(rate(x[5m]))`, day, "sum by (job)(rate(x_total[5m]))", 24, 60_000);
await row(`${DAY} sum by (job)(x)`, day, "sum by (job)(x_total)", 24, 60_000);
await row(`${DAY} max(max_over_time(x[1h]))`, day, "max(max_over_time(x_total[1h]))", 24, 60_000);
await row(`${DAY} max(avg_over_time(x[1h]))`, day, "max(avg_over_time(x_total[1h]))", 24, 60_000);
await row(`${DAY} max(quantile_over_time(0.9, x[5m]))`, day, "max(quantile_over_time(0.9, x_total[5m]))", 24, 60_000);
await row(`${DAY} topk(5, rate(x[5m]))`, day, "topk(5, rate(x_total[5m]))", 24, 60_000);
await row(`${DAY} sum(rate(x[5m]) / rate(x[5m]))`, day, "sum(rate(x_total[5m]) / rate(x_total[5m]))", 24, 60_000);
await row(`${DAY} rate(x[5m])`, day, "rate(x_total[5m])", 24, 60_000);
const pair = counters(1430 * scale, 5760, 15_000, jobs("x_total"), 2);
const dedup = {enabled: true, replicaLabels: ["replica"], func: "penalty"} as const;
await row(`${DAY} sum by (job)(rate(x[5m])), 2 replicas`, pair, "sum by (job)(rate(x_total[5m]))", 24, 60_000, {dedup});
const histograms = counters(3400 * scale, 1440, 15_000, buckets("b_bucket"));
const B = `${3400 * scale} × 1,440, 360 steps:`;
const quantile = "histogram_quantile(0.99, sum by (le, job)(rate(b_bucket[5m])))";
await row(`${B} histogram_quantile(0.99, sum by (le, job)(rate))`, histograms, quantile, 6, 60_000);
const many = counters(10_000 * scale, 1440, 15_000, jobs("m_total"));
const M = `${10_000 * scale} × 1,440, 360 steps:`;
await row(`${M} topk(5, rate(m[5m]))`, many, "topk(5, rate(m_total[5m]))", 6, 60_000);
await row(`${M} max(max_over_time(m[1h]))`, many, "max(max_over_time(m_total[1h]))", 6, 60_000);
await row(`${M} count({__name__=~".+"})`, many, 'count({__name__=~".+"})', 6, 60_000);

console.log("\nSliding over the samples, and each window on its own (1,430 × 1,440, step 60 s)");
const six = counters(1430, 1440, 15_000, jobs("x_total"));
for (const func of [
  "rate",
  "increase",
  "delta",
  "sum_over_time",
  "avg_over_time",
  "max_over_time",
  "count_over_time",
]) {
  for (const window of ["5m", "1h"]) {
    const query = `max(${func}(x_total[${window}]))`;
    const slid = await measure(six, query, 6, 60_000, {}, 3);
    const plain = await measure(six, query, 6, 60_000, {slide: false}, 3);
    assert.equal(slid.result.values.length, plain.result.values.length);
    const ratio = (median(plain) / median(slid)).toFixed(1);
    const times = `${median(slid).toFixed(0).padStart(5)} ms, ${median(plain).toFixed(0).padStart(6)} ms`;
    console.log(`${`${func}(x[${window}])`.padEnd(28)} ${times}, ${ratio.padStart(6)} ×`);
  }
}

if (!process.argv.includes("--no-scaling")) {
  console.log("\nHow sum by (job)(rate(x[…])) grows");
  const grow = async (name: string, batches: readonly SeriesBatch[], window: string, hours: number, step: number) => {
    const m = await measure(batches, `sum by (job)(rate(x_total[${window}]))`, hours, step, {}, 3);
    const points = (hours * HOUR) / step;
    console.log(
      `${name.padEnd(44)} ${median(m).toFixed(0).padStart(6)} ms, holds ${mb(m.held).padStart(8)}, grows ${mb(m.grown).padStart(8)}, ${points} steps`,
    );
  };
  for (const n of [1000, 10_000, 100_000]) {
    await grow(`${n} series × 240 samples, 5m`, counters(n, 240, 15_000, jobs("x_total")), "5m", 1, 60_000);
  }
  for (const window of ["1m", "5m", "1h", "6h"])
    await grow(`1430 series × 5,760 samples, ${window}`, day, window, 24, 60_000);
  for (const step of [1_440_000, 240_000, 60_000, 10_000])
    await grow(`1430 series × 5,760 samples, 5m`, day, "5m", 24, step);
}
