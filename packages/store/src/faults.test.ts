import assert from "node:assert/strict";
import {readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {ByteBudget, errorCode, StrataError, unlimited} from "@strata/base";
import {random, repeat, tempDir} from "@strata/base/testing";
import {matcher, newUlid} from "@strata/model";
import {FilesystemBucket} from "@strata/objstore";
import {FaultyBucket} from "@strata/objstore/testing";
import type {Select} from "@strata/series";
import type {Registry} from "@strata/telemetry";
import type {BucketStore} from "./bucket-store.ts";
import {NO_LIMITS} from "./request-limits.ts";
import {type TestBlock, writeBlock} from "./testing/make-blocks.ts";
import {openStore} from "./testing/open-store.ts";

const never = new AbortController().signal;
const [A, B] = [1, 2].map((n) => newUlid(1_700_000_000_000 + n * 1000, new Uint8Array(10))) as [string, string];

const block = (ulid: string, minTime: number): TestBlock => ({
  ulid,
  minTime,
  maxTime: minTime + 100,
  external: {cluster: "c"},
  series: ["1", "2", "3"].map((a) => ({labels: {__name__: "up", a}, times: [1, 5, 9, 40, 80].map((t) => minTime + t)})),
});

/** A bucket directory with two blocks: A covers [0, 100), B [100, 200). */
async function twoBlocks(t: Parameters<typeof tempDir>[0]): Promise<string> {
  const dir = tempDir(t);
  await writeBlock(dir, block(A, 0));
  await writeBlock(dir, block(B, 100));
  return dir;
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] as number) ^ 0x55;
  writeFileSync(path, bytes);
}

async function read(store: BucketStore, q: Partial<Select> = {}): Promise<{chunks: string[]; warnings: string[]}> {
  const chunks: string[] = [];
  const warnings: string[] = [];
  const select: Select = {
    matchers: [matcher("__name__", "=", "up")],
    mint: 0,
    maxt: 1000,
    step: 0,
    range: 0,
    func: "",
    maxResolution: 0,
    aggregates: [0],
    withoutReplicaLabels: [],
    skipChunks: false,
    limit: 0,
    partialResponse: true,
    budget: unlimited(),
    ...q,
  };
  for await (const b of store.select(select, never)) {
    for (let i = 0; i < b.labels.length; i++) {
      for (let c = b.firstChunk[i] as number; c < (b.firstChunk[i + 1] as number); c++) {
        chunks.push(`${b.labels[i]?.get("a")} ${b.mint[c]}`);
      }
    }
    warnings.push(...b.warnings);
  }
  return {chunks, warnings};
}

const ofBlock = (min: number) => ["1", "2", "3"].flatMap((a) => [`${a} ${min + 1}`, `${a} ${min + 40}`]);
const both = ["1", "2", "3"].flatMap((a) => [`${a} 1`, `${a} 40`, `${a} 101`, `${a} 140`]);

async function metric(registry: Registry, name: string, label = ""): Promise<number | undefined> {
  const samples = (await registry.gather()).flatMap((family) => family.samples);
  return samples.find((s) => s.name === name && (label === "" || s.labels.some(([, v]) => v === label)))?.value;
}

test("a damaged chunk is left out with a warning that names block and file; the rest is served", async (t) => {
  const dir = await twoBlocks(t);
  const {store, registry} = await openStore(t, new FilesystemBucket(dir));
  assert.deepEqual(await read(store), {chunks: both, warnings: []});
  const segment = join(dir, A, "chunks", "000001");
  flip(segment, 12);
  const {store: again, registry: metrics} = await openStore(t, new FilesystemBucket(dir));
  const {chunks, warnings} = await read(again);
  assert.deepEqual(
    chunks,
    both.filter((c) => c !== "1 1"),
  );
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] as string, new RegExp(`${A}/chunks/000001 at 8: its checksum is wrong`));
  assert.equal(await metric(metrics, "strata_bucket_store_read_failures_total", "chunk"), 1);
  assert.equal(await metric(registry, "strata_bucket_store_read_failures_total", "chunk"), 0);
  await assert.rejects(read(again, {partialResponse: false}), (err) => errorCode(err) === "corrupt");
  assert.ok(statSync(segment).size > 0, "nothing is deleted");
});

