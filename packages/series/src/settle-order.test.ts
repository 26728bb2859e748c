import assert from "node:assert/strict";
import {test} from "node:test";
import {compareLabels, Labels} from "@strata/model";
import fc from "fast-check";
import type {SeriesBatch} from "./series-batch.ts";
import {settleOrder} from "./settle-order.ts";
import {batchOf, collect, type PlainSeries, plain, streamOf} from "./testing/index.ts";

const row = (labels: Record<string, string>, data = "x"): PlainSeries => ({labels, chunks: [{mint: 1, maxt: 2, data}]});
const shown = (batches: SeriesBatch[]): string[] => batches.flatMap((b) => b.labels.map(String));

/** The rows cut into batches of `size`. */
function streamIn(rows: readonly PlainSeries[], size: number): AsyncGenerator<SeriesBatch> {
  const batches: SeriesBatch[] = [];
  for (let i = 0; i < rows.length; i += size) batches.push(batchOf(rows.slice(i, i + size)));
  return streamOf(batches);
}

test("a series that others extend is put behind those that belong before it", async () => {
  const rows = [
    {m: "1", replica: "r"},
    {job: "a", m: "1", replica: "r"},
    {m: "1", replica: "r", z: "2"},
  ];
  // As a source sends them that sorted before it added `replica`.
  const sent = [row({m: "1", replica: "r"}), row({m: "1", n: "2", replica: "r"}), row({m: "1", replica: "r", z: "3"})];
  for (const size of [1, 2, 3]) {
    assert.deepEqual(shown(await collect(settleOrder(streamIn(sent, size), "s"))), [
      '{m="1", n="2", replica="r"}',
      '{m="1", replica="r"}',
      '{m="1", replica="r", z="3"}',
    ]);
  }
  assert.equal(rows.length, 3);
});

const name = fc.constantFrom("a", "b", "c", "d", "e", "f");
const labelSet = fc.dictionary(name, fc.constantFrom("1", "2"), {maxKeys: 4});

test("any sorted series with any added label come out sorted, none lost, chunks kept", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(labelSet, {maxLength: 30}),
      fc.constantFrom("aa", "bb", "cc", "dd", "ee", "ff", "0"),
      fc.integer({min: 1, max: 7}),
      async (sets, added, size) => {
        const sent = sets
          .map((set) => Labels.fromObject(set))
          .sort(compareLabels)
          .map((l, i) => row({...l.toObject(), [added]: "x"}, `${i}`));
        const got = await collect(settleOrder(streamIn(sent, size), "s"));
        const want = plain([
          batchOf(sent.toSorted((a, b) => compareLabels(Labels.fromObject(a.labels), Labels.fromObject(b.labels)))),
        ]);
        assert.deepEqual(plain(got).flat(), want.flat());
      },
    ),
    {numRuns: 300},
  );
});

test("what is in no order at all is refused, after all that could be told", async () => {
  const got: string[] = [];
  const rows = ["a", "c", "d", "b"].map((n) => row({n}));
  await assert.rejects(
    async () => {
      for await (const b of settleOrder(streamIn(rows, 2), "store-1")) got.push(...shown([b]));
    },
    {code: "corrupt", message: 'cannot read series of store-1: {n="b"} comes after {n="c"}, not in label order'},
  );
  assert.deepEqual(got, ['{n="a"}', '{n="c"}', '{n="d"}']);
});

test("a stream that fails gives what was held first, and warnings pass", async () => {
  async function* failing(): AsyncGenerator<SeriesBatch> {
    yield batchOf([row({n: "a"})], ["careful"]);
    throw new Error("broken off");
  }
  const got: SeriesBatch[] = [];
  await assert.rejects(async () => {
    for await (const b of settleOrder(failing(), "s")) got.push(b);
  }, /broken off/);
  assert.deepEqual(shown(got), ['{n="a"}']);
  assert.deepEqual(
    got.flatMap((b) => b.warnings),
    ["careful"],
  );
});
