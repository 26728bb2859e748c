import assert from "node:assert/strict";
import {existsSync, readdirSync} from "node:fs";
import {test} from "node:test";
import {ByteBudget} from "@strata/base";
import {tempDir} from "@strata/base/testing";
import {appendFloatChunk, ENCODING, encodeFloatChunks, newFloatColumns} from "@strata/chunkenc";
import {compareLabels, Labels, type Matcher, matcher, shardOf} from "@strata/model";
import type {LabelQuery, Select, SeriesBatch} from "@strata/series";
import fc from "fast-check";
import {BlockReader, type BlockReaderOptions} from "./block-reader.ts";
import {Tombstones} from "./tombstones.ts";
import {BlockWriter} from "./writer/block-writer.ts";

const signal = new AbortController().signal;

function query(over: Partial<Select> = {}): Select {
  return {
    matchers: [],
    mint: 0,
    maxt: 1_000_000_000,
    step: 0,
    range: 0,
    func: "",
    maxResolution: 0,
    aggregates: [],
    withoutReplicaLabels: [],
    skipChunks: false,
    limit: 0,
    partialResponse: false,
    budget: new ByteBudget("test", 0),
    ...over,
  };
}

const labelQuery = (matchers: readonly Matcher[] = [], over: Partial<LabelQuery> = {}): LabelQuery => ({
  matchers,
  mint: 0,
  maxt: 1_000_000_000,
  withoutReplicaLabels: [],
  limit: 0,
  partialResponse: false,
  ...over,
});

/** Samples every 1000 ms from 0, chunks of ten. */
async function writeBlock(
  dir: string,
  series: readonly Labels[],
  samples = 30,
  tombstones?: Tombstones,
): Promise<string> {
  const writer = await BlockWriter.create(dir);
  for (const labels of [...series].sort(compareLabels)) {
    writer.startSeries(labels);
    const t = Float64Array.from({length: samples}, (_, i) => i * 1_000);
    const v = Float64Array.from({length: samples}, (_, i) => i);
    for (const c of encodeFloatChunks({t, v, n: samples}, 0, samples, 10)) {
      await writer.addChunk(c.mint, c.maxt, ENCODING.xor, c.data);
    }
    await writer.endSeries();
  }
  await writer.finish({minTime: 0, maxTime: samples * 1_000, tombstones});
  return writer.dir;
}

async function withBlock<T>(
  dir: string,
  options: BlockReaderOptions,
  use: (block: BlockReader) => Promise<T>,
): Promise<T> {
  const block = await BlockReader.open(dir, options);
  try {
    return await use(block);
  } finally {
    await block.close();
  }
}

async function collect(
  stream: AsyncIterable<SeriesBatch>,
): Promise<{labels: string; times: number[]; chunks: number}[]> {
  const out: {labels: string; times: number[]; chunks: number}[] = [];
  for await (const batch of stream) {
    for (let s = 0; s < batch.labels.length; s++) {
      const columns = newFloatColumns(64);
      const from = batch.firstChunk[s] as number;
      const to = batch.firstChunk[s + 1] as number;
      for (let c = from; c < to; c++) {
        appendFloatChunk(
          batch.encoding[c] as number,
          batch.bytes,
          batch.offset[c] as number,
          batch.length[c] as number,
          columns,
        );
      }
      out.push({labels: String(batch.labels[s]), times: [...columns.t.subarray(0, columns.n)], chunks: to - from});
    }
  }
  return out;
}

const L = (object: Record<string, string>) => Labels.fromObject(object);

test("a select gives the chunks that overlap the range, whole", async (t) => {
  const dir = await writeBlock(tempDir(t), [L({__name__: "a"}), L({__name__: "b"})]);
  await withBlock(dir, {}, async (block) => {
    const f = async (mint: number, maxt: number, want: number) =>
      assert.deepEqual(
        (await collect(block.select(query({mint, maxt}), signal))).map((s) => s.chunks),
        want ? [want, want] : [],
      );
    await f(0, 29_000, 3);
    await f(9_000, 9_000, 1);
    await f(9_000, 10_000, 2);
    await f(9_001, 9_999, 0);
    await f(29_001, 50_000, 0);
  });
});

