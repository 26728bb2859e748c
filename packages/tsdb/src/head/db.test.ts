import assert from "node:assert/strict";
import {existsSync, mkdirSync, readdirSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {Labels, matcher} from "@strata/model";
import {BlockReader} from "../block-reader.ts";
import {Db, type DbEvent, type DbOptions} from "./db.ts";
import {readAll, selectAll} from "./testing/read-all.ts";

const T0 = 1_700_006_400_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Appends a sample a minute of some series in [from, to). */
async function fill(db: Db, from: number, to: number): Promise<void> {
  for (let t = from; t < to; t += MINUTE) {
    const app = db.head.appender();
    for (let i = 0; i < 5; i++) app.float(app.seriesOf(Labels.fromObject({__name__: "m", i: String(i)})), t, t % 977);
    await app.commit();
  }
}

async function opened(t: Parameters<typeof tempDir>[0], dir: string, options: DbOptions = {}): Promise<Db> {
  const db = await Db.open(dir, options);
  t.after(() => db.close());
  return db;
}

test("reads see head and blocks as one, before and after maintenance and a restart", async (t) => {
  const dir = tempDir(t);
  const db = await opened(t, dir);
  await fill(db, T0, T0 + 8 * HOUR);
  const before = await readAll([db]);
  const metas = await db.maintain();
  assert.ok(metas.length >= 2);
  assert.deepEqual(await readAll([db]), before);
  assert.deepEqual(
    db.blocks.map((b) => b.meta.ulid),
    metas.map((m) => m.ulid),
  );
  const q = {matchers: [], mint: T0, maxt: T0 + 1, withoutReplicaLabels: [], limit: 0, partialResponse: false};
  assert.deepEqual((await db.labelValues("i", q, new AbortController().signal)).values, ["0", "1", "2", "3", "4"]);
  assert.deepEqual((await db.labelNames(q, new AbortController().signal)).values, ["__name__", "i"]);
  await db.close();
  assert.deepEqual(await readAll([await opened(t, dir)]), before);
});

test("a select that began before a compaction sees all samples", async (t) => {
  const db = await opened(t, tempDir(t));
  await fill(db, T0, T0 + 8 * HOUR);
  const before = await readAll([db]);
  const reading = db.select(selectAll([matcher("__name__", "=", "m")]), new AbortController().signal);
  const first = await reading.next();
  const compacting = db.maintain();
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  const batches = [first.value];
  for await (const batch of reading) batches.push(batch);
  await compacting;
  const source = {
    async *select() {
      yield* batches;
    },
  } as unknown as Db;
  assert.deepEqual(await readAll([source]), before);
});

test("flush leaves nothing in the head", async (t) => {
  const db = await opened(t, tempDir(t), {outOfOrderWindow: HOUR});
  await fill(db, T0, T0 + 3 * HOUR);
  const app = db.head.appender();
  app.float(app.seriesOf(Labels.fromObject({__name__: "m", i: "0"})), T0 + 3 * HOUR - 90_001, 1);
  await app.commit();
  const before = await readAll([db]);
  const metas = await db.flush();
  assert.deepEqual(
    metas.map((m) => [m.minTime - T0, m.maxTime - T0]),
    [
      [0, 2 * HOUR],
      [2 * HOUR, 3 * HOUR - MINUTE + 1],
      [2 * HOUR, 4 * HOUR],
    ],
  );
  assert.equal(db.head.series, 0);
  assert.deepEqual(await readAll([db]), before);
});

test("retention by time deletes what ends long before the newest block", async (t) => {
  const dir = tempDir(t);
  const events: DbEvent[] = [];
  const db = await opened(t, dir, {retentionMs: 4 * HOUR, onEvent: (e) => events.push(e)});
  await fill(db, T0, T0 + 14 * HOUR);
  await db.maintain();
  const newest = Math.max(...db.blocks.map((b) => b.meta.maxTime));
  assert.ok(db.blocks.length >= 2);
  for (const block of db.blocks) assert.ok(newest - block.meta.maxTime < 4 * HOUR);
  assert.ok(events.some((e) => e.kind === "deleted-block" && e.reason === "retention"));
  assert.deepEqual(
    readdirSync(dir)
      .filter((name) => name.length === 26)
      .sort(),
    db.blocks.map((b) => b.meta.ulid).sort(),
  );
});

test("retention by size deletes the oldest blocks", async (t) => {
  const dir = tempDir(t);
  const db = await opened(t, dir, {retentionBytes: 1});
  await fill(db, T0, T0 + 6 * HOUR);
  await db.maintain();
  assert.equal(db.blocks.length, 0);
});

test("left-overs are removed and blocks that cannot be opened are left out", async (t) => {
  const dir = tempDir(t);
  const half = join(dir, "01ARZ3NDEKTSV4RRFFQ69G5FAV.tmp-for-creation");
  const bad = join(dir, "01ARZ3NDEKTSV4RRFFQ69G5FAW");
  mkdirSync(half);
  mkdirSync(bad);
  writeFileSync(join(bad, "meta.json"), "{");
  const events: DbEvent[] = [];
  await opened(t, dir, {onEvent: (e) => events.push(e)});
  assert.equal(existsSync(half), false);
  assert.equal(existsSync(bad), true);
  assert.deepEqual(
    events.map((e) => e.kind),
    ["bad-block"],
  );
});

test("a snapshot links the blocks and writes the head", async (t) => {
  const dir = tempDir(t);
  const db = await opened(t, dir);
  await fill(db, T0, T0 + 5 * HOUR);
  await db.maintain();
  const name = await db.snapshot(false, Date.UTC(2026, 2, 1, 10, 15));
  assert.match(name, /^20260301T101500Z-[0-9a-f]{16}$/);
  const copies: BlockReader[] = [];
  for (const ulid of readdirSync(join(dir, "snapshots", name))) {
    copies.push(await BlockReader.open(join(dir, "snapshots", name, ulid)));
  }
  assert.deepEqual(await readAll(copies), await readAll([db]));
  await Promise.all(copies.map((b) => b.close()));
});
