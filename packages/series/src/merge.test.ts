import assert from "node:assert/strict";
import {test} from "node:test";
import {ByteBudget, unlimited} from "@strata/base";
import {compareLabels, Labels} from "@strata/model";
import fc from "fast-check";
import {mergeBatches, sortWithout} from "./merge.ts";
import {AGGREGATE, type SeriesBatch} from "./series-batch.ts";
import {batchOf, collect, type PlainChunk, type PlainSeries, plain, streamOf} from "./testing/index.ts";

const raw = (mint: number, data = `${mint}`): PlainChunk => ({mint, maxt: mint + 9, data});
const one = (n: string, ...chunks: PlainChunk[]): PlainSeries => ({labels: {n}, chunks});

const texts = (batches: SeriesBatch[]): string[] =>
  plain(batches)
    .flat()
    .map((c) => `${c.labels} ${c.mint} ${c.data}`);

test("series of several inputs come out in label order", async () => {
  const a = [batchOf([one("a", raw(0)), one("c", raw(0))]), batchOf([one("e", raw(0))])];
  const b = [batchOf([one("b", raw(0)), one("d", raw(0)), one("f", raw(0))])];
  const got = await collect(mergeBatches([streamOf(a), streamOf([]), streamOf(b)]));
  assert.deepEqual(
    got.flatMap((x) => x.labels.map((l) => l.get("n"))),
    ["a", "b", "c", "d", "e", "f"],
  );
});

test("equal series are joined, their chunks sorted and exact duplicates dropped", async () => {
  const a = [batchOf([one("a", raw(0), raw(20))])];
  const b = [batchOf([one("a", raw(10), raw(20), raw(20, "other"))])];
  const got = await collect(mergeBatches([streamOf(a), streamOf(b)]));
  assert.equal(got.length, 1);
  assert.equal(got[0]!.labels.length, 1);
  assert.deepEqual(texts(got), ['{n="a"} 0 0', '{n="a"} 10 10', '{n="a"} 20 other', '{n="a"} 20 20']);
});

test("a series that one input continues in its next batch is joined with the other input's", async () => {
  const a = [batchOf([one("a", raw(0))]), batchOf([one("a", raw(20)), one("b", raw(0))])];
  const b = [batchOf([one("a", raw(10))])];
  const got = await collect(mergeBatches([streamOf(a), streamOf(b)]));
  assert.deepEqual(texts(got), ['{n="a"} 0 0', '{n="a"} 10 10', '{n="a"} 20 20', '{n="b"} 0 0']);
  assert.equal(got.flatMap((x) => x.labels).length, 2);
});

test("a downsampled chunk is a duplicate only when all its columns are", async () => {
  const columns = (count: string, sum: string): PlainChunk[] => [
    {mint: 0, maxt: 9, data: count, aggregate: AGGREGATE.count},
    {mint: 0, maxt: 9, data: sum, aggregate: AGGREGATE.sum},
  ];
  const merge = async (x: PlainChunk[], y: PlainChunk[]) =>
    plain(await collect(mergeBatches([streamOf([batchOf([one("a", ...x)])]), streamOf([batchOf([one("a", ...y)])])])))
      .flat()
      .map((c) => `${c.aggregate}${c.data}`);
  assert.deepEqual(await merge(columns("c", "s"), columns("c", "s")), ["1c", "2s"]);
  assert.deepEqual(await merge(columns("c", "s"), columns("c", "t")), ["1c", "2t", "1c", "2s"]);
});

test("sources of different inputs get different numbers, also where a batch is passed on whole", async () => {
  const many = (prefix: string) => Array.from({length: 40}, (_, i) => one(`${prefix}${i + 10}`, raw(0)));
  const got = await collect(mergeBatches([streamOf([batchOf(many("a"))]), streamOf([batchOf(many("b"))])]));
  const sources = new Map(
    plain(got)
      .flat()
      .map((c) => [c.labels.slice(4, 5), c.source]),
  );
  assert.equal(sources.get("a"), 0);
  assert.equal(sources.get("b"), 1);
});

test("warnings are passed on, also those of inputs without series", async () => {
  const a = [batchOf([one("a", raw(0))], ["w1"])];
  const got = await collect(mergeBatches([streamOf(a), streamOf([batchOf([], ["w2"])])]));
  assert.deepEqual(got.flatMap((b) => b.warnings).sort(), ["w1", "w2"]);
});