test("deletions drop whole chunks and cut others", async (t) => {
  const parent = tempDir(t);
  const plain = await writeBlock(parent, [L({__name__: "a"}), L({__name__: "b"}), L({__name__: "c"})]);
  const ids = await withBlock(plain, {}, async (block) => [...(await block.index.all())]);
  const tombstones = new Tombstones();
  tombstones.add(ids[0] as number, {mint: 5_000, maxt: 22_000});
  tombstones.add(ids[1] as number, {mint: -1, maxt: 1_000_000});
  const dir = await writeBlock(parent, [L({__name__: "a"}), L({__name__: "b"}), L({__name__: "c"})], 30, tombstones);
  await withBlock(dir, {}, async (block) => {
    const got = await collect(block.select(query(), signal));
    assert.deepEqual(
      got.map((s) => [s.labels, s.chunks]),
      [
        ['{__name__="a"}', 2],
        ['{__name__="c"}', 3],
      ],
    );
    assert.deepEqual(
      got[0]?.times,
      [0, 1, 2, 3, 4, 23, 24, 25, 26, 27, 28, 29].map((s) => s * 1_000),
    );
  });
  await withBlock(dir, {ignoreTombstones: true}, async (block) => {
    assert.equal((await collect(block.select(query(), signal))).length, 3);
  });
});

test("external labels answer matchers, join every series and keep label order; replica labels go", async (t) => {
  const name = fc.constantFrom("a", "b", "x", "z");
  const value = fc.constantFrom("1", "2");
  const set = fc.dictionary(name, value, {maxKeys: 4}).map((o) => L({__name__: "m", ...o}));
  const sets = fc.uniqueArray(set, {minLength: 1, maxLength: 12, selector: String});
  const parent = tempDir(t);
  await fc.assert(
    fc.asyncProperty(
      sets,
      fc.dictionary(name, value, {maxKeys: 2}),
      fc.subarray(["a", "x", "z"]),
      async (series, external, remove) => {
        const dir = await writeBlock(parent, series, 3);
        const externalLabels = L(external);
        const want = new Set(series.map((s) => String(s.extend(externalLabels).without(remove))));
        await withBlock(dir, {externalLabels}, async (block) => {
          const labels: Labels[] = [];
          const q = query({withoutReplicaLabels: remove});
          for await (const batch of block.select(q, signal)) labels.push(...batch.labels);
          for (let i = 1; i < labels.length; i++) {
            assert.ok(compareLabels(labels[i - 1] as Labels, labels[i] as Labels) < 0, labels.join(" "));
          }
          assert.deepEqual(new Set(labels.map(String)), want);
          assert.equal(q.budget.used, 0);
          const names = await block.labelNames(labelQuery([], {withoutReplicaLabels: remove}), signal);
          assert.deepEqual(
            names.values,
            [...new Set(labels.flatMap((l) => l.pairs.filter((_, i) => i % 2 === 0)))].sort(),
          );
        });
      },
    ),
    {numRuns: 60},
  );
});

test("matchers on external labels decide before anything is read", async (t) => {
  const dir = await writeBlock(tempDir(t), [L({__name__: "a", zone: "own"})]);
  await withBlock(dir, {externalLabels: L({cluster: "c1", zone: "ext"})}, async (block) => {
    const f = async (m: Matcher, want: number) =>
      assert.equal((await collect(block.select(query({matchers: [m]}), signal))).length, want);
    await f(matcher("cluster", "=", "c1"), 1);
    await f(matcher("cluster", "=", "c2"), 0);
    await f(matcher("zone", "=", "own"), 0);
    await f(matcher("zone", "!=", "own"), 1);
    assert.deepEqual((await block.labelValues("cluster", labelQuery(), signal)).values, ["c1"]);
    assert.deepEqual(
      (await block.labelValues("cluster", labelQuery([matcher("cluster", "=", "no")]), signal)).values,
      [],
    );
    assert.deepEqual((await block.labelValues("__name__", labelQuery([], {mint: 900_000_000}), signal)).values, []);
  });
});

