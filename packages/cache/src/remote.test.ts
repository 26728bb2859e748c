import assert from "node:assert/strict";
import {once} from "node:events";
import {writeFileSync} from "node:fs";
import {connect, createServer, type Server, type Socket} from "node:net";
import {join} from "node:path";
import {describe, test} from "node:test";
import {freePort, requireTool, spawnServer, type TestScope, tcpReady, tempDir} from "@strata/base/testing";
import {newLogger, newRegistry, type Registry} from "@strata/telemetry";
import type {Cache} from "./cache.ts";
import {REMOTE_CACHES, remoteCache} from "./cache-config.ts";
import {startCacheServer} from "./testing/index.ts";

const never = new AbortController().signal;
const logger = newLogger({level: "error", format: "logfmt"});
const redis = requireTool("redis-server");
const memcached = requireTool("memcached");
const bytes = (text: string) => Buffer.from(text);
const text = (value: Uint8Array | undefined) => (value === undefined ? undefined : Buffer.from(value).toString());

type Kind = (typeof REMOTE_CACHES)[number];
const program = (kind: Kind) => (kind === "REDIS" ? "redis-server" : "memcached");
const skip = (kind: Kind) => (kind === "REDIS" ? redis.skip : memcached.skip);
const configOf = (kind: Kind, address: string) => (kind === "REDIS" ? {addr: address} : {addresses: [address]});

async function open(t: TestScope, kind: Kind, config: Record<string, unknown>, registry: Registry = newRegistry()) {
  const resolve = async (addresses: readonly string[]) => addresses;
  const cache = await remoteCache(kind, config, {name: "test", registry, logger, resolve});
  t.after(() => cache.close());
  return cache;
}

/** Values are sent in the background: asks until all of them are there. */
async function arrived(cache: Cache, keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
  for (;;) {
    const values = await cache.getMany(keys, never);
    if (values.every((value) => value !== undefined)) return values;
    await new Promise((done) => setTimeout(done, 5));
  }
}

async function counted(registry: Registry, name: string, label = ""): Promise<number> {
  const samples = (await registry.gather()).flatMap((family) => family.samples);
  return samples
    .filter((s) => s.name === name && (label === "" || s.labels.some(([, value]) => value === label)))
    .reduce((sum, s) => sum + s.value, 0);
}

