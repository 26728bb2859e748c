import assert from "node:assert/strict";
import {test} from "node:test";
import {BaseFetcher, MetaFetcher} from "@strata/block";
import {type FakeBlock, putFakeBlock} from "@strata/block/testing";
import {matcher} from "@strata/model";
import {readObject} from "@strata/objstore";
import {MemoryBucket} from "@strata/objstore/testing";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {type ReplicateFilter, Replicator} from "./replicate.ts";

const never = new AbortController().signal;
const A = "01HZGFK278X23B03X9X76ES6FR";
const B = "01HZGK0XV8PC76W2DNN1Y2GXFW";
const C = "01HZB3XWZ8EYK4MFJYQWHYBTFC";
const ALL: ReplicateFilter = {matchers: [], resolutions: [0, 300_000, 3_600_000], levels: [1, 2, 3, 4], ulids: []};

function setting(blocks: readonly FakeBlock[], filter: Partial<ReplicateFilter> = {}) {
  const from = new MemoryBucket();
  const to = new MemoryBucket();
  for (const block of blocks) putFakeBlock(from, block);
  const registry = newRegistry();
  const base = new BaseFetcher({bucket: from, concurrency: 4, logger: nullLogger()});
  const replicator = new Replicator({
    from,
    to,
    fetcher: new MetaFetcher(base, [], registry),
    filter: {...ALL, ...filter},
    logger: nullLogger(),
    registry,
  });
  return {from, to, replicator};
}

const read = async (bucket: MemoryBucket, key: string): Promise<string> =>
  Buffer.from(await readObject(bucket, key, 1 << 20, never)).toString();

async function keys(bucket: MemoryBucket): Promise<string[]> {
  const names: string[] = [];
  for await (const {name} of bucket.list("", {recursive: true}, never)) names.push(name);
  return names;
}

const filesOf = (ulid: string): string[] => [`${ulid}/chunks/000001`, `${ulid}/index`, `${ulid}/meta.json`];

test("whole blocks are copied byte for byte, once", async () => {
  const {from, to, replicator} = setting([{ulid: A}, {ulid: B, minTime: 7_200_000, maxTime: 14_400_000}]);
  await replicator.run(never);
  assert.deepEqual(await keys(to), [...filesOf(A), ...filesOf(B)]);
  for (const key of await keys(to)) assert.equal(await read(to, key), await read(from, key), key);
  from.put(`${A}/index`, "never read again");
  await replicator.run(never);
  assert.notEqual(await read(to, `${A}/index`), "never read again");
});

test("labels, resolution and level choose the blocks; ids win over all of them", async () => {
  const blocks: FakeBlock[] = [
    {ulid: A, labels: {cluster: "eu"}},
    {ulid: B, labels: {cluster: "us"}, level: 3},
    {ulid: C, labels: {cluster: "eu"}, resolution: 300_000},
  ];
  const copied = async (filter: Partial<ReplicateFilter>): Promise<string[]> => {
    const {to, replicator} = setting(blocks, filter);
    await replicator.run(never);
    return (await keys(to)).filter((key) => key.endsWith("meta.json")).map((key) => key.slice(0, 26));
  };
  assert.deepEqual(await copied({matchers: [matcher("cluster", "=", "eu")]}), [C, A]);
  assert.deepEqual(await copied({resolutions: [0]}), [A, B]);
  assert.deepEqual(await copied({levels: [3]}), [B]);
  assert.deepEqual(await copied({ulids: [B], resolutions: [], levels: []}), [B]);
});

test("an object that was left incomplete over there is copied again", async () => {
  const {from, to, replicator} = setting([{ulid: A}]);
  to.put(`${A}/index`, "half");
  await replicator.run(never);
  assert.equal(await read(to, `${A}/index`), await read(from, `${A}/index`));
});
