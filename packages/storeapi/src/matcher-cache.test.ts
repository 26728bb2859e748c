import assert from "node:assert/strict";
import {test} from "node:test";
import {errorCode} from "@strata/base";
import {newRegistry} from "@strata/telemetry";
import {matcherCache} from "./matcher-cache.ts";

test("an expression that comes again is not compiled again; the one longest unused makes room", async () => {
  const registry = newRegistry();
  const make = matcherCache(2, registry);
  const first = make("job", "=~", "a.*|b");
  assert.equal(make("job", "=~", "a.*|b"), first);
  assert.notEqual(make("job", "!~", "a.*|b"), first);
  assert.equal(make("job", "=~", "a.*|b"), first);
  make("job", "=~", "c.*");
  assert.equal(make("job", "=~", "a.*|b"), first, "used last, so still there");
  assert.equal(make("job", "=", "a").matches("a"), true);
  const families = await registry.gather();
  const value = (name: string) => families.find((f) => f.name === `thanos_matchers_cache_${name}`)?.samples[0]?.value;
  const names = ["requests_total", "hits_total", "evicted_total", "items", "max_items"];
  assert.deepEqual(names.map(value), [6, 3, 1, 2, 2]);
});

test("names and values cannot be mistaken for one another, and faulty expressions are refused each time", () => {
  const make = matcherCache(10, newRegistry());
  assert.equal(make("a", "=~", "b.*").name, "a");
  assert.equal(make("ab", "=~", ".*").name, "ab");
  assert.equal(make("a", "=~", ".*").value, ".*");
  for (let i = 0; i < 2; i++)
    assert.throws(
      () => make("a", "=~", "("),
      (err) => errorCode(err) === "bad_data",
    );
});

test("without a size nothing is kept and no metric is there", async () => {
  const registry = newRegistry();
  const make = matcherCache(0, registry);
  assert.notEqual(make("a", "=~", "b.*"), make("a", "=~", "b.*"));
  assert.deepEqual(await registry.gather(), []);
});