for (const kind of REMOTE_CACHES)
  describe(kind, {concurrency: true}, () => {
    test(`${kind}: values come back as they were, in the order of keys`, {skip: skip(kind)}, async (t) => {
      const server = await startCacheServer(t, program(kind));
      const registry = newRegistry();
      const cache = await open(t, kind, configOf(kind, server.address), registry);
      const keys = Array.from({length: 2000}, (_, i) => `key:${i}`);
      const value = (i: number) => Buffer.alloc(i * 7, `\r\nEND\r\n${i}\0\xff`);
      keys.forEach((key, i) => void cache.set(key, value(i), 60_000));
      await arrived(cache, keys);
      const asked = ["absent", ...keys.toReversed(), "key:3"];
      const got = await cache.getMany(asked, never);
      assert.equal(got[0], undefined);
      keys.forEach((_, i) => void assert.deepEqual(Buffer.from(got[keys.length - i] as Uint8Array), value(i), `${i}`));
      assert.deepEqual(Buffer.from(got.at(-1) as Uint8Array), value(3));
      assert.ok((await counted(registry, `thanos_cache_${kind.toLowerCase()}_hits_total`)) >= 2001);
      assert.deepEqual(await cache.getMany([], never), []);
    });

    test(`${kind}: items end with their time to live`, {skip: skip(kind)}, async (t) => {
      const server = await startCacheServer(t, program(kind));
      const cache = await open(t, kind, configOf(kind, server.address));
      cache.set("short", bytes("x"), 1000);
      cache.set("long", bytes("y"), 3_600_000);
      await arrived(cache, ["short", "long"]);
      for (;;) {
        const [short, long] = await cache.getMany(["short", "long"], never);
        assert.ok(long !== undefined);
        if (short === undefined) break;
        await new Promise((done) => setTimeout(done, 20));
      }
    });

    test(`${kind}: a server that is killed is a miss, and one that is back is used`, {skip: skip(kind)}, async (t) => {
      const server = await startCacheServer(t, program(kind));
      const registry = newRegistry();
      const cache = await open(t, kind, configOf(kind, server.address), registry);
      cache.set("k", bytes("v"), 60_000);
      await arrived(cache, ["k"]);
      await server.process().kill();
      for (let i = 0; i < 50; i++) {
        assert.deepEqual(await cache.getMany(["k"], never), [undefined]);
        cache.set("k", bytes("v"), 60_000);
      }
      assert.ok((await counted(registry, `thanos_${kind.toLowerCase()}_operation_failures_total`)) >= 3);
      const skipped = await counted(registry, `thanos_${kind.toLowerCase()}_operation_skipped_total`, "circuit-open");
      assert.ok(skipped >= 40, "most calls did not even try");
      await server.restart();
      for (;;) {
        cache.set("k", bytes("v2"), 60_000);
        const [value] = await cache.getMany(["k"], never);
        if (value !== undefined) break;
        await new Promise((done) => setTimeout(done, 50));
      }
    });

    test(`${kind}: a server that does not answer costs three waits, then nothing`, {skip: skip(kind)}, async (t) => {
      const silent = await silentServer(t);
      const timeouts = kind === "REDIS" ? {read_timeout: "50ms", dial_timeout: "50ms"} : {timeout: "50ms"};
      const cache = await open(t, kind, {...configOf(kind, silent.address), ...timeouts});
      for (let i = 0; i < 3; i++) assert.deepEqual(await cache.getMany(["k"], never), [undefined]);
      const before = silent.connections();
      for (let i = 0; i < 1000; i++) assert.deepEqual(await cache.getMany([`k${i}`], never), [undefined]);
      assert.ok(silent.connections() - before < 10);
    });

    test(`${kind}: a caller who leaves does not wait`, {skip: skip(kind)}, async (t) => {
      const silent = await silentServer(t);
      const timeouts = kind === "REDIS" ? {read_timeout: "1h", dial_timeout: "1h"} : {timeout: "1h"};
      const cache = await open(t, kind, {...configOf(kind, silent.address), ...timeouts});
      const leaving = new AbortController();
      const waiting = cache.getMany(["k"], leaving.signal);
      leaving.abort();
      assert.deepEqual(await waiting, [undefined]);
      assert.deepEqual(await cache.getMany(["other"], leaving.signal), [undefined]);
    });

    test(`${kind}: keys that somebody asks for already are asked for once`, {skip: skip(kind)}, async (t) => {
      const server = await startCacheServer(t, program(kind));
      const registry = newRegistry();
      const cache = await open(t, kind, configOf(kind, server.address), registry);
      cache.set("a", bytes("1"), 60_000);
      cache.set("b", bytes("2"), 60_000);
      await arrived(cache, ["a", "b"]);
      const operation = `thanos_${kind.toLowerCase()}_operation_duration_seconds_count`;
      const before = await counted(registry, operation, "getmulti");
      const answers = await Promise.all(
        Array.from({length: 10}, (_, i) => cache.getMany(i % 2 === 0 ? ["a", "b"] : ["b"], never)),
      );
      answers.forEach(
        (values, i) =>
          void assert.equal(
            values.every((v) => v !== undefined),
            true,
            `${i}`,
          ),
      );
      assert.equal((await counted(registry, operation, "getmulti")) - before, 1);
    });

    test(`${kind}: an answer that is no answer is a miss`, {skip: skip(kind)}, async (t) => {
      for (const garbage of [
        "\0\0\0",
        "VALUE k 0 99999999999\r\n",
        "VALUE k 0 2\r\nabcdef\r\n",
        "$-5\r\n",
        "HTTP/1.1 400\r\n",
      ]) {
        const rude = await rudeServer(t, garbage);
        const timeouts = kind === "REDIS" ? {read_timeout: "100ms"} : {timeout: "100ms"};
        const cache = await open(t, kind, {...configOf(kind, rude), ...timeouts});
        assert.deepEqual(await cache.getMany(["k"], never), [undefined], JSON.stringify(garbage));
      }
    });
  });

