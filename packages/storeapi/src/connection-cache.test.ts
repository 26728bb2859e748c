import assert from "node:assert/strict";
import {test} from "node:test";
import {newRegistry} from "@strata/telemetry";
import type {Connection} from "./connection.ts";
import {ConnectionCache} from "./connection-cache.ts";
import {rpcMetrics} from "./grpc-metrics.ts";
import {MemoryStore, startStore} from "./testing/index.ts";

const never = new AbortController().signal;
const q = {matchers: [], mint: 0, maxt: 1, withoutReplicaLabels: [], limit: 0, partialResponse: true};

test("a connection is made once, and closed when nobody has asked for it for long", async (t) => {
  const {address} = await startStore(t, new MemoryStore([{labels: {__name__: "up"}, chunks: 1}]));
  let now = 0;
  const cache = new ConnectionCache(rpcMetrics(newRegistry(), "client"), () => now);
  t.after(() => cache.close());
  const plain: Connection = {address, tls: undefined, compression: "none", group: undefined};
  const client = cache.client(structuredClone(plain));
  assert.deepEqual(client.connection, plain);
  assert.deepEqual((await client.labelNames(q, never)).values, ["__name__"]);
  assert.equal(cache.client(structuredClone(plain)), client);
  cache.client({...plain, compression: "snappy"});
  assert.equal(cache.size, 2);
  now = 9 * 60_000;
  cache.client(plain);
  now = 11 * 60_000;
  assert.equal(cache.client(plain), client);
  assert.equal(cache.size, 1);
});

test("a group follows the addresses that it was asked for with last", async (t) => {
  const {address} = await startStore(t, new MemoryStore([{labels: {__name__: "up"}, chunks: 1}]));
  const cache = new ConnectionCache(rpcMetrics(newRegistry(), "client"));
  t.after(() => cache.close());
  const group = (...addresses: string[]): Connection => ({
    address: "stores",
    tls: undefined,
    compression: undefined,
    group: {addresses, retry: {maxAttempts: 1, initialBackoffMs: 1, multiplier: 1}},
  });
  const client = cache.client(group());
  await assert.rejects(client.labelNames(q, never), /no addresses of stores/);
  assert.equal(cache.client(group(address)), client);
  assert.deepEqual((await client.labelNames(q, never)).values, ["__name__"]);
  assert.deepEqual(client.connection.group?.addresses, [address]);
});