test("shards split the series, limit and skipChunks shorten the answer", async (t) => {
  const series = Array.from({length: 700}, (_, i) => L({__name__: "m", i: String(i)}));
  const dir = await writeBlock(tempDir(t), series, 10);
  await withBlock(dir, {}, async (block) => {
    let total = 0;
    for (let index = 0; index < 3; index++) {
      const shard = {index, total: 3, by: false, labels: []};
      const got = await collect(block.select(query({shard}), signal));
      total += got.length;
      const want = series
        .filter((s) => shardOf(s, shard) === index)
        .sort(compareLabels)
        .map(String);
      assert.deepEqual(
        got.map((s) => s.labels),
        want,
      );
    }
    assert.equal(total, 700);
    assert.equal((await collect(block.select(query({limit: 5}), signal))).length, 5);
    const bare = await collect(block.select(query({skipChunks: true}), signal));
    assert.ok(bare.length === 700 && bare.every((s) => s.chunks === 0));
  });
});

test("a series of very many chunks is spread over batches", async (t) => {
  const writer = await BlockWriter.create(tempDir(t));
  const t0 = new Float64Array(1);
  for (const name of ["long", "short"]) {
    writer.startSeries(L({__name__: name}));
    for (let i = 0; i < (name === "long" ? 20_000 : 1); i++) {
      t0[0] = i * 10;
      const [c] = encodeFloatChunks({t: t0, v: new Float64Array(1), n: 1});
      await writer.addChunk(i * 10, i * 10, ENCODING.xor, c?.data as Uint8Array);
    }
    await writer.endSeries();
  }
  await writer.finish({minTime: 0, maxTime: 200_000});
  await withBlock(writer.dir, {}, async (block) => {
    const got = await collect(block.select(query(), signal));
    assert.deepEqual(
      got.map((s) => s.labels),
      ['{__name__="long"}', '{__name__="long"}', '{__name__="long"}', '{__name__="short"}'],
    );
    assert.deepEqual(
      got.slice(0, 3).flatMap((s) => s.times),
      Array.from({length: 20_000}, (_, i) => i * 10),
    );
  });
});

test("closing waits for the select under way and refuses new ones", async (t) => {
  const dir = await writeBlock(
    tempDir(t),
    Array.from({length: 600}, (_, i) => L({i: String(i)})),
  );
  const block = await BlockReader.open(dir);
  const stream = block.select(query(), signal)[Symbol.asyncIterator]();
  await stream.next();
  const closing = block.close();
  assert.equal((await stream.next()).done, false);
  await stream.return?.(undefined);
  await closing;
  await assert.rejects(() => block.labelNames(labelQuery(), signal), {code: "unavailable"});
});

test("an aborted signal ends a select", async (t) => {
  const dir = await writeBlock(tempDir(t), [L({a: "1"})]);
  await withBlock(dir, {}, (block) =>
    assert.rejects(() => collect(block.select(query(), AbortSignal.abort())), {name: "AbortError"}),
  );
});

test("a block without samples is not written, and nothing is left behind", async (t) => {
  const parent = tempDir(t);
  const writer = await BlockWriter.create(parent);
  assert.equal(await writer.finish({minTime: 0, maxTime: 1}), undefined);
  const other = await BlockWriter.create(parent);
  other.startSeries(L({a: "1"}));
  await other.abort();
  assert.deepEqual(readdirSync(parent), []);
  assert.ok(!existsSync(other.dir));
});

test("series and chunks out of order are refused", async (t) => {
  const writer = await BlockWriter.create(tempDir(t), {symbols: ["a", "b", "x"]});
  writer.startSeriesByRefs([0, 2]);
  await writer.endSeries();
  writer.startSeriesByRefs([0, 1]);
  assert.throws(() => writer.endSeries(), {code: "conflict"});
  await writer.abort();
  const byLabels = await BlockWriter.create(tempDir(t));
  byLabels.startSeries(L({a: "2"}));
  await byLabels.endSeries();
  assert.throws(() => byLabels.startSeries(L({a: "1"})), {code: "conflict"});
  await byLabels.abort();
});
