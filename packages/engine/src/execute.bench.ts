/**
 * Queries over encoded chunks in memory: nanoseconds per sample read, and how much memory went beyond the input.
 * Run: node packages/engine/src/execute.bench.ts [scale]
 */
import assert from "node:assert/strict";
import {xorEncode} from "@strata/kernels";
import {Labels} from "@strata/model";
import {parseExpr} from "@strata/promql";
import {AGGREGATE, type Queryable, type SeriesBatch, SeriesBatchBuilder} from "@strata/series";
import {execute} from "./execute.ts";
import type {EngineOptions} from "./options.ts";
import {writeResultJson} from "./result-json.ts";

const T0 = 1_700_000_000_000;
const PER_CHUNK = 120;

/** Counters with resets now and then, `step` ms apart with a little jitter, as batches of XOR chunks. */
function counters(
  series: number,
  samples: number,
  step: number,
  labelsOf: (i: number) => Record<string, string>,
  replicas = 1,
) {
  const batches: SeriesBatch[] = [];
  const builder = new SeriesBatchBuilder(1 << 20);
  let seed = 1;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    return seed / 0x7fffffff;
  };
  const ts = new Float64Array(PER_CHUNK);
  const vs = new Float64Array(PER_CHUNK);
  const all = Array.from({length: series}, (_, i) => Labels.fromObject(labelsOf(i)));
  for (const labels of all) {
    builder.startSeries(labels);
    const chunks: {mint: number; maxt: number; data: Uint8Array}[] = [];
    for (let replica = 0; replica < replicas; replica++) {
      let v = 0;
      for (let from = 0; from < samples; from += PER_CHUNK) {
        const n = Math.min(PER_CHUNK, samples - from);
        for (let i = 0; i < n; i++) {
          v = random() < 0.0005 ? 0 : v + Math.floor(random() * 100);
          ts[i] = T0 + replica * 7000 + (from + i) * step + Math.floor(random() * 5);
          vs[i] = v;
        }
        const data = xorEncode(ts, vs, 0, n);
        chunks.push({mint: ts[0]!, maxt: ts[n - 1]!, data});
      }
    }
    chunks.sort((a, b) => a.mint - b.mint);
    for (const {mint, maxt, data} of chunks) builder.addChunk(mint, maxt, 1, 0, AGGREGATE.raw, data, 0, data.length);
    if (builder.byteLength > 1 << 20) batches.push(builder.finish());
  }
  if (!builder.empty) batches.push(builder.finish());
  return batches;
}

const sourceOf = (batches: readonly SeriesBatch[]): Queryable => ({
  async *select() {
    yield* batches;
  },
  labelNames: () => Promise.reject(new Error("not asked for")),
  labelValues: () => Promise.reject(new Error("not asked for")),
});

async function measure(
  name: string,
  batches: readonly SeriesBatch[],
  query: string,
  hours: number,
  stepMs: number,
  options: Partial<EngineOptions> = {},
) {
  const expr = parseExpr(query);
  const params = {start: T0, end: T0 + hours * 3_600_000, step: stepMs};
  const source = sourceOf(batches);
  const times: number[] = [];
  let read = 0;
  let bytes = 0;
  const before = process.memoryUsage().arrayBuffers;
  let peak = 0;
  for (let run = 0; run < 5; run++) {
    const t = performance.now();
    const result = await execute(expr, params, source, options, new AbortController().signal);
    times.push(performance.now() - t);
    peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    read = result.stats.samplesDecoded;
    bytes = 0;
    for (const piece of writeResultJson(result)) bytes += piece.length;
    assert.ok(result.labels.length > 0);
  }
  times.sort((a, b) => a - b);
  const median = times[2]!;
  const perSample = ((median * 1e6) / read).toFixed(1);
  console.log(
    `${name.padEnd(52)} ${median.toFixed(0).padStart(6)} ms (${times[0]!.toFixed(0)}–${times[4]!.toFixed(0)})` +
      ` ${perSample.padStart(6)} ns/sample ${(read / 1e6).toFixed(1)} M samples, +${(peak / 1e6).toFixed(0)} MB, ${bytes} B JSON`,
  );
}

const scale = Number(process.argv[2] ?? 1);
const jobs = (i: number) => ({
  __name__: "x_total",
  instance: `host-${String(i).padStart(5, "0")}`,
  job: `job-${i % 10}`,
});
const day = counters(1430 * scale, 5760, 15_000, jobs);
const D = "1,430 × 24 h, step 60 s:";
await measure(`${D} sum by (job)(rate(x[5m]))`, day, "sum by (job)(rate(x_total[5m]))", 24, 60_000);
await measure(`${D} sum by (job)(x)`, day, "sum by (job)(x_total)", 24, 60_000);
await measure(`${D} max_over_time(x[1h]) max`, day, "max(max_over_time(x_total[1h]))", 24, 60_000);
await measure(`${D} avg_over_time(x[1h]) max`, day, "max(avg_over_time(x_total[1h]))", 24, 60_000);
await measure(`${D} quantile_over_time(0.9, x[5m])`, day, "max(quantile_over_time(0.9, x_total[5m]))", 24, 60_000);
await measure(`${D} topk(5, rate(x[5m]))`, day, "topk(5, rate(x_total[5m]))", 24, 60_000);
await measure(`${D} rate(x[5m]) / rate(x[5m])`, day, "sum(rate(x_total[5m]) / rate(x_total[5m]))", 24, 60_000);
await measure(`${D} rate(x[5m]) to JSON`, day, "rate(x_total[5m])", 24, 60_000);
const pair = counters(1430 * scale, 5760, 15_000, jobs, 2);
const dedup = {enabled: true, replicaLabels: ["replica"], func: "penalty"} as const;
const P = "1,430 × 24 h × 2 replicas:";
await measure(`${P} sum by (job)(rate(x[5m]))`, pair, "sum by (job)(rate(x_total[5m]))", 24, 60_000, {dedup});
await measure(`${P} max(x)`, pair, "max(x_total)", 24, 60_000, {dedup});
const les = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, "+Inf"];
const buckets = counters(3400 * scale, 1440, 15_000, (i) => ({
  __name__: "b_bucket",
  instance: `host-${String(Math.floor(i / les.length)).padStart(5, "0")}`,
  job: `job-${Math.floor(i / les.length) % 10}`,
  le: String(les[i % les.length]),
}));
await measure(
  "3,400 × 6 h, step 60 s: histogram_quantile",
  buckets,
  "histogram_quantile(0.99, sum by (le, job)(rate(b_bucket[5m])))",
  6,
  60_000,
);
await measure("3,400 × 6 h, step 300 s: count", buckets, 'count({__name__=~".+"})', 6, 300_000);
