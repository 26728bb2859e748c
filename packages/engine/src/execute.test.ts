import assert from "node:assert/strict";
import {test} from "node:test";
import {ByteBudget, StrataError} from "@strata/base";
import {kernel, xorEncode} from "@strata/kernels";
import {Labels} from "@strata/model";
import {parseExpr} from "@strata/promql";
import {
  AGGREGATE,
  type Aggregate,
  type Queryable,
  type Select,
  type SeriesBatch,
  SeriesBatchBuilder,
} from "@strata/series";
import fc from "fast-check";
import {type ChunkDecoder, decodeChunk} from "./decode-chunk.ts";
import {execute} from "./execute.ts";
import {type FloatHistogram, HINT} from "./histogram/float-histogram.ts";
import type {EngineOptions} from "./options.ts";
import type {QueryResult} from "./query-result.ts";
import {writeResultJson} from "./result-json.ts";
import {MemoryStore, type StoredSeries} from "./testing/memory-store.ts";

const float = new Float64Array(1);
const bits = (v: number): bigint => {
  float[0] = v;
  return new BigUint64Array(float.buffer)[0]!;
};

const series = (labels: Record<string, string>, samples: readonly (readonly [number, number])[]): StoredSeries => ({
  labels: Labels.fromObject(labels),
  samples: samples.map(([t, v]) => ({t, v: bits(v)})),
});

/** `n` series of a counter, a sample every 15 s for 10 minutes. */
const counters = (n: number): StoredSeries[] =>
  Array.from({length: n}, (_, i) =>
    series(
      {__name__: "x_total", instance: `i${i}`, job: `j${i % 3}`},
      Array.from({length: 40}, (_, k) => [k * 15_000, k * (i + 1)] as const),
    ),
  );

const run = (
  query: string,
  source: Queryable,
  options: Partial<EngineOptions> = {},
  params = {start: 0, end: 600_000, step: 30_000},
  signal = new AbortController().signal,
): Promise<QueryResult> => execute(parseExpr(query), params, source, {query, ...options}, signal);

const json = (r: QueryResult): unknown => JSON.parse(Buffer.concat([...writeResultJson(r)]).toString());

const rejectsWith = (code: string, text: RegExp) => (err: unknown) =>
  err instanceof StrataError && err.code === code && text.test(err.message);

const QUERIES = [
  "x_total",
  "sum by (job) (rate(x_total[2m]))",
  "avg_over_time(x_total[5m])",
  "topk(2, x_total) or x_total * 2",
  "x_total / on (instance) x_total",
  "max_over_time(rate(x_total[1m])[3m:30s])",
  "quantile(0.5, x_total) + scalar(count(x_total))",
  'label_replace(x_total, "a", "$1", "instance", "(.*)")',
  'absent(x_total{job="none"})',
  "sort_desc(x_total @ 60)",
];

test("whatever a query holds is given back after it, also in kernel memory", async () => {
  const store = new MemoryStore(counters(10));
  kernel().scratch(1);
  const before = kernel().allocated;
  for (const query of QUERIES) {
    const budget = new ByteBudget("process", 0);
    await run(query, store, {budget});
    assert.equal(budget.used, 0, query);
    assert.ok(budget.peak > 0, query);
    assert.ok(kernel().allocated <= before + (64 << 10), query);
  }
});

test("a budget ends the query at any point, and everything is given back", async () => {
  const store = new MemoryStore(counters(10));
  for (const query of QUERIES) {
    const free = new ByteBudget("process", 0);
    await run(query, store, {budget: free});
    const before = kernel().allocated;
    for (let limit = 1; limit < free.peak; limit = Math.ceil(limit * 1.7)) {
      const budget = new ByteBudget("process", 0);
      await assert.rejects(run(query, store, {budget, maxBytes: limit}), rejectsWith("limit", /query holds/), query);
      assert.equal(budget.used, 0, `${query} with ${limit} bytes`);
    }
    assert.ok(kernel().allocated <= before + (64 << 10), query);
  }
});

