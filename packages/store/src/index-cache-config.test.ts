import assert from "node:assert/strict";
import {test} from "node:test";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {indexCacheFromConfig} from "./index-cache-config.ts";

const context = (registry = newRegistry()) => ({registry, logger: nullLogger(), resolve: async () => []});

async function limits(text: string, size = 1000): Promise<(number | undefined)[]> {
  const registry = newRegistry();
  const cache = await indexCacheFromConfig(text, size, context(registry));
  const samples = (await registry.gather()).flatMap((family) => family.samples);
  const value = (name: string) => samples.find((s) => s.name === `thanos_store_index_cache_${name}`)?.value;
  await cache.close();
  return [value("max_size_bytes"), value("max_item_size_bytes")];
}

test("sizes come from the flag, the configuration, or the defaults", async () => {
  assert.deepEqual(await limits("", 5 << 20), [5 << 20, 125 << 20]);
  assert.deepEqual(await limits("type: IN-MEMORY"), [250 << 20, 125 << 20]);
  assert.deepEqual(await limits("type: in-memory\nconfig: {max_size: 1GB, max_item_size: 2MiB}"), [1 << 30, 2 << 20]);
});

test("only the enabled items are kept", async () => {
  const cache = await indexCacheFromConfig("type: IN-MEMORY\nenabled_items: [Postings]", 0, context());
  assert.equal(cache.enabled("Postings"), true);
  assert.equal(cache.enabled("Series"), false);
  cache.store("u", {type: "Series", offset: 16}, new Uint8Array(3));
  cache.store("u", {type: "Postings", name: "a", value: "b"}, new Uint8Array(3));
  const never = new AbortController().signal;
  assert.deepEqual(await cache.fetch("u", [{type: "Series", offset: 16}], never), [undefined]);
  assert.equal((await cache.fetch("u", [{type: "Postings", name: "a", value: "b"}], never))[0]?.length, 3);
});

test("what cannot be used is refused in one line that says why", async () => {
  const f = (text: string, want: RegExp) =>
    assert.rejects(indexCacheFromConfig(text, 0, context()), (err: Error) => {
      assert.match(err.message, want, text);
      return !err.message.includes("\n");
    });
  await f("type: groupcache", /groupcache is not supported yet; supported are IN-MEMORY, MEMCACHED, REDIS/);
  await f("type: REDIS", /no redis addr provided/);
  await f("type: MEMCACHED\nconfig: {addresses: [a], x: 1}", /config of MEMCACHED cache: unknown key "x"/);
  await f("type: IN-MEMORY\nttl: 5", /ttl: time: missing unit/);
  await f("type: X", /type X is not supported; supported/);
  await f("tpye: IN-MEMORY", /unknown key "tpye"/);
  await f("- x", /not a mapping/);
  await f("a: [", /cannot read index cache configuration/);
  await f("type: IN-MEMORY\nenabled_items: [postings]", /unsupported item type postings/);
  await f("type: IN-MEMORY\nconfig: {max_size: 1XB}", /max_size: "1XB" is not a size/);
  await f("type: IN-MEMORY\nconfig: {max_size: 1MB, max_item_size: 2MB}", /cannot be bigger than overall cache size/);
});
