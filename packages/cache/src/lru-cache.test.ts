import assert from "node:assert/strict";
import {test} from "node:test";
import {LruCache} from "./lru-cache.ts";

const bytes = (n: number) => new Uint8Array(n).fill(n);

test("the item that was not used the longest goes first, and the bound holds", async () => {
  const evicted: string[] = [];
  // Each item counts 1 (key) + 83 + 16 = 100 bytes.
  const cache = new LruCache({
    name: "t",
    maxBytes: 300,
    maxItemBytes: 200,
    events: {evicted: (key) => void evicted.push(key)},
  });
  for (const key of ["a", "b", "c"]) cache.set(key, bytes(83), 0);
  assert.equal(cache.bytes, 300);
  await cache.getMany(["a"]);
  cache.set("d", bytes(83), 0);
  assert.deepEqual(evicted, ["b"]);
  const found = await cache.getMany(["a", "b", "c", "d"]);
  assert.deepEqual(
    found.map((v) => v !== undefined),
    [true, false, true, true],
  );
  cache.set("e", bytes(170), 0);
  assert.deepEqual(evicted, ["b", "a", "c"]);
  assert.ok(cache.bytes <= 300);
});

test("too large items are not kept, and replaced ones counted once", () => {
  const overflowed: string[] = [];
  const cache = new LruCache({
    name: "t",
    maxBytes: 1000,
    maxItemBytes: 100,
    events: {overflowed: (k) => void overflowed.push(k)},
  });
  cache.set("large", bytes(200), 0);
  assert.deepEqual(overflowed, ["large"]);
  for (let i = 0; i < 10; i++) cache.set("k", bytes(50), 0);
  assert.equal(cache.size, 1);
  assert.equal(cache.bytes, 1 + 50 + 16);
});

test("items end with their time to live", () => {
  let now = 1000;
  const cache = new LruCache({name: "t", maxBytes: 1000, maxItemBytes: 100, now: () => now});
  cache.set("k", bytes(5), 500);
  now = 1499;
  assert.equal(cache.get("k")?.length, 5);
  now = 1500;
  assert.equal(cache.get("k"), undefined);
  assert.equal(cache.bytes, 0);
});

test("a small view does not keep a large buffer", () => {
  const cache = new LruCache({name: "t", maxBytes: 1000, maxItemBytes: 100});
  cache.set("k", new Uint8Array(1 << 20).subarray(10, 20), 0);
  assert.equal(cache.get("k")?.buffer.byteLength, 10);
});