test("too many samples, a cancelled signal and a deadline end the query with Prometheus' messages", async () => {
  const store = new MemoryStore(counters(10));
  const tooMany = /query processing would load too many samples into memory in query execution/;
  await assert.rejects(run("x_total", store, {maxSamples: 20}), rejectsWith("execution", tooMany));
  const canceled = /query was canceled in expression evaluation/;
  const aborted = AbortSignal.abort();
  await assert.rejects(run("x_total", store, {}, undefined, aborted), rejectsWith("canceled", canceled));
  const late = AbortSignal.abort(new DOMException("late", "TimeoutError"));
  const timedOut = /query timed out in expression evaluation/;
  await assert.rejects(run("x_total", store, {}, undefined, late), rejectsWith("timeout", timedOut));
  await assert.rejects(run("x_total", store, {timeoutMs: 1e-9}), rejectsWith("timeout", timedOut));
});

test("the size of the source's batches does not show in the answer", async () => {
  const sample = fc.tuple(fc.integer({min: 1, max: 60_000}), fc.integer({min: 0, max: 20}));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(sample, {maxLength: 30}), {maxLength: 6}), async (all) => {
      const stored = all.map((samples, i) => {
        let t = 0;
        return series(
          {__name__: "x_total", instance: `i${i}`, job: `j${i % 2}`},
          samples.map(([gap, v]) => {
            t += gap;
            return [t, v] as const;
          }),
        );
      });
      for (const query of QUERIES) {
        const want = json(await run(query, new MemoryStore(stored)));
        for (const size of [1, 3]) assert.deepEqual(json(await run(query, new MemoryStore(stored, size))), want, query);
      }
    }),
    {numRuns: 25},
  );
});

type TestChunk = {samples: readonly (readonly [number, number])[]; aggregate?: Aggregate; corrupt?: boolean};

/** A source of one series with the chunks given; remembers what it was asked. */
function sourceOf(chunks: readonly TestChunk[], asked: Select[] = []): Queryable {
  return {
    async *select(q): AsyncGenerator<SeriesBatch> {
      asked.push(q);
      const b = new SeriesBatchBuilder();
      b.startSeries(Labels.fromObject({__name__: "x_total"}));
      for (const {samples, aggregate, corrupt} of chunks) {
        const ts = Float64Array.from(samples, ([t]) => t);
        const vs = Float64Array.from(samples, ([, v]) => v);
        const data = corrupt === true ? Uint8Array.of(0, 9, 1) : xorEncode(ts, vs);
        b.addChunk(ts[0]!, ts[ts.length - 1]!, 1, 0, aggregate ?? AGGREGATE.raw, data, 0, data.length);
      }
      yield b.finish();
    },
    labelNames: () => Promise.reject(new Error("not asked for")),
    labelValues: () => Promise.reject(new Error("not asked for")),
  };
}

const every = (from: number, to: number, step: number, f: (t: number) => number): [number, number][] => {
  const out: [number, number][] = [];
  for (let t = from; t <= to; t += step) out.push([t, f(t)]);
  return out;
};

const values = (r: QueryResult): [number, number][] => [...r.times].map((t, i) => [t, r.values[i]!]);

test("overlapping chunks are read one after the other without dedup, and merged with it", async () => {
  const a = {samples: every(0, 60_000, 15_000, () => 1)};
  const b = {samples: every(5_000, 125_000, 15_000, () => 2)};
  const at = {start: 125_000, end: 125_000, step: 0};
  const plain = values(await run("x_total[3m]", sourceOf([a, b]), {}, at));
  assert.deepEqual(plain, [...a.samples, ...b.samples.filter(([t]) => t > 60_000)]);
  const dedup = {enabled: true, replicaLabels: ["replica"], func: "chain"} as const;
  const chained = values(await run("x_total[3m]", sourceOf([a, b]), {dedup}, at));
  assert.equal(chained.length, a.samples.length + b.samples.length);
  const penalty = values(await run("x_total[3m]", sourceOf([a, b]), {dedup: {...dedup, func: "penalty"}}, at));
  assert.deepEqual(penalty.slice(0, 5), a.samples);
  assert.ok(penalty.slice(5).every(([t, v]) => v === 2 && t > 60_000));
});

