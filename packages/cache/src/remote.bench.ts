// node packages/cache/src/remote.bench.ts: many values in one call, beside the bare client's own pipelined get in this process,
// over how many callers ask at once. Needs redis-server and memcached.
import assert from "node:assert/strict";
import {connect} from "node:net";
import {newLogger, newRegistry} from "@strata/telemetry";
import {Redis} from "ioredis";
import type {Cache} from "./cache.ts";
import {REMOTE_CACHES, remoteCache} from "./cache-config.ts";
import {startCacheServer} from "./testing/index.ts";

const KEYS = 1000;
const VALUE_BYTES = 10_000;
const ROUNDS = 15;
const WARM_UP = 8;
const never = new AbortController().signal;
const keys = Array.from({length: KEYS}, (_, i) => `P:01ARZ3NDEKTSV4RRFFQ69G5FAV:${String(i).padStart(43, "x")}:dss`);
const value = Buffer.alloc(VALUE_BYTES).map(() => Math.random() * 256);

const cleanups: (() => unknown)[] = [];
const scope = {after: (f: () => unknown) => void cleanups.push(f)} as Parameters<typeof startCacheServer>[0];
const logger = newLogger({level: "warn", format: "logfmt"});

/** Median time of `work` in ms. */
async function time(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < WARM_UP; i++) await work();
  for (let i = 0; i < ROUNDS; i++) {
    const begun = performance.now();
    await work();
    times.push(performance.now() - begun);
  }
  return times.sort((a, b) => a - b)[ROUNDS >> 1] as number;
}

/** One get a key, all written at once: what the clients call pipelining. */
type Bare = {readonly get: () => Promise<number>; readonly close: () => void};

async function bareRedis(port: number): Promise<Bare> {
  const client = new Redis({port, host: "127.0.0.1"});
  return {
    async get() {
      const pipeline = client.pipeline();
      for (const key of keys) pipeline.getBuffer(key);
      return ((await pipeline.exec()) ?? []).reduce((sum, [, found]) => sum + (found as Buffer).length, 0);
    },
    close: () => client.disconnect(),
  };
}

/** Not a client but a bound: reads the answers to one get a key and looks at nothing but their length. */
async function bareMemcached(port: number): Promise<Bare> {
  const socket = connect(port, "127.0.0.1");
  const one = `VALUE ${keys[0]} 0 ${VALUE_BYTES}\r\n`.length + VALUE_BYTES + "\r\nEND\r\n".length;
  return {
    get: () =>
      new Promise((done) => {
        let size = 0;
        const read = (chunk: Buffer) => {
          size += chunk.length;
          if (size < one * KEYS) return;
          socket.off("data", read);
          done(KEYS * VALUE_BYTES);
        };
        socket.on("data", read);
        socket.write(keys.map((key) => `get ${key}\r\n`).join(""));
      }),
    close: () => void socket.destroy(),
  };
}

for (const kind of REMOTE_CACHES) {
  const server = await startCacheServer(scope, kind === "REDIS" ? "redis-server" : "memcached");
  const config = kind === "REDIS" ? {addr: server.address} : {addresses: [server.address], max_async_buffer_size: 2000};
  const resolve = async (addresses: readonly string[]) => addresses;
  const cache: Cache = await remoteCache(kind, config, {name: "bench", registry: newRegistry(), logger, resolve});
  const filled = async () => (await cache.getMany(keys, never)).every((found) => found?.length === VALUE_BYTES);
  for (const key of keys) cache.set(key, value, 0);
  while (!(await filled()));
  const bare = kind === "REDIS" ? await bareRedis(server.port) : await bareMemcached(server.port);
  assert.equal(await bare.get(), KEYS * VALUE_BYTES);
  console.log(`\n${kind}: ${KEYS} values of ${VALUE_BYTES} bytes a call, medians of ${ROUNDS}`);
  console.log("callers   ours ms   bare ms   ratio");
  for (const callers of [1, 2, 4, 8, 16]) {
    // Callers that ask for the same would be one request: each has its own keys in another order and share.
    const parts = Array.from({length: callers}, (_, c) => keys.filter((_, i) => i % callers === c));
    const ask = async (part: string[]) => {
      for (const found of await cache.getMany(part, never)) assert.equal(found?.length, VALUE_BYTES);
    };
    const ours = await time(() => Promise.all(parts.map(ask)));
    const theirs = await time(() => bare.get());
    const row = [callers, ours.toFixed(1), theirs.toFixed(1), (ours / theirs).toFixed(2)];
    console.log(row.map((cell) => String(cell).padStart(7)).join("   "));
  }
  bare.close();
  await cache.close();
}
for (const cleanup of cleanups.reverse()) await cleanup();