test("a segment that is cut or gone costs its chunks, not the others", async (t) => {
  for (const harm of [(path: string) => truncateSync(path, 30), (path: string) => rmSync(path)]) {
    const dir = await twoBlocks(t);
    harm(join(dir, B, "chunks", "000001"));
    const {store} = await openStore(t, new FilesystemBucket(dir));
    const {chunks, warnings} = await read(store);
    assert.deepEqual(
      chunks.filter((c) => Number(c.split(" ")[1]) < 100),
      ofBlock(0),
    );
    assert.ok(warnings.length > 0);
    for (const warning of warnings) assert.match(warning, new RegExp(B));
    await assert.rejects(read(store, {partialResponse: false}));
  }
});

test("a block whose index cannot be an index is not loaded, counted, and tried again", async (t) => {
  const dir = await twoBlocks(t);
  const index = join(dir, A, "index");
  const sound = readFileSync(index);
  truncateSync(index, 40);
  const {store, registry} = await openStore(t, new FilesystemBucket(dir));
  assert.deepEqual(await read(store), {chunks: ofBlock(100), warnings: []});
  assert.equal(await metric(registry, "thanos_bucket_store_block_load_failures_total"), 1);
  assert.equal(await metric(registry, "thanos_bucket_store_blocks_loaded"), 1);
  writeFileSync(index, sound);
  await store.sync(never);
  assert.deepEqual((await read(store)).chunks, both);
});

test("damage anywhere in an index or a segment gives sound data, a warning or an error, never other data", async (t) => {
  const rng = random();
  for (let round = 0; round < repeat(300); round++) {
    const dir = await twoBlocks(t);
    const file = join(dir, A, rng() < 0.6 ? "index" : "chunks/000001");
    flip(file, Math.floor(rng() * statSync(file).size));
    const {store} = await openStore(t, new FilesystemBucket(dir));
    const {chunks, warnings} = await read(store);
    for (const chunk of chunks) assert.ok(both.includes(chunk), `${chunk} of ${file}`);
    for (const chunk of ofBlock(100)) assert.ok(chunks.includes(chunk), `${chunk} is missing: ${warnings.join()}`);
    for (const warning of warnings) assert.match(warning, new RegExp(A));
    await store.close();
    rmSync(dir, {recursive: true});
  }
});

test("a damaged index-header on disk is built again", async (t) => {
  const dir = await twoBlocks(t);
  const {store, dataDir} = await openStore(t, new FilesystemBucket(dir));
  await store.close();
  const header = join(dataDir, A, "index-header");
  for (const harm of [() => flip(header, 40), () => truncateSync(header, 10), () => rmSync(header)]) {
    harm();
    const {store: again} = await openStore(t, new FilesystemBucket(dir), {dataDir});
    assert.deepEqual(await read(again), {chunks: both, warnings: []});
    await again.close();
  }
});

test("a block without meta.json is not served, others are; folders of blocks that went are cleaned up", async (t) => {
  const dir = await twoBlocks(t);
  const {store, dataDir} = await openStore(t, new FilesystemBucket(dir));
  rmSync(join(dir, A, "meta.json"));
  await store.sync(never);
  assert.deepEqual(await read(store), {chunks: ofBlock(100), warnings: []});
  assert.deepEqual(
    readdirSync(dataDir).filter((name) => name.length === 26),
    [B],
  );
  assert.ok(readdirSync(join(dir, A)).includes("index"), "nothing is deleted from the bucket");
});

test("a block that goes while it is read gives a warning", async (t) => {
  const dir = await twoBlocks(t);
  const bucket = new FaultyBucket(new FilesystemBucket(dir));
  const {store} = await openStore(t, bucket);
  bucket.before = (call) => {
    if (call.operation === "get_range" && call.key.startsWith(B)) throw new StrataError("not_found", `no ${call.key}`);
    return undefined;
  };
  const {chunks, warnings} = await read(store);
  assert.deepEqual(chunks, ofBlock(0));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] as string, new RegExp(`cannot read block ${B}`));
});

test("with an incomplete view new blocks are added and none is dropped", async (t) => {
  const dir = await twoBlocks(t);
  const bucket = new FaultyBucket(new FilesystemBucket(dir));
  const {store} = await openStore(t, bucket);
  bucket.before = (call) => {
    if (call.operation === "exists" && call.key.startsWith(A))
      throw new StrataError("unavailable", "permission denied");
    return undefined;
  };
  const incomplete = await store.sync(never);
  assert.match(incomplete?.message ?? "", new RegExp(`incomplete view of 1 blocks: ${A}: permission denied`));
  assert.deepEqual((await read(store)).chunks, both);
});

