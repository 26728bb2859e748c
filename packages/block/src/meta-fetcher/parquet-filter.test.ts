import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {ByteWriter} from "@strata/bytes";
import {newUlid} from "@strata/model";
import {FaultyBucket, MemoryBucket} from "@strata/objstore/testing";
import {nullLogger} from "@strata/telemetry";
import type {BlockMeta} from "@strata/tsdb";
import {fakeMeta} from "../testing/fake-blocks.ts";
import {parquetConvertedFilter} from "./parquet-filter.ts";
import {SyncCounts} from "./sync-state.ts";

const never = new AbortController().signal;
const id = (n: number) => newUlid(1_700_000_000_000 + n * 1000, new Uint8Array(10));
const HOUR = 3_600_000;

/** meta.pb of a day: a name, some number, and the blocks it was made from. */
function convertedMeta(...ulids: string[]): Uint8Array {
  const out = new ByteWriter();
  out.uvarint((2 << 3) | 0);
  out.uvarint(123_456);
  for (const ulid of ulids) {
    out.uvarint((6 << 3) | 2);
    out.str(ulid);
  }
  out.uvarint((9 << 3) | 2);
  out.str("of a later version");
  return out.take();
}

/** Blocks by number: hours from and to, and external labels. */
const metasOf = (blocks: Readonly<Record<number, readonly [number, number, string?]>>): Map<string, BlockMeta> =>
  new Map(
    Object.entries(blocks).map(([n, [from, to, cluster = "a"]]) => {
      const meta = fakeMeta({ulid: id(Number(n)), labels: {cluster}});
      return [meta.ulid, {...meta, minTime: from * HOUR, maxTime: to * HOUR}];
    }),
  );

async function left(bucket: MemoryBucket, metas: Map<string, BlockMeta>): Promise<{ids: string[]; counted: number}> {
  const counts = new SyncCounts();
  await parquetConvertedFilter(bucket, 4, nullLogger()).apply(metas, counts, never);
  return {ids: [...metas.keys()], counted: counts.states.get("parquet-converted") ?? 0};
}

test("converted blocks are hidden where they cover each of their days whole", async () => {
  const bucket = new MemoryBucket();
  bucket.put("2024/01/01/meta.pb", convertedMeta(id(1), id(2)));
  bucket.put("2024/01/02/meta.pb", convertedMeta(id(3), id(9)));
  bucket.put("2024/01/01/data.parquet", "not looked at");
  const metas = metasOf({1: [0, 10], 2: [10, 24], 3: [24, 30], 4: [30, 48]});
  assert.deepEqual(await left(bucket, metas), {ids: [id(3), id(4)], counted: 2});
});

test("a gap, a day that is only begun and blocks of another group leave a block served", async () => {
  const bucket = new MemoryBucket();
  bucket.put("day/meta.pb", convertedMeta(id(1), id(2), id(3), id(4)));
  assert.deepEqual((await left(bucket, metasOf({1: [0, 10], 2: [11, 24]}))).ids, [id(1), id(2)]);
  assert.deepEqual((await left(bucket, metasOf({1: [0, 25]}))).ids, [id(1)]);
  assert.deepEqual((await left(bucket, metasOf({1: [0, 25], 2: [25, 48]}))).ids, []);
  assert.deepEqual((await left(bucket, metasOf({1: [0, 12], 2: [12, 24, "b"]}))).ids, [id(1), id(2)]);
  assert.deepEqual((await left(bucket, metasOf({1: [-24, 2], 2: [1, 24], 3: [10, 20]}))).ids, []);
});

test("while the other bucket cannot be read, or is damaged, what it said last holds", async () => {
  const inner = new MemoryBucket();
  inner.put("day/meta.pb", convertedMeta(id(1)));
  let down = false;
  const bucket = new FaultyBucket(inner, () => {
    if (down) throw new StrataError("unavailable", "503");
  });
  const filter = parquetConvertedFilter(bucket, 4, nullLogger());
  const round = async () => {
    const metas = metasOf({1: [0, 24], 2: [24, 48]});
    await filter.apply(metas, new SyncCounts(), never);
    return [...metas.keys()];
  };
  assert.deepEqual(await round(), [id(2)]);
  down = true;
  assert.deepEqual(await round(), [id(2)]);
  down = false;
  inner.put("day2/meta.pb", convertedMeta("no-block"));
  assert.deepEqual(await round(), [id(2)]);
  inner.put("day2/meta.pb", convertedMeta(id(2)));
  assert.deepEqual(await round(), []);
  await assert.rejects(filter.apply(new Map(), new SyncCounts(), AbortSignal.abort()));
});