test("the function decides which column of downsampled chunks is read", async () => {
  const times = (v: number) => every(300_000, 3_000_000, 300_000, () => v);
  const chunks: TestChunk[] = [
    {samples: times(4), aggregate: AGGREGATE.count},
    {samples: times(20), aggregate: AGGREGATE.sum},
    {samples: times(2), aggregate: AGGREGATE.min},
    {samples: times(9), aggregate: AGGREGATE.max},
    {samples: every(300_000, 3_000_000, 300_000, (t) => t / 1000), aggregate: AGGREGATE.counter},
  ];
  const asked: Select[] = [];
  const at = {start: 3_000_000, end: 3_000_000, step: 0};
  const one = async (query: string) =>
    (await run(query, sourceOf(chunks, asked), {maxResolution: 300_000}, at)).values[0];
  assert.equal(await one("x_total"), 5);
  assert.equal(await one("avg_over_time(x_total[30m])"), 5);
  assert.equal(await one("min_over_time(x_total[30m])"), 2);
  assert.equal(await one("max(x_total)"), 9);
  assert.equal(await one("sum_over_time(x_total[30m])"), 120);
  assert.equal(await one("count_over_time(x_total[30m])"), 6);
  assert.equal(await one("rate(x_total[30m])"), 1);
  assert.deepEqual(asked[6]!.aggregates, [AGGREGATE.counter]);
  assert.equal(asked[6]!.maxResolution, 300_000);
  assert.deepEqual([asked[6]!.mint, asked[6]!.maxt, asked[6]!.range], [1_200_001, 3_000_000, 1_800_000]);
});

test("downsampled histograms are histograms: averages are divided by the count, counters stay as they are", async () => {
  const empty = {schema: 0, hint: HINT.unknown, zeroThreshold: 0, sum: 0, pi: [], pv: [], ni: [], nv: [], custom: []};
  const histogram = (count: number): FloatHistogram => ({...empty, count, zeroCount: count});
  // Stands for chunks of histograms: values from 1000 on are their counts.
  const decode: ChunkDecoder = (...chunk) => {
    const samples = decodeChunk(...chunk);
    const hs = Array.from(samples.vs, (v) => (v < 1000 ? undefined : histogram(v)));
    return {...samples, hs: hs.some((h) => h !== undefined) ? hs : undefined};
  };
  const chunks: TestChunk[] = [
    {samples: every(300_000, 1_800_000, 300_000, () => 4), aggregate: AGGREGATE.count},
    {samples: every(300_000, 1_800_000, 300_000, () => 2000), aggregate: AGGREGATE.sum},
    {samples: every(300_000, 1_800_000, 300_000, (t) => 1000 + t / 1000), aggregate: AGGREGATE.counter},
  ];
  const one = async (query: string) => {
    const at = {start: 1_800_000, end: 1_800_000, step: 0};
    const result = await run(query, sourceOf(chunks), {decodeChunk: decode}, at);
    return result.histograms?.get(0)?.count;
  };
  assert.equal(await one("x_total"), 500);
  assert.equal(await one("avg_over_time(x_total[20m])"), 500);
  assert.equal(await one("rate(x_total[20m])"), 1);
});

test("a downsampled counter goes on across chunks, its repeated last point only carrying the value", async () => {
  // The second chunk begins anew after a reset; its first point is what the counter then had.
  const chunks: TestChunk[] = [
    {samples: [...every(300_000, 900_000, 300_000, (t) => t / 1000), [900_000, 900]], aggregate: AGGREGATE.counter},
    {samples: every(1_200_000, 1_800_000, 300_000, (t) => (t - 900_000) / 1000), aggregate: AGGREGATE.counter},
  ];
  const at = {start: 1_800_000, end: 1_800_000, step: 0};
  const result = await run("increase(x_total[40m])", sourceOf(chunks), {}, at);
  assert.ok(result.values[0]! >= 1500, `${result.values[0]}`);
  assert.equal((await run("resets(x_total[40m])", sourceOf(chunks), {}, at)).values[0], 0);
});

