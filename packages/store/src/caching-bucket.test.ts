import assert from "node:assert/strict";
import {test} from "node:test";
import {LruCache} from "@strata/cache";
import {type Bucket, readObject} from "@strata/objstore";
import {bucketAcceptance, FaultyBucket, MemoryBucket} from "@strata/objstore/testing";
import {newRegistry, nullLogger, type Registry} from "@strata/telemetry";
import {CachingBucket} from "./caching-bucket.ts";
import {cachingBucketFromConfig} from "./caching-bucket-config.ts";
import {mergeSpans, subrangesOf} from "./subranges.ts";

const never = new AbortController().signal;
const CHUNKS = "01ARZ3NDEKTSV4RRFFQ69G5FAV/chunks/000001";
const META = "01ARZ3NDEKTSV4RRFFQ69G5FAV/meta.json";

const context = (registry = newRegistry()) => ({registry, logger: nullLogger(), resolve: async () => []});

bucketAcceptance("caching", async () => ({
  // A listing that may be old is not what the suite asks for.
  bucket: await cachingBucketFromConfig("type: IN-MEMORY\nblocks_iter_ttl: 0s", "", new MemoryBucket(), context()),
  remove: async () => {},
}));

/** A caching bucket over a memory bucket with one chunk file, whose calls can be seen and whose cache can be changed. */
function fixture(registry: Registry = newRegistry(), size = 100) {
  const inner = new MemoryBucket();
  const bytes = Uint8Array.from({length: size}, (_, i) => i);
  inner.put(CHUNKS, bytes);
  inner.put(META, '{"version": 1}');
  const calls = new FaultyBucket(inner);
  const cache = new LruCache({name: "t", maxBytes: 1 << 20, maxItemBytes: 1 << 20});
  const bucket = new CachingBucket(calls, {
    cache,
    registry,
    configHash: "7",
    subrangeBytes: 10,
    maxSubrangeReads: 3,
    maxMetaBytes: 1000,
    attributesTtl: 1e9,
    subrangeTtl: 1e9,
    listTtl: 1e9,
    existsTtl: 1e9,
    missingTtl: 1e9,
    contentTtl: 1e9,
  });
  const ranges = () =>
    calls.calls
      .splice(0)
      .filter((c) => c.operation === "get_range")
      .map((c) => [c.offset, c.length]);
  return {inner, calls, cache, bucket, bytes, ranges};
}

const text = (value: Uint8Array | undefined) => (value === undefined ? undefined : Buffer.from(value).toString());

async function names(bucket: Bucket): Promise<string[]> {
  const out: string[] = [];
  for await (const {name} of bucket.list("", {}, never)) out.push(name);
  return out;
}

async function counted(registry: Registry, name: string, label: string): Promise<number | undefined> {
  const samples = (await registry.gather()).flatMap((family) => family.samples);
  return samples.find((s) => s.name === name && s.labels.some(([, value]) => value === label))?.value;
}

test("ranges are read in aligned pieces, near ones at once, and only what is missing", async () => {
  const {bucket, bytes, ranges, cache} = fixture();
  const range = async (offset: number, length: number) =>
    assert.deepEqual(
      Buffer.from(await bucket.getRange(CHUNKS, offset, length, never)),
      Buffer.from(bytes.subarray(offset, offset + length)),
    );
  await range(13, 4);
  assert.deepEqual(ranges(), [[10, 10]]);
  await range(5, 30);
  assert.deepEqual(ranges(), [
    [0, 10],
    [20, 20],
  ]);
  await range(0, 40);
  assert.deepEqual(ranges(), []);
  await range(95, 100);
  assert.deepEqual(ranges(), [[90, 10]]);
  await range(100, 5);
  await range(500, 5);
  assert.deepEqual(ranges(), []);
  assert.equal(text(cache.get(`attrs:${CHUNKS}`))?.startsWith('{"size":100,"last_modified":"'), true);
  assert.deepEqual([...(cache.get(`subrange:${CHUNKS}:10:20`) as Uint8Array)], [...bytes.subarray(10, 20)]);
  await range(55, 1);
  await range(75, 1);
  ranges();
  // Missing are 4, 6 and 8: three reads are allowed.
  await range(40, 50);
  assert.deepEqual(ranges(), [
    [40, 10],
    [60, 10],
    [80, 10],
  ]);
});

test("pieces are merged over ever larger gaps until few enough reads are left", () => {
  const at = (...starts: number[]) => starts.map((start) => ({start, end: start + 10}));
  assert.deepEqual(subrangesOf(5, 25, 10, 22), [
    {start: 0, end: 10},
    {start: 10, end: 20},
    {start: 20, end: 22},
  ]);
  assert.deepEqual(mergeSpans(at(0, 10, 30), 3, 10), [
    {start: 0, end: 20},
    {start: 30, end: 40},
  ]);
  assert.deepEqual(mergeSpans(at(0, 20, 60, 200), 2, 10), [
    {start: 0, end: 70},
    {start: 200, end: 210},
  ]);
  assert.deepEqual(mergeSpans(at(0, 20, 60, 200), 0, 10), at(0, 20, 60, 200));
});