test("blocks that go while a call is under way are read to its end, and their files go after it", async (t) => {
  const dir = tempDir(t);
  // More than are opened at once.
  const blocks = Array.from({length: 40}, (_, n) => block(newUlid(1_700_000_000_000 + n * 1000), n * 100));
  for (const one of blocks) await writeBlock(dir, one);
  const bucket = new FaultyBucket(new FilesystemBucket(dir));
  const whole = await read((await openStore(t, bucket)).store, {maxt: 10_000});
  const {store, dataDir} = await openStore(t, bucket);
  assert.equal(whole.chunks.length, 2 * 3 * blocks.length);
  let synced: Promise<unknown> | undefined;
  const lose = (): Promise<unknown> => {
    for (const {ulid} of blocks) rmSync(join(dir, ulid, "meta.json"));
    return store.sync(never);
  };
  // Whatever is read first waits until all blocks have gone: those of the later ones are not open yet.
  bucket.before = ({operation}) => {
    if (operation !== "get_range") return undefined;
    synced ??= lose();
    return synced.then(() => undefined);
  };
  assert.deepEqual(await read(store, {maxt: 10_000}), whole);
  await synced;
  assert.deepEqual(store.blocks(), []);
  assert.deepEqual(await read(store, {maxt: 10_000}), {chunks: [], warnings: []});
  const files = () => readdirSync(dataDir).filter((name) => blocks.some(({ulid}) => ulid === name));
  while (files().length > 0) await new Promise((resolve) => setImmediate(resolve));
});

test("limits end the call with Thanos's text and are counted", async (t) => {
  const dir = await twoBlocks(t);
  const f = async (limits: Partial<typeof NO_LIMITS>, text: RegExp, reason: string) => {
    const {store, registry} = await openStore(t, new FilesystemBucket(dir), {limits: {...NO_LIMITS, ...limits}});
    await assert.rejects(read(store), (err: StrataError) => {
      assert.equal(err.code, "limit");
      assert.match(err.message, text);
      return true;
    });
    assert.equal(await metric(registry, "thanos_bucket_store_queries_dropped_total", reason), 1);
  };
  await f({series: 5}, /^exceeded series limit: limit 5 violated \(got 6\)$/, "series");
  await f({chunks: 11}, /^exceeded chunks limit: limit 11 violated \(got 12\)$/, "chunks");
  await f({downloadedBytes: 10}, /^exceeded bytes limit while fetching postings: limit 10 violated/, "bytes");
  const {store} = await openStore(t, new FilesystemBucket(dir), {
    limits: {series: 6, chunks: 12, downloadedBytes: 1 << 20},
  });
  assert.deepEqual((await read(store)).chunks, both);
});

test("a budget that is too small ends the call as a limit and gets all back", async (t) => {
  const dir = await twoBlocks(t);
  const {store} = await openStore(t, new FilesystemBucket(dir));
  const budget = new ByteBudget("query", 50);
  await assert.rejects(read(store, {budget}), (err) => errorCode(err) === "limit");
  assert.equal(budget.used, 0);
});

test("a caller who leaves ends the call, also while it waits for its turn", async (t) => {
  const dir = await twoBlocks(t);
  const bucket = new FaultyBucket(new FilesystemBucket(dir));
  const {store} = await openStore(t, bucket, {maxConcurrent: 1});
  const leaving = new AbortController();
  const select = (signal: AbortSignal) => {
    const q = {mint: 0, maxt: 1000, step: 0, range: 0, func: "", maxResolution: 0, aggregates: [0] as const, limit: 0};
    const rest = {withoutReplicaLabels: [], skipChunks: false, partialResponse: true, budget: unlimited()};
    return store.select({matchers: [matcher("__name__", "=", "up")], ...q, ...rest}, signal);
  };
  const holding = select(never)[Symbol.asyncIterator]();
  await holding.next();
  const waiting = select(leaving.signal)[Symbol.asyncIterator]().next();
  leaving.abort();
  await assert.rejects(waiting, (err) => errorCode(err) === "canceled");
  await holding.return?.(undefined);
  assert.deepEqual((await read(store)).chunks, both, "the turn was given back");
  await assert.rejects(
    select(AbortSignal.abort())[Symbol.asyncIterator]().next(),
    (err) => errorCode(err) === "canceled",
  );
});