test("raw data after a downsampled counter goes on from its total", async () => {
  const chunks: TestChunk[] = [
    {samples: [...every(300_000, 900_000, 300_000, (t) => t / 1000), [900_000, 900]], aggregate: AGGREGATE.counter},
    // Begins anew after a reset, so that what was counted in all is more than the values say.
    {samples: [...every(1_200_000, 1_800_000, 300_000, (t) => (t - 900_000) / 1000)], aggregate: AGGREGATE.counter},
    {samples: every(1_815_000, 2_400_000, 15_000, (t) => (t - 900_000) / 1000)},
  ];
  const at = {start: 2_400_000, end: 2_400_000, step: 0};
  const {values: found} = await run("rate(x_total[1501s])", sourceOf(chunks), {}, at);
  assert.ok(Math.abs(found[0]! - 1) < 1e-3, `${found[0]}`);
});

test("a reset is neither lost nor made by the switch from one replica to the other", async () => {
  // Ten a second, from zero again at 20 s. The merge goes from a to b and back to a, whose next sample is the reset.
  const counter = (t: number) => (t < 20_000 ? 5000 + t / 100 : (t - 20_000) / 100);
  const a = {samples: every(0, 300_000, 30_000, counter)};
  const b = {samples: every(7_000, 300_000, 30_000, (t) => counter(t - 7_000))};
  const at = {start: 300_000, end: 300_000, step: 0};
  const dedup = {enabled: true, replicaLabels: ["replica"], func: "penalty"} as const;
  const one = async (query: string, chunks: TestChunk[]) =>
    (await run(query, sourceOf(chunks), {dedup}, at)).values[0]!;
  const [merged, alone] = [await one("increase(x_total[301s])", [a, b]), await one("increase(x_total[301s])", [a])];
  assert.ok(Math.abs(merged - alone) < 20, `${merged}, of one replica ${alone}`);
  assert.equal(await one("resets(x_total[301s])", [a, b]), 1);
});

test("a corrupt chunk fails the query, or is left out with a warning where answers may be partial", async () => {
  const chunks = [
    {samples: every(0, 60_000, 15_000, () => 1)},
    {samples: every(75_000, 90_000, 15_000, () => 1), corrupt: true},
  ];
  const text = /cannot read chunk \[75000, 90000\] of series \{__name__="x_total"\}/;
  await assert.rejects(run("x_total", sourceOf(chunks)), rejectsWith("corrupt", text));
  const partial = await run(
    "x_total",
    sourceOf(chunks),
    {partialResponse: true},
    {start: 90_000, end: 90_000, step: 0},
  );
  assert.equal(partial.values[0], 1);
  assert.match(partial.warnings[0]!, text);
});

test("a subquery of too many steps is refused before anything is allocated", async () => {
  const store = new MemoryStore(counters(1));
  const tooMany = /would load too many samples/;
  for (const query of ["sum_over_time(vector(1)[52w:1ms])", "max_over_time(x_total[52w:1ms])"]) {
    await assert.rejects(run(query, store), rejectsWith("execution", tooMany), query);
    const unlimited = {maxSamples: Number.POSITIVE_INFINITY};
    await assert.rejects(run(query, store, unlimited), rejectsWith("execution", tooMany), query);
  }
});

test("a cancellation arrives while a source that never waits is being read", async () => {
  const store = new MemoryStore(counters(2));
  const controller = new AbortController();
  const endless: Queryable = {
    ...sourceOf([]),
    async *select(q) {
      for (;;) yield* store.select(q);
    },
  };
  setImmediate(() => controller.abort());
  const canceled = /query was canceled/;
  await assert.rejects(
    run("count(x_total)", endless, {}, undefined, controller.signal),
    rejectsWith("canceled", canceled),
  );
});

test("statistics count samples as often as windows hold them, and once", async () => {
  const store = new MemoryStore(counters(2));
  const f = async (query: string, total: number, fresh: number) => {
    const {stats} = await run(query, store, {}, {start: 300_000, end: 420_000, step: 60_000});
    assert.deepEqual([stats.totalQueryableSamples, stats.samplesRead], [total, fresh], query);
  };
  await f("x_total", 6, 6);
  // Windows of 120 s hold 8 samples at 15 s; three of them 60 s apart hold 16 different ones.
  await f("sum(rate(x_total[2m]))", 2 * 3 * 8, 2 * 16);
  await f("stddev_over_time(x_total[2m])", 2 * 3 * 8, 2 * 16);
  await f("rate(x_total[2m] @ 300)", 2 * 3 * 8, 2 * 8);
});

