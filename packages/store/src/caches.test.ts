import assert from "node:assert/strict";
import {describe, test} from "node:test";
import {unlimited} from "@strata/base";
import {requireTool, type TestScope, tempDir} from "@strata/base/testing";
import {spoilCache, startCacheServer} from "@strata/cache/testing";
import {type Labels, matcher, newUlid} from "@strata/model";
import {FilesystemBucket} from "@strata/objstore";
import type {Select} from "@strata/series";
import {newRegistry, nullLogger, type Registry} from "@strata/telemetry";
import type {BucketStore} from "./bucket-store.ts";
import {cachingBucketFromConfig} from "./caching-bucket-config.ts";
import {indexCacheFromConfig} from "./index-cache-config.ts";
import {REMOTE_TUNING} from "./read-context.ts";
import {writeBlock} from "./testing/make-blocks.ts";
import {openStore} from "./testing/open-store.ts";

const never = new AbortController().signal;
const KINDS = [
  {type: "REDIS", server: "redis-server"},
  {type: "MEMCACHED", server: "memcached"},
] as const;

async function bucketDir(t: TestScope): Promise<string> {
  const dir = tempDir(t as Parameters<typeof tempDir>[0]);
  for (const n of [0, 1, 2]) {
    const series = Array.from({length: 300}, (_, i) => ({
      labels: {__name__: i % 2 === 0 ? "up" : "down", job: `j${i % 7}`, instance: `i${i}`},
      times: Array.from({length: 40}, (_, k) => n * 1000 + k * 20),
    }));
    const ulid = newUlid(1_700_000_000_000 + n * 1000, new Uint8Array(10));
    await writeBlock(dir, {ulid, minTime: n * 1000, maxTime: (n + 1) * 1000, external: {cluster: "c"}, series});
  }
  return dir;
}

async function read(store: BucketStore): Promise<string[]> {
  const select: Select = {
    matchers: [matcher("__name__", "=", "up"), matcher("job", "=~", "j[1-5]"), matcher("instance", "!=", "i2")],
    mint: 0,
    maxt: 3000,
    step: 0,
    range: 0,
    func: "",
    maxResolution: 0,
    aggregates: [0],
    withoutReplicaLabels: [],
    skipChunks: false,
    limit: 0,
    partialResponse: false,
    budget: unlimited(),
  };
  const out: string[] = [];
  for await (const b of store.select(select, never)) {
    assert.deepEqual(b.warnings, []);
    for (let i = 0; i < b.labels.length; i++) {
      out.push((b.labels[i] as Labels).toString());
      for (let c = b.firstChunk[i] as number; c < (b.firstChunk[i + 1] as number); c++) {
        const from = b.offset[c] as number;
        out.push(`${b.mint[c]} ${Buffer.from(b.bytes.subarray(from, from + (b.length[c] as number))).toString("hex")}`);
      }
    }
  }
  return out;
}

/** A gateway of which everything that can be cached is, at `address`. */
async function cachedStore(t: TestScope, dir: string, type: string, address: string, registry: Registry) {
  const context = {registry, logger: nullLogger(), resolve: async (addresses: readonly string[]) => addresses};
  const block =
    type === "REDIS" ? `{addr: "${address}", read_timeout: 200ms}` : `{addresses: ["${address}"], timeout: 200ms}`;
  const yaml = `type: ${type}\nconfig: ${block}\n`;
  const indexCache = await indexCacheFromConfig(yaml, 0, context);
  const bucket = await cachingBucketFromConfig(
    `${yaml}chunk_subrange_size: 500`,
    "",
    new FilesystemBucket(dir),
    context,
  );
  t.after(async () => {
    await indexCache.close();
    await bucket.close();
  });
  const {store} = await openStore(t as Parameters<typeof tempDir>[0], bucket, {
    indexCache,
    registry,
    tuning: REMOTE_TUNING,
  });
  return {store, indexCache, bucket};
}

async function total(registry: Registry, name: string): Promise<number> {
  const samples = (await registry.gather()).flatMap((family) => family.samples);
  return samples.filter((s) => s.name === name).reduce((sum, s) => sum + s.value, 0);
}

const hits = async (registry: Registry) =>
  (await total(registry, "thanos_store_index_cache_hits_total")) +
  (await total(registry, "thanos_store_bucket_cache_operation_hits_total"));