describe("servers", {concurrency: true}, () => {
  test("memcached: too large values are neither sent nor believed; bad keys are left out", {
    skip: memcached.skip,
  }, async (t) => {
    const server = await startCacheServer(t, "memcached");
    const registry = newRegistry();
    const large = await open(t, "MEMCACHED", {addresses: [server.address], max_item_size: 0});
    large.set("k", Buffer.alloc(5000, 1), 0);
    large.set("with space", bytes("x"), 0);
    large.set("x".repeat(251), bytes("x"), 0);
    await arrived(large, ["k"]);
    const cache = await open(t, "MEMCACHED", {addresses: [server.address], max_item_size: "1KiB"}, registry);
    cache.set("k", Buffer.alloc(2000, 2), 0);
    cache.set("small", bytes("x"), 0);
    await arrived(cache, ["small"]);
    const got = await cache.getMany(["k", "with space", "x".repeat(251), "small"], never);
    assert.deepEqual(
      got.map((value) => value?.length),
      [undefined, undefined, undefined, 1],
    );
    assert.equal(await counted(registry, "thanos_memcached_operation_skipped_total", "max-item-size"), 1);
  });

  test("memcached: keys are spread over the servers, and found again whatever the order of addresses", {
    skip: memcached.skip,
  }, async (t) => {
    const servers = await Promise.all([1, 2, 3].map(() => startCacheServer(t, "memcached")));
    const addresses = servers.map(({address}) => address);
    const cache = await open(t, "MEMCACHED", {addresses, max_get_multi_batch_size: 7});
    const keys = Array.from({length: 300}, (_, i) => `S:01ARZ3NDEKTSV4RRFFQ69G5FAV:${i * 16}`);
    for (const key of keys) cache.set(key, bytes(key), 60_000);
    await arrived(cache, keys);
    const other = await open(t, "MEMCACHED", {addresses: addresses.toReversed()});
    assert.deepEqual((await other.getMany(keys, never)).map(text), keys);
    const counts = await Promise.all(
      addresses.map(async (a) => {
        const one = await open(t, "MEMCACHED", {addresses: [a]});
        return (await one.getMany(keys, never)).filter((value) => value !== undefined).length;
      }),
    );
    assert.equal(
      counts.reduce((a, b) => a + b),
      keys.length,
    );
    for (const count of counts) assert.ok(count > 50, String(counts));
  });

  test("memcached: a cluster's configuration endpoint names the servers", {skip: memcached.skip}, async (t) => {
    const server = await startCacheServer(t, "memcached");
    const nodes = `12\ncache.example|127.0.0.1|${server.port}\n\r\n`;
    const endpoint = await rudeServer(t, `CONFIG cluster 0 ${nodes.length - 2}\r\n${nodes}END\r\n`);
    const cache = await open(t, "MEMCACHED", {addresses: [endpoint], auto_discovery: true});
    cache.set("k", bytes("v"), 0);
    await arrived(cache, ["k"]);
  });

  test("memcached: answers may be cut anywhere", async (t) => {
    const answer = "VALUE a 0 5\r\n\r\nEND\r\nVALUE b 1 0\r\n\r\nVALUE c 0 1\r\nx\r\nEND\r\n";
    for (let size = 1; size <= answer.length; size++) {
      const cache = await open(t, "MEMCACHED", {addresses: [await piecemealServer(t, answer, size)], timeout: "20s"});
      const got = await cache.getMany(["a", "b", "c", "d"], never);
      assert.deepEqual(got.map(text), ["\r\nEND", "", "x", undefined], `pieces of ${size}`);
    }
  });

  test("redis: a password, a user's database and a prefix", {skip: redis.skip}, async (t) => {
    const server = await startCacheServer(t, "redis-server", ["--requirepass", "secret"]);
    const cache = await open(t, "REDIS", {addr: server.address, password: "secret", db: 3, prefix: "strata:"});
    cache.set("k", bytes("v"), 0);
    await arrived(cache, ["k"]);
    const bare = await open(t, "REDIS", {addr: server.address, password: "secret", db: 3});
    assert.equal(text((await arrived(bare, ["strata:k"]))[0]), "v");
    const wrong = await open(t, "REDIS", {addr: server.address, password: "guess", read_timeout: "200ms"});
    assert.deepEqual(await wrong.getMany(["k"], never), [undefined]);
  });

  test("redis: a cluster", {skip: redis.skip}, async (t) => {
    const dir = tempDir(t);
    const config = ["--cluster-enabled", "yes", "--dir", dir, "--cluster-require-full-coverage", "no"];
    const servers = await Promise.all(
      [1, 2].map((n) => startCacheServer(t, "redis-server", [...config, "--cluster-config-file", `${n}.conf`])),
    );
    const [first, second] = servers as [(typeof servers)[0], (typeof servers)[0]];
    await command(first.port, "CLUSTER ADDSLOTSRANGE 0 8191");
    await command(second.port, "CLUSTER ADDSLOTSRANGE 8192 16383");
    await command(first.port, `CLUSTER MEET 127.0.0.1 ${second.port}`);
    for (const {port} of servers) {
      while (
        !(await command(port, "CLUSTER INFO")).includes("cluster_state:ok") ||
        !(await command(port, "CLUSTER SLOTS")).includes(String(first.port)) ||
        !(await command(port, "CLUSTER SLOTS")).includes(String(second.port))
      );
    }
    const cache = await open(t, "REDIS", {addr: servers.map(({address}) => address).join(",")});
    const keys = Array.from({length: 500}, (_, i) => `key:${i}`);
    for (const key of keys) cache.set(key, bytes(key), 60_000);
    assert.deepEqual((await arrived(cache, keys)).map(text), keys);
    for (const {port} of servers) assert.match(await command(port, "DBSIZE"), /:[1-9][0-9]+/);
  });

  test("redis: the master that sentinels name", {skip: redis.skip}, async (t) => {
    const server = await startCacheServer(t, "redis-server");
    const config = join(tempDir(t), "sentinel.conf");
    writeFileSync(config, `sentinel monitor mymaster 127.0.0.1 ${server.port} 1\n`);
    const port = await freePort();
    const args = [config, "--sentinel", "--port", String(port), "--bind", "127.0.0.1"];
    await spawnServer(t, {command: redis.path, args, ready: tcpReady(port)});
    const cache = await open(t, "REDIS", {addr: `127.0.0.1:${port}`, master_name: "mymaster"});
    cache.set("k", bytes("v"), 0);
    await arrived(cache, ["k"]);
  });

  test("what cannot be used is refused in one line that says why", async () => {
    const f = (kind: Kind, config: Record<string, unknown>, want: RegExp) =>
      assert.rejects(
        remoteCache(kind, config, {name: "t", registry: newRegistry(), logger, resolve: async (a) => a}),
        (err: Error) => want.test(err.message) && !err.message.includes("\n"),
        `${kind} ${JSON.stringify(config)}`,
      );
    await f("REDIS", {}, /no redis addr provided/);
    await f("REDIS", {addr: "a:b"}, /"a:b" is not host:port/);
    await f("REDIS", {addr: "a", port: 1}, /unknown key "port"/);
    await f("REDIS", {addr: "a", dial_timeout: "5"}, /dial_timeout: time: missing unit/);
    await f("REDIS", {addr: "a,b", db: 1}, /a cluster has no db but 0/);
    await f("REDIS", {addr: "a", tls_config: {ca_file: "/none"}}, /ca_file: ENOENT/);
    await f("MEMCACHED", {}, /no memcached addresses provided/);
    await f("MEMCACHED", {addresses: "a"}, /addresses must be a list of strings/);
    await f("MEMCACHED", {addresses: ["a"], max_item_size: "1XB"}, /"1XB" is not a size/);
    await f("MEMCACHED", {addresses: ["a"], max_async_concurrency: 0}, /max_async_concurrency must be positive/);
    await f(
      "MEMCACHED",
      {addresses: ["a"], set_async_circuit_breaker_config: {enabled: true, failure_percent: 2}},
      /failure_percent must be in/,
    );
  });
});

/** Listens on a port of 127.0.0.1 and ends with the test, its connections too. */
async function listening(t: TestScope, server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as {port: number}).port}`;
}

/** Accepts connections and never says a word. */
async function silentServer(t: TestScope) {
  let connections = 0;
  const address = await listening(
    t,
    createServer(() => void connections++),
  );
  return {address, connections: () => connections};
}

/** Says the same whatever it is told. */
const rudeServer = (t: TestScope, answer: string) =>
  listening(
    t,
    createServer((socket) => socket.on("data", () => socket.write(answer))),
  );

/** Says `answer` to every get, in pieces of `size` bytes that arrive one by one. */
function piecemealServer(t: TestScope, answer: string, size: number): Promise<string> {
  const server = createServer({noDelay: true}, (socket) => {
    socket.on("data", async () => {
      for (let at = 0; at < answer.length; at += size) {
        await new Promise((done) => socket.write(answer.slice(at, at + size), done));
        await new Promise(setImmediate);
      }
    });
  });
  return listening(t, server);
}

/** One inline command to a Redis server, and what it says at once. */
async function command(port: number, line: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(`${line}\r\n`);
  const [chunk] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return chunk.toString();
}