test("statistics of each step add up to those of the query; what is fixed or inner is read once", async () => {
  const store = new MemoryStore(counters(1));
  const f = async (query: string, totals: number[], reads: number[]) => {
    const params = {start: 300_000, end: 420_000, step: 60_000};
    const {stats} = await run(query, store, {perStepStats: true}, params);
    const {totalQueryableSamplesPerStep, samplesReadPerStep} = stats;
    assert.deepEqual([...totalQueryableSamplesPerStep!], totals, query);
    assert.deepEqual([...samplesReadPerStep!], reads, query);
    const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
    assert.deepEqual([stats.totalQueryableSamples, stats.samplesRead], [sum(totals), sum(reads)], query);
    const {stats: plain} = await run(query, store, {}, params);
    assert.deepEqual([plain.totalQueryableSamples, plain.samplesRead], [sum(totals), sum(reads)], query);
    assert.equal(plain.samplesReadPerStep, undefined);
  };
  await f("x_total", [1, 1, 1], [1, 1, 1]);
  await f("rate(x_total[2m])", [8, 8, 8], [8, 4, 4]);
  await f("rate(x_total[2m] @ 300)", [8, 8, 8], [8, 0, 0]);
  await f("sum(rate(x_total[2m])) + sum(rate(x_total[2m]))", [16, 16, 16], [16, 8, 8]);
  // The windows are counted over the subquery's points, reads at the inner steps.
  await f("max_over_time(x_total[2m:30s])", [4, 4, 4], [4, 2, 2]);
  // Inner steps between two windows are not read.
  await f("max_over_time(x_total[30s:15s])", [2, 2, 2], [2, 2, 2]);
});

test("a query that held too much names the limit, the amount and the biggest selector", async () => {
  const store = new MemoryStore(counters(10));
  const small = 'sum(x_total{i="1"}) / on () count(x_total @ 300 or x_total)';
  await assert.rejects(run(small, store, {maxBytes: 6_000}), (err: Error & {fields: Record<string, unknown>}) => {
    assert.match(
      err.message,
      /^cannot hold \d+ bytes more for .*: query holds \d+ of 6000 bytes; the biggest selector, /,
    );
    assert.match(err.message, /has read \d+ series and \d+ bytes of chunks$/);
    assert.equal(err.fields.limit, 6_000);
    return true;
  });
});

test("counts of values begin at one, also in columns that held something else before", async () => {
  // More different values than a batch has rows, from two batches, the first of which is free again by then.
  const climbing = (name: string, from: number) =>
    series(
      {__name__: name},
      Array.from({length: 200}, (_, k) => [k * 60_000, from + k] as const),
    );
  const store = new MemoryStore([climbing("a", 1000), climbing("b", 2000)]);
  const params = {start: 0, end: 199 * 60_000, step: 60_000};
  const {values} = await run('count_values("v", a or on (__name__) b)', store, {lookbackMs: 60_000}, params);
  assert.equal(values.length, 400);
  assert.deepEqual([...new Set(values)], [1]);
});

test("a φ outside [0, 1] is told also where there is nothing to take a quantile of; of a changing one the furthest", async () => {
  const warnings = async (query: string) =>
    (await run(query, new MemoryStore([]), {query: undefined})).warnings.map((text) => text.split(", got ")[1]);
  assert.deepEqual(await warnings("quantile(time() / 100 - 3, none)"), ["3", "-3"]);
  assert.deepEqual(await warnings("quantile(NaN, none)"), ["NaN"]);
  assert.deepEqual(await warnings("histogram_quantile(1.5, none)"), ["1.5"]);
  assert.deepEqual(await warnings("quantile(0.5, none)"), []);
});

test("of several NaN, topk and bottomk keep the ones Prometheus keeps", async () => {
  const at = (n: string, v: number) => series({__name__: "x", n}, [[0, v]]);
  const store = new MemoryStore([at("a", Number.NaN), at("b", 2), at("c", Number.NaN), at("d", 1)]);
  for (const op of ["topk", "bottomk"]) {
    const {labels} = await run(`${op}(3, x)`, store, {}, {start: 0, end: 30_000, step: 30_000});
    assert.deepEqual(
      labels.map((l) => l.get("n")),
      ["a", "b", "d"],
    );
  }
});