test("metas, marks and the root's listing come from the cache, missing ones too", async () => {
  const {bucket, calls, inner, cache} = fixture();
  const mark = "01ARZ3NDEKTSV4RRFFQ69G5FAV/deletion-mark.json";
  for (let i = 0; i < 3; i++) {
    assert.equal(text(await readObject(bucket, META, 100, never)), '{"version": 1}');
    assert.equal(await bucket.exists(META, never), true);
    await assert.rejects(readObject(bucket, mark, 100, never), /cannot find object/);
    assert.equal(await bucket.exists(mark, never), false);
    assert.deepEqual(await names(bucket), ["01ARZ3NDEKTSV4RRFFQ69G5FAV/"]);
  }
  assert.deepEqual(
    calls.calls.map((call) => `${call.operation} ${call.key}`),
    [`get ${META}`, `get ${mark}`, "iter "],
  );
  assert.equal(text(cache.get(`exists:${META}`)), "true");
  assert.equal(text(cache.get(`exists:${mark}`)), "false");
  assert.equal(text(cache.get(`content:${META}`)), '{"version": 1}');
  assert.equal(text(cache.get("iter::7")), '["01ARZ3NDEKTSV4RRFFQ69G5FAV/"]');
  inner.put("other/x", "x");
  assert.deepEqual(await names(bucket), ["01ARZ3NDEKTSV4RRFFQ69G5FAV/"], "as old as its time to live");
  const uploaded = (async function* () {
    yield Buffer.from("{}");
  })();
  await bucket.upload(mark, uploaded, 2, never);
  assert.equal(await bucket.exists(mark, never), true, "what we write ourselves is known at once");
});

test("values that cannot be what they should are counted, read anew and replaced", async () => {
  const registry = newRegistry();
  const {bucket, bytes, cache} = fixture(registry);
  await bucket.getRange(CHUNKS, 0, 30, never);
  for (const [key, garbage] of [
    [`content:${META}`, "{"],
    [`exists:${META}`, "maybe"],
    ["iter::7", '{"a":1}'],
    [`attrs:${CHUNKS}`, '{"size":-1}'],
    [`subrange:${CHUNKS}:10:20`, "short"],
  ] as const) {
    cache.set(key, Buffer.from(garbage), 0);
  }
  assert.equal(text(await readObject(bucket, META, 100, never)), '{"version": 1}');
  assert.equal(await bucket.exists(META, never), true);
  assert.deepEqual(await names(bucket), ["01ARZ3NDEKTSV4RRFFQ69G5FAV/"]);
  assert.equal((await bucket.attributes(CHUNKS, never)).size, 100);
  assert.deepEqual([...(await bucket.getRange(CHUNKS, 5, 20, never))], [...bytes.subarray(5, 25)]);
  const name = "strata_store_bucket_cache_corrupt_values_total";
  for (const operation of ["get", "iter", "attributes", "get_range"]) {
    assert.equal(await counted(registry, name, operation), 1, operation);
  }
  assert.equal(cache.get(`subrange:${CHUNKS}:10:20`)?.length, 10);
  // Of the right length, but wrong: whoever reads finds out, and asks past the cache.
  cache.set(`subrange:${CHUNKS}:10:20`, new Uint8Array(10), 0);
  assert.deepEqual([...(await bucket.readAnew(CHUNKS, 5, 10, never))], [...bytes.subarray(5, 15)]);
  assert.deepEqual([...(await bucket.getRange(CHUNKS, 5, 10, never))], [...bytes.subarray(5, 15)]);
});

test("one read serves all who want the same, also when the first of them leaves", async () => {
  const {bucket, calls, bytes, ranges} = fixture();
  let go: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  calls.before = async ({operation}) => {
    if (operation === "get_range") await gate;
    return undefined;
  };
  const many = Array.from({length: 5}, () => bucket.getRange(CHUNKS, 0, 20, never));
  await new Promise(setImmediate);
  go();
  for (const got of await Promise.all(many)) assert.deepEqual([...got], [...bytes.subarray(0, 20)]);
  assert.deepEqual(ranges(), [[0, 20]]);
});

test("what cannot be used is refused in one line that says why", async () => {
  const f = (yaml: string, want: RegExp) =>
    assert.rejects(
      cachingBucketFromConfig(yaml, "", new MemoryBucket(), context()),
      (err: Error) => want.test(err.message) && !err.message.includes("\n"),
      yaml,
    );
  await f("type: GROUPCACHE", /caching bucket with type GROUPCACHE is not supported yet; supported are IN-MEMORY/);
  await f("type: X", /type X is not supported; supported are/);
  await f("type: IN-MEMORY\nchunk_subrange_size: 0", /chunk_subrange_size must be greater than 0/);
  await f("type: IN-MEMORY\nblocks_iter_ttl: soon", /blocks_iter_ttl: time: invalid duration/);
  await f("type: IN-MEMORY\nttl: 1h", /unknown key "ttl"/);
});
