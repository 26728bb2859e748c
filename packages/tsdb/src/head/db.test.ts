import assert from "node:assert/strict";
import {existsSync, mkdirSync, readdirSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {Labels, matcher} from "@strata/model";
import {BlockReader} from "../block-reader.ts";
import {Db, type DbEvent, type DbOptions} from "./db.ts";
import {numberText, readAll, selectAll} from "./testing/read-all.ts";

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

test("deleting hides samples in blocks and head, also after a restart; cleaning takes them out of the blocks", async (t) => {
  const dir = tempDir(t);
  let db = await opened(t, dir);
  await fill(db, T0, T0 + 8 * HOUR);
  await db.maintain();
  const before = await readAll([db]);
  const linked = await db.snapshot(true, 0);
  const [mint, maxt] = [T0 + HOUR, T0 + 7 * HOUR];
  assert.ok(db.blocks.length >= 2 && (db.blocks[0]?.meta.maxTime ?? 0) < maxt);
  assert.ok((await db.delete([matcher("i", "=~", "1|3")], mint, maxt)) >= 4);
  assert.equal(await db.delete([matcher("i", "=", "none")], mint, maxt), 0);
  const want = new Map(
    [...before].map(([key, samples]) => [
      key,
      /i="[13]"/.test(key) ? new Map([...samples].filter(([at]) => at < mint || at > maxt)) : samples,
    ]),
  );
  assert.deepEqual(await readAll([db]), want);
  await db.close();
  db = await opened(t, dir);
  assert.deepEqual(await readAll([db]), want);
  for (const {meta, tombstones} of db.blocks) assert.equal(meta.stats.numTombstones, tombstones.total);
  const old = db.blocks.map((b) => b.meta.ulid);
  const metas = await db.cleanTombstones();
  assert.equal(metas.length, old.length);
  assert.deepEqual(await readAll([db]), want);
  for (const {meta} of db.blocks) assert.ok(!old.includes(meta.ulid) && meta.stats.numTombstones === 0);
  // A copy by links is not touched.
  const kept = await Promise.all(old.map((ulid) => BlockReader.open(join(dir, "snapshots", linked, ulid))));
  const whole = await readAll(kept);
  assert.ok([...whole].every(([key, samples]) => [...samples].every(([at, v]) => before.get(key)?.get(at) === v)));
  assert.ok([...whole.values()].every((samples) => samples.size === whole.values().next().value?.size));
  await Promise.all(kept.map((b) => b.close()));
});

test("what comes in while everything is flushed is refused or stays", async (t) => {
  const db = await opened(t, tempDir(t));
  await fill(db, T0, T0 + HOUR);
  const want = await readAll([db]);
  const flushing = db.flush();
  const labels = Labels.fromObject({__name__: "m", i: "new"});
  const key = String(labels);
  for (let turn = 0; turn < 40; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    const at = T0 + HOUR - 2 * MINUTE + turn * 5000;
    const app = db.head.appender();
    app.float(app.seriesOf(labels), at, turn);
    if ((await app.commit()).inOrder === 1) want.set(key, (want.get(key) ?? new Map()).set(at, numberText(turn)));
  }
  await flushing;
  assert.deepEqual(await readAll([db]), want);
});
