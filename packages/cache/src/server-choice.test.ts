import assert from "node:assert/strict";
import {test} from "node:test";
import {naturalOrder, serverOf} from "./server-choice.ts";

test("names sort by the numbers in them", () => {
  assert.deepEqual(naturalOrder(["c-10:1", "c-2:1", "c-1:1", "b", "c"]), ["b", "c", "c-1:1", "c-2:1", "c-10:1"]);
  assert.deepEqual(naturalOrder(["10.0.0.9:11211", "10.0.0.10:11211"]), ["10.0.0.9:11211", "10.0.0.10:11211"]);
});

test("another server takes its share of the keys, and the others stay where they were", () => {
  const keys = Array.from({length: 10_000}, (_, i) => `key ${i}`);
  for (let servers = 1; servers < 12; servers++) {
    let moved = 0;
    for (const key of keys) {
      const before = serverOf(key, servers);
      const after = serverOf(key, servers + 1);
      assert.ok(before >= 0 && before < servers);
      if (before === after) continue;
      moved++;
      assert.equal(after, servers, "keys move to the new server only");
    }
    const share = keys.length / (servers + 1);
    assert.ok(moved > share * 0.8 && moved < share * 1.2, `${servers}: ${moved}`);
  }
});
