import assert from "node:assert/strict";
import {appendFileSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {tempDir} from "@strata/base/testing";
import {newUlid, relabelConfigs} from "@strata/model";
import {FaultyBucket, MemoryBucket} from "@strata/objstore/testing";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {encodeMark} from "../markers.ts";
import {putFakeBlock} from "../testing/fake-blocks.ts";
import {BaseFetcher, type DiscoveryStrategy} from "./base-fetcher.ts";
import {
  consistencyDelayFilter,
  DeletionMarkFilter,
  DuplicateFilter,
  labelShardFilter,
  type MetaFilter,
  replicaLabelRemover,
  timePartitionFilter,
} from "./filters.ts";
import {MetaFetcher} from "./meta-fetcher.ts";

const never = new AbortController().signal;
const id = (n: number) => newUlid(1_700_000_000_000 + n * 1000, new Uint8Array(10));
const STRATEGIES: readonly DiscoveryStrategy[] = ["concurrent", "recursive"];

function newFetcher(
  bucket: MemoryBucket | FaultyBucket,
  options: {filters?: readonly MetaFilter[]; cacheDir?: string; strategy?: DiscoveryStrategy} = {},
) {
  const registry = newRegistry();
  const base = new BaseFetcher({bucket, concurrency: 4, logger: nullLogger(), ...options});
  const fetcher = new MetaFetcher(base, options.filters ?? [], registry);
  const synced = async (state: string) => {
    const families = await registry.gather();
    const family = families.find((f) => f.name === "thanos_blocks_meta_synced");
    return family?.samples.find((s) => s.labels.some(([, value]) => value === state))?.value;
  };
  return {fetcher, synced};
}

for (const strategy of STRATEGIES) {
  test(`${strategy}: complete blocks are found, others are partial with their reason, strangers are ignored`, async () => {
    const bucket = new MemoryBucket();
    putFakeBlock(bucket, {ulid: id(1)});
    putFakeBlock(bucket, {ulid: id(2)});
    bucket.put(`${id(3)}/index`, "upload under way");
    bucket.put(`${id(4)}/meta.json`, "{");
    bucket.put(`${id(5)}/meta.json`, bucket.objects.get(`${id(1)}/meta.json`)?.bytes ?? "");
    bucket.put("debug/metas/x.json", "{}");
    bucket.put("stray", "x");
    bucket.put(`${id(6).toLowerCase()}/meta.json`, "{}");
    const {fetcher, synced} = newFetcher(bucket, {strategy});
    const result = await fetcher.fetch(never);
    assert.deepEqual([...result.metas.keys()], [id(1), id(2)]);
    assert.deepEqual([...result.partial.keys()].sort(), [id(3), id(4), id(5)]);
    assert.match(result.partial.get(id(3))?.message ?? "", /meta.json not found/);
    assert.match(result.partial.get(id(4))?.message ?? "", new RegExp(`meta.json corrupted: .*${id(4)}/meta.json`));
    assert.equal(result.incomplete, undefined);
    assert.equal(await synced("loaded"), 2);
    assert.equal(await synced("no-meta-json"), 1);
    assert.equal(await synced("corrupted-meta-json"), 2);
  });

  test(`${strategy}: a meta is read once, also across restarts; gone blocks go`, async (t) => {
    const memory = new MemoryBucket("m", () => new Date(5000));
    const bucket = new FaultyBucket(memory);
    const gets = () => bucket.calls.filter((call) => call.operation === "get").length;
    for (let i = 0; i < 5; i++) putFakeBlock(memory, {ulid: id(i)});
    const cacheDir = tempDir(t);
    const first = newFetcher(bucket, {strategy, cacheDir}).fetcher;
    assert.equal((await first.fetch(never)).metas.size, 5);
    assert.equal(gets(), 5);
    putFakeBlock(memory, {ulid: id(5)});
    for (const key of [...memory.objects.keys()]) if (key.startsWith(id(0))) memory.objects.delete(key);
    assert.deepEqual([...(await first.fetch(never)).metas.keys()], [1, 2, 3, 4, 5].map(id));
    assert.equal(gets(), 6);

    appendFileSync(join(cacheDir, "meta-syncer", "metas"), '5000 {"version":1,"ulid":"cut of');
    const second = newFetcher(bucket, {strategy, cacheDir}).fetcher;
    assert.deepEqual([...(await second.fetch(never)).metas.keys()], [1, 2, 3, 4, 5].map(id));
    assert.equal(gets(), 6, "everything came from the kept file");
    putFakeBlock(memory, {ulid: id(6)});
    await second.fetch(never);
    const third = newFetcher(bucket, {strategy, cacheDir}).fetcher;
    await third.fetch(never);
    assert.equal(gets(), 7, "a torn line did not spoil the next one");
  });

  test(`${strategy}: what cannot be read makes the view incomplete and is tried again`, async () => {
    const memory = new MemoryBucket();
    const bucket = new FaultyBucket(memory);
    for (let i = 0; i < 3; i++) putFakeBlock(memory, {ulid: id(i)});
    bucket.before = (call) => {
      if (call.operation === "get" && call.key.startsWith(id(1))) throw new StrataError("unavailable", "503");
      return undefined;
    };
    const {fetcher, synced} = newFetcher(bucket, {strategy});
    const result = await fetcher.fetch(never);
    assert.deepEqual([...result.metas.keys()], [id(0), id(2)]);
    assert.match(result.incomplete?.message ?? "", new RegExp(`incomplete view of 1 blocks: ${id(1)}: .*503`));
    assert.equal(await synced("failed"), 1);
    bucket.before = () => undefined;
    const again = await fetcher.fetch(never);
    assert.equal(again.metas.size, 3);
    assert.equal(again.incomplete, undefined);
  });
}

test("the recursive strategy notices a rewritten meta", async () => {
  let now = 1000;
  const bucket = new MemoryBucket("m", () => new Date(now));
  putFakeBlock(bucket, {ulid: id(1), labels: {a: "1"}});
  const {fetcher} = newFetcher(bucket, {strategy: "recursive"});
  await fetcher.fetch(never);
  now = 2000;
  putFakeBlock(bucket, {ulid: id(1), labels: {a: "2"}});
  assert.deepEqual((await fetcher.fetch(never)).metas.get(id(1))?.thanos?.labels, {a: "2"});
});

test("the kept file is written anew once most of its blocks are gone", async (t) => {
  const cacheDir = tempDir(t);
  const bucket = new MemoryBucket();
  for (let i = 0; i < 300; i++) putFakeBlock(bucket, {ulid: id(i)});
  const {fetcher} = newFetcher(bucket, {cacheDir});
  await fetcher.fetch(never);
  for (let i = 0; i < 290; i++) bucket.objects.delete(`${id(i)}/meta.json`);
  await fetcher.fetch(never);
  const lines = readFileSync(join(cacheDir, "meta-syncer", "metas"), "utf8")
    .split("\n")
    .filter((line) => line !== "");
  assert.equal(lines.length, 10);
});

async function kept(bucket: MemoryBucket, ...filters: MetaFilter[]): Promise<string[]> {
  return [...(await newFetcher(bucket, {filters}).fetcher.fetch(never)).metas.keys()];
}

test("time partition keeps what touches the closed range", async () => {
  const bucket = new MemoryBucket();
  putFakeBlock(bucket, {ulid: id(1), minTime: 0, maxTime: 100});
  putFakeBlock(bucket, {ulid: id(2), minTime: 100, maxTime: 200});
  putFakeBlock(bucket, {ulid: id(3), minTime: 200, maxTime: 300});
  const between = (min: number, max: number) =>
    kept(
      bucket,
      timePartitionFilter(
        () => min,
        () => max,
      ),
    );
  assert.deepEqual(await between(100, 199), [id(1), id(2)]);
  assert.deepEqual(await between(101, 200), [id(2), id(3)]);
  assert.deepEqual(await between(301, 400), []);
});

test("label shard sees external labels and the block id, not hidden labels", async () => {
  const bucket = new MemoryBucket();
  putFakeBlock(bucket, {ulid: id(1), labels: {cluster: "a", replica: "0"}});
  putFakeBlock(bucket, {ulid: id(2), labels: {cluster: "b", replica: "1"}});
  const rules = (action: string, label: string, regex: string) =>
    relabelConfigs([{action, source_labels: [label], regex}]);
  assert.deepEqual(await kept(bucket, labelShardFilter(rules("keep", "cluster", "a"))), [id(1)]);
  assert.deepEqual(await kept(bucket, labelShardFilter(rules("drop", "__block_id", id(1)))), [id(2)]);
  assert.deepEqual(await kept(bucket, labelShardFilter(rules("keep", "replica", "0"))), [id(1)]);
  assert.deepEqual(await kept(bucket, labelShardFilter(rules("keep", "replica", "0"), ["replica"])), []);
});

test("consistency delay hides fresh uploads, but not those that replace blocks", async () => {
  const bucket = new MemoryBucket();
  const now = Date.UTC(2026, 0, 1);
  putFakeBlock(bucket, {ulid: newUlid(now - 600_000), uploadTime: "2025-12-31T23:59:00Z"});
  putFakeBlock(bucket, {ulid: newUlid(now - 60_000), uploadTime: "2025-12-31T23:00:00Z"});
  putFakeBlock(bucket, {ulid: newUlid(now - 61_000), uploadTime: "2025-12-31T23:59:30Z", source: "compactor"});
  putFakeBlock(bucket, {ulid: newUlid(now - 1000)});
  const found = await kept(
    bucket,
    consistencyDelayFilter(600_000, newRegistry(), () => now),
  );
  assert.deepEqual(
    found.map((ulid) => bucket.objects.has(`${ulid}/meta.json`)),
    [true, true],
  );
  assert.equal(found.length, 2);
});

test("without a consistency delay no block is too fresh, not even one from a clock that is ahead", async () => {
  const bucket = new MemoryBucket();
  const now = Date.UTC(2026, 0, 1);
  const ahead = newUlid(now + 60_000);
  putFakeBlock(bucket, {ulid: ahead});
  const filter = (delayMs: number) => consistencyDelayFilter(delayMs, newRegistry(), () => now);
  assert.deepEqual(await kept(bucket, filter(0)), [ahead]);
  assert.deepEqual(await kept(bucket, filter(1)), []);
});

test("marked blocks go once the delay is over; their marks are remembered", async () => {
  const bucket = new MemoryBucket();
  for (let i = 0; i < 3; i++) putFakeBlock(bucket, {ulid: id(i)});
  for (const [i, time] of [
    [0, 1000],
    [1, 2000],
  ] as const) {
    bucket.put(`${id(i)}/deletion-mark.json`, encodeMark("deletion", {ulid: id(i), time, details: "", reason: ""}));
  }
  const filter = new DeletionMarkFilter(bucket, 500_000, nullLogger(), () => 2_000_000);
  assert.deepEqual(await kept(bucket, filter), [id(1), id(2)]);
  assert.deepEqual([...filter.marks.keys()].sort(), [id(0), id(1)]);
});

test("blocks compacted into another are duplicates, of equal ones the smaller id stays", async () => {
  const bucket = new MemoryBucket();
  putFakeBlock(bucket, {ulid: id(1)});
  putFakeBlock(bucket, {ulid: id(2)});
  putFakeBlock(bucket, {ulid: id(3), sources: [id(1), id(2)]});
  putFakeBlock(bucket, {ulid: id(4), sources: [id(1), id(2)]});
  putFakeBlock(bucket, {ulid: id(5), sources: [id(1)], resolution: 300_000});
  putFakeBlock(bucket, {ulid: id(6), sources: [id(1)], labels: {cluster: "b"}});
  const filter = new DuplicateFilter();
  assert.deepEqual(await kept(bucket, filter), [id(3), id(5), id(6)]);
  assert.deepEqual(filter.duplicates, [id(1), id(2), id(4)]);
});

test("replica labels are removed from metas; nothing left becomes deduped", async () => {
  const bucket = new MemoryBucket();
  putFakeBlock(bucket, {ulid: id(1), labels: {cluster: "a", replica: "0"}});
  putFakeBlock(bucket, {ulid: id(2), labels: {replica: "0", rule_replica: "1"}});
  const {fetcher} = newFetcher(bucket, {filters: [replicaLabelRemover(["replica", "rule_replica"])]});
  const {metas} = await fetcher.fetch(never);
  assert.deepEqual(metas.get(id(1))?.thanos?.labels, {cluster: "a"});
  assert.deepEqual(metas.get(id(2))?.thanos?.labels, {replica: "deduped"});
});