test("limit cuts after joining, and closes the inputs", async () => {
  let closed = 0;
  const input = () =>
    streamOf(
      [batchOf([one("a", raw(0)), one("b", raw(0))]), batchOf([one("c", raw(0)), one("d", raw(0))])],
      () => closed++,
    );
  const got = await collect(mergeBatches([input(), input()], {limit: 3}));
  assert.deepEqual(
    got.flatMap((x) => x.labels.map((l) => l.get("n"))),
    ["a", "b", "c"],
  );
  assert.equal(closed, 2);
});

test("an input that fails fails the merge and closes the others, even one that is being waited for", async () => {
  const {promise, resolve} = Promise.withResolvers<void>();
  async function* hanging(): AsyncGenerator<SeriesBatch> {
    await promise;
    yield batchOf([]);
  }
  // biome-ignore lint/correctness/useYield: fails before its first batch
  async function* failing(): AsyncGenerator<SeriesBatch> {
    throw new Error("boom");
  }
  await assert.rejects(collect(mergeBatches([hanging(), failing()])), /boom/);
  resolve();
});

/** The plain way to merge: everything in one map. */
function model(inputs: PlainSeries[][]): string[] {
  const map = new Map<string, {labels: Labels; chunks: Map<string, PlainChunk>}>();
  for (const s of inputs.flat()) {
    const labels = Labels.fromObject(s.labels);
    const entry = map.get(labels.toString()) ?? {labels, chunks: new Map()};
    map.set(labels.toString(), entry);
    for (const c of s.chunks) entry.chunks.set(`${c.mint} ${c.maxt} ${c.data}`, c);
  }
  return [...map.values()]
    .sort((a, b) => compareLabels(a.labels, b.labels))
    .flatMap(({labels, chunks}) =>
      [...chunks.values()]
        .sort((a, b) => a.mint - b.mint || a.maxt - b.maxt || Buffer.compare(Buffer.from(b.data), Buffer.from(a.data)))
        .map((c) => `${labels} ${c.mint} ${c.data}`),
    );
}

const chunks = fc.array(
  fc
    .record({mint: fc.integer({min: 0, max: 5}), data: fc.constantFrom("x", "yy", "z")})
    .map((c) => raw(c.mint, c.data)),
  {minLength: 1, maxLength: 4},
);
/** Half of the series come with their chunks in order, which takes another way through the merge. */
const inOrder = chunks.map((list) =>
  [...new Map(list.map((c) => [c.mint, c])).values()].sort((a, b) => a.mint - b.mint),
);
const input = fc
  .array(
    fc.record({labels: fc.record({n: fc.constantFrom("a", "b", "c", "d", "é")}), chunks: fc.oneof(chunks, inOrder)}),
    {maxLength: 8},
  )
  .map((list) => list.sort((a, b) => compareLabels(Labels.fromObject(a.labels), Labels.fromObject(b.labels))));

test("any inputs, however cut into batches, merge as one map would", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(input, {maxLength: 5}),
      fc.nat(3),
      fc.integer({min: 1, max: 4}),
      async (inputs, cut, size) => {
        const streams = inputs.map((series) => {
          const batches: SeriesBatch[] = [];
          for (let i = 0; i < series.length; i += cut + 1) batches.push(batchOf(series.slice(i, i + cut + 1)));
          return streamOf(batches);
        });
        const got = await collect(mergeBatches(streams, {batchSeries: size}));
        assert.deepEqual(texts(got), model(inputs));
        for (const b of got) assert.ok(b.labels.length <= size);
      },
    ),
  );
});

test("sortWithout drops labels, sorts again, joins what became equal and gives its bytes back", async () => {
  const series: PlainSeries[] = [
    {labels: {a: "1", replica: "x", z: "2"}, chunks: [raw(0)]},
    {labels: {a: "1", replica: "y", z: "1"}, chunks: [raw(0)]},
    {labels: {a: "1", replica: "y", z: "2"}, chunks: [raw(0), raw(10)]},
  ];
  const budget = new ByteBudget("test", 0);
  const got = await collect(sortWithout(streamOf([batchOf(series)]), ["replica"], budget));
  assert.deepEqual(texts(got), ['{a="1", z="1"} 0 0', '{a="1", z="2"} 0 0', '{a="1", z="2"} 10 10']);
  assert.equal(budget.used, 0);
  assert.ok(budget.peak > 0);
  const limited = await collect(sortWithout(streamOf([batchOf(series)]), ["replica"], unlimited(), {limit: 1}));
  assert.equal(limited.flatMap((b) => b.labels).length, 1);
});
