import assert from "node:assert/strict";
import {test} from "node:test";
import {random, repeat} from "@strata/base/testing";
import {LazyIndexHeader} from "@strata/block";
import {fakeMeta} from "@strata/block/testing";
import {Labels, newUlid} from "@strata/model";
import {MemoryBucket} from "@strata/objstore/testing";
import {BlockSet} from "./block-set.ts";
import {BucketBlock} from "./bucket-block.ts";

const bucket = new MemoryBucket();
const events = {built() {}, loaded() {}, loadFailed() {}, unloaded() {}};

function blockAt(n: number, minTime: number, maxTime: number): BucketBlock {
  const meta = fakeMeta({ulid: newUlid(1_700_000_000_000 + n, new Uint8Array(10)), minTime, maxTime});
  const header = new LazyIndexHeader("h", () => Promise.reject(new Error("not asked for")), events, true);
  return new BucketBlock(meta, header, bucket);
}

test("blocks come in order of their times, however they were added, taken away and asked for in between", () => {
  const rng = random();
  for (let round = 0; round < repeat(50); round++) {
    const set = new BlockSet(Labels.EMPTY);
    const held = new Map<string, BucketBlock>();
    for (let i = 0; i < 40; i++) {
      const minTime = Math.floor(rng() * 20) * 100;
      const block = blockAt(i, minTime, minTime + 100);
      set.add(block);
      held.set(block.ulid, block);
      if (rng() < 0.3) {
        const [gone] = held.keys();
        set.remove(gone as string);
        held.delete(gone as string);
      }
      if (rng() > 0.3) continue;
      const [mint, maxt] = [Math.floor(rng() * 1000), 1000 + Math.floor(rng() * 1000)];
      const want = [...held.values()]
        .filter((b) => b.maxTime > mint && b.minTime <= maxt)
        .sort((a, b) => a.minTime - b.minTime || (a.ulid < b.ulid ? -1 : 1));
      assert.deepEqual(
        set.select(mint, maxt, 0).map(({ulid}) => ulid),
        want.map(({ulid}) => ulid),
      );
    }
    for (const ulid of held.keys()) set.remove(ulid);
    assert.ok(set.empty);
    assert.deepEqual(set.select(0, 10_000, 0), []);
  }
});
