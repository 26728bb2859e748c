import assert from "node:assert/strict";
import {type TestContext, test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {matcher, newUlid} from "@strata/model";
import {FilesystemBucket} from "@strata/objstore";
import {FaultyBucket} from "@strata/objstore/testing";
import type {Select} from "@strata/series";
import {selectAll} from "@strata/storeapi/testing";
import {newRegistry} from "@strata/telemetry";
import {memoryIndexCache} from "./index-cache.ts";
import {NO_LIMITS} from "./request-limits.ts";
import {cutRows} from "./row-cache.ts";
import {writeBlock} from "./testing/make-blocks.ts";
import {openStore} from "./testing/open-store.ts";

const never = new AbortController().signal;
const id = (n: number) => newUlid(1_700_000_000_000 + n, new Uint8Array(10));
const HOUR = 3_600_000;

/** A store over two blocks of five series; `reads` tells how often a select read an index. */
async function open(t: TestContext, rowCacheBytes: number | undefined, blockMs = 2 * HOUR, seriesLimit = 0) {
  const dir = tempDir(t);
  for (const n of [0, 1]) {
    const series = ["a", "b", "c", "d", "e"].map((i) => ({
      labels: {__name__: "m", i},
      times: [0.1, 0.4, 0.6, 0.9].map((part) => Math.floor((n + part) * blockMs)),
    }));
    await writeBlock(dir, {
      ulid: id(n),
      minTime: n * blockMs,
      maxTime: (n + 1) * blockMs,
      external: {r: "x"},
      series,
    });
  }
  const bucket = new FaultyBucket(new FilesystemBucket(dir));
  const indexCache = memoryIndexCache({registry: newRegistry(), maxBytes: 1, maxItemBytes: 1});
  const {store} = await openStore(t, bucket, {indexCache, rowCacheBytes, limits: {...NO_LIMITS, series: seriesLimit}});
  const select = async (q: Partial<Select>): Promise<{found: string[]; reads: number}> => {
    bucket.calls.length = 0;
    const found: string[] = [];
    const whole = {mint: 0, maxt: 2 * blockMs, partialResponse: false};
    for await (const b of store.select(selectAll({matchers: [matcher("__name__", "=", "m")], ...whole, ...q}), never)) {
      for (let i = 0; i < b.labels.length; i++) {
        const chunks = [...b.mint.subarray(b.firstChunk[i], b.firstChunk[i + 1])];
        found.push(`${b.labels[i]} ${chunks}`);
      }
    }
    return {found, reads: bucket.calls.filter((call) => /index/.test(JSON.stringify(call))).length};
  };
  return {select, store};
}

test("what was selected once is not looked up again, whatever the times", async (t) => {
  const plain = await open(t, undefined);
  const {select} = await open(t, 1 << 20);
  const f = async (q: Partial<Select>, known: boolean) => {
    const want = await plain.select(q);
    const got = await select(q);
    assert.deepEqual(got.found, want.found);
    assert.ok(want.reads > 0);
    assert.equal(got.reads === 0, known, JSON.stringify(q));
  };
  // The first asks for a part of one block, and the whole of it is kept.
  await f({mint: HOUR, maxt: 1.5 * HOUR}, false);
  await f({mint: 0, maxt: 0.5 * HOUR}, true);
  await f({}, false);
  await f({}, true);
  await f({limit: 3}, true);
  await f({mint: 1.9 * HOUR, maxt: 2.1 * HOUR}, true);
  await f({withoutReplicaLabels: ["r"]}, false);
  await f({withoutReplicaLabels: ["r"]}, true);
  await f({matchers: [matcher("__name__", "=", "m"), matcher("i", "!=", "b")]}, false);
  // Selects of series alone are looked up each time.
  await f({skipChunks: true}, false);
});

test("shards are told from the same rows, whoever asked first", async (t) => {
  const plain = await open(t, undefined);
  const {select} = await open(t, 1 << 20);
  const shards = [2, 3, 2, 7, 1].flatMap((total) =>
    [[], ["i"], ["__name__"]].flatMap((labels) =>
      Array.from({length: total}, (_, index) => ({index, total, by: labels.length > 0, labels})),
    ),
  );
  for (const [n, shard] of shards.entries()) {
    const got = await select({shard});
    assert.deepEqual(got.found, (await plain.select({shard})).found, JSON.stringify(shard));
    assert.equal(got.reads === 0, n > 0, JSON.stringify(shard));
  }
  assert.deepEqual((await select({})).found, (await plain.select({})).found);
  assert.equal((await select({})).reads, 0);
});

test("the series limit counts what matches in all shards, known or not", async (t) => {
  const {select} = await open(t, 1 << 20, 2 * HOUR, 9);
  const shard = {index: 0, total: 2, by: false, labels: []};
  for (let round = 0; round < 2; round++) {
    await select({shard, maxt: HOUR});
    await assert.rejects(select({shard}), /exceeded series limit: limit 9 violated \(got 10\)/);
  }
});

test("neither selections with many series or chunks nor unfinished ones are kept, but those of long blocks are", async (t) => {
  const little = {mint: 1 * HOUR, maxt: 30 * HOUR};
  for (const [rowCacheBytes, known] of [
    [1 << 20, true],
    // Enough for the five series without their chunks.
    [16 * 5 * 250, false],
  ] as const) {
    const long = await open(t, rowCacheBytes, 48 * HOUR);
    await long.select(little);
    assert.equal((await long.select({mint: 31 * HOUR, maxt: 40 * HOUR})).reads === 0, known);
  }
  const small = await open(t, 16 * 5 * 300);
  await small.select({});
  assert.notEqual((await small.select({})).reads, 0);
  const unfinished = await open(t, 1 << 20);
  await unfinished.select({limit: 1});
  assert.equal((await unfinished.select({})).found.length, 5);
});

test("the selections that were not used for longest go first", async (t) => {
  // Each takes some 5 × 300 bytes a block.
  const {select} = await open(t, 64 << 10);
  const q = (i: number) => ({matchers: [matcher("__name__", "=", "m"), matcher("i", "!=", `x${i}`)]});
  await select(q(0));
  for (let i = 1; i < 40; i++) {
    await select(q(i));
    assert.equal((await select(q(0))).reads, 0);
  }
  assert.equal((await select(q(39))).reads, 0);
  assert.notEqual((await select(q(1))).reads, 0);
});

test("chunks that touch the times are picked where others lie between them", () => {
  const chunks = {
    mint: Float64Array.of(0, 1, 2, 30),
    maxt: Float64Array.of(20, 3, 25, 40),
    ref: Float64Array.of(7, 8, 9, 10),
  };
  const [row] = cutRows([{labels: undefined as never, chunks, from: 0, to: 4}], 10, 26);
  assert.deepEqual([...(row?.chunks.ref.subarray(row.from, row.to) ?? [])], [7, 9]);
  assert.deepEqual(cutRows([{labels: undefined as never, chunks, from: 1, to: 2}], 10, 26), []);
});