for (const {type, server: program} of KINDS) {
  describe(type, {concurrency: true}, () => {
    const {skip} = requireTool(program);

    test("answers are the same without a cache, with an empty one and with a full one", {skip}, async (t) => {
      const dir = await bucketDir(t);
      const plain = await openStore(t, new FilesystemBucket(dir));
      const want = await read(plain.store);
      assert.ok(want.length > 100);
      const server = await startCacheServer(t, program);
      const registry = newRegistry();
      const {store} = await cachedStore(t, dir, type, server.address, registry);
      assert.deepEqual(await read(store), want);
      const fetched = () => total(registry, "thanos_store_bucket_cache_getrange_fetched_bytes_total");
      for (let before = await hits(registry); (await hits(registry)) < before + 100; )
        assert.deepEqual(await read(store), want);
      assert.ok((await fetched()) > 0);
      // Another gateway takes what the first one left.
      const other = newRegistry();
      const second = await cachedStore(t, dir, type, server.address, other);
      assert.deepEqual(await read(second.store), want);
      assert.ok((await hits(other)) > 100);
    });

    test("answers stay right while the cache is killed, gone, and back", {skip}, async (t) => {
      const dir = await bucketDir(t);
      const want = await read((await openStore(t, new FilesystemBucket(dir))).store);
      const server = await startCacheServer(t, program);
      const registry = newRegistry();
      const {store} = await cachedStore(t, dir, type, server.address, registry);
      let running = true;
      const queries = Array.from({length: 4}, async () => {
        for (; running; ) assert.deepEqual(await read(store), want);
      });
      const rounds = async (n: number) => {
        for (let i = 0; i < n; i++) assert.deepEqual(await read(store), want);
      };
      await rounds(3);
      await server.process().kill();
      await rounds(10);
      await server.restart();
      const before = await hits(registry);
      while ((await hits(registry)) === before) await rounds(1);
      running = false;
      await Promise.all(queries);
    });

    test("garbage in the cache is counted, read anew and never an answer", {skip}, async (t) => {
      const dir = await bucketDir(t);
      const want = await read((await openStore(t, new FilesystemBucket(dir))).store);
      const server = await startCacheServer(t, program);
      const registry = newRegistry();
      const {store} = await cachedStore(t, dir, type, server.address, registry);
      const filled = async () => {
        for (let before = await hits(registry); (await hits(registry)) < before + 100; )
          assert.deepEqual(await read(store), want);
      };
      let n = 0;
      const changes: ((value: Buffer) => Buffer)[] = [
        (value) => Buffer.alloc(value.length, n++),
        (value) => value.subarray(0, value.length >> 1),
        (value) => Buffer.concat([value, value]),
        () => Buffer.alloc(0),
        (value) => value.reverse(),
        () => Buffer.from("\0\0"),
      ];
      for (const change of changes) {
        await filled();
        assert.ok((await spoilCache(program, server.port, (value) => change(Buffer.from(value)))) > 100);
        const corrupt = async () =>
          (await total(registry, "strata_store_index_cache_corrupt_values_total")) +
          (await total(registry, "strata_store_bucket_cache_corrupt_values_total"));
        const before = await corrupt();
        assert.deepEqual(await read(store), want, String(change));
        assert.ok((await corrupt()) > before, String(change));
      }
    });

    test("a slow cache does not stall queries", {skip}, async (t) => {
      const dir = await bucketDir(t);
      const want = await read((await openStore(t, new FilesystemBucket(dir))).store);
      const {createServer, connect} = await import("node:net");
      const server = await startCacheServer(t, program);
      // Answers pass at 1 kB a second: too slow for any of them to come in time.
      const slow = createServer((socket) => {
        const upstream = connect(server.port, "127.0.0.1");
        socket.pipe(upstream);
        upstream.on("data", (chunk) => setTimeout(() => socket.write(chunk), chunk.length).unref());
        for (const s of [socket, upstream]) s.on("error", () => {});
        t.after(() => {
          socket.destroy();
          upstream.destroy();
        });
      });
      await new Promise<void>((done) => slow.listen(0, "127.0.0.1", done));
      t.after(() => slow.close());
      const {port} = slow.address() as {port: number};
      const registry = newRegistry();
      const {store} = await cachedStore(t, dir, type, `127.0.0.1:${port}`, registry);
      for (let i = 0; i < 10; i++) assert.deepEqual(await read(store), want);
    });
  });
}
