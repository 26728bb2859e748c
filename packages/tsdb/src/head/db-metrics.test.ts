import assert from "node:assert/strict";
import {spawn} from "node:child_process";
import {once} from "node:events";
import {existsSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {Labels} from "@strata/model";
import {newRegistry, type Registry} from "@strata/telemetry";
import {Db} from "./db.ts";

const T0 = 1_700_006_400_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Values by name and labels, without the prefix that all names have. */
async function scrape(registry: Registry): Promise<Map<string, number>> {
  const values = new Map<string, number>();
  for (const {samples} of await registry.gather()) {
    for (const {name, labels, value} of samples) {
      const text = labels.map(([key, v]) => `${key}=${v}`).join(",");
      values.set(name.replace("prometheus_tsdb_", "") + (text === "" ? "" : `{${text}}`), value);
    }
  }
  return values;
}

test("a database counts what it does under Prometheus' names", async (t) => {
  const registry = newRegistry();
  const dir = tempDir(t);
  const db = await Db.open(dir, {
    registry: registry.sub({}),
    outOfOrderWindow: HOUR,
    maxExemplars: 5,
    retentionMs: 1000 * HOUR,
    wal: {segmentBytes: 32 * 1024, compression: "snappy"},
  });
  const app = db.head.appender();
  const idle = app.seriesOf(Labels.fromObject({__name__: "idle"}));
  app.float(idle, T0, 1);
  app.floatWords(idle, T0 + 1, 2, 0x7ff00000, 0);
  app.exemplar({ref: idle, t: T0 + 7000, v: 1, labels: Labels.EMPTY});
  app.exemplar({ref: idle, t: T0 + 8000, v: 1, labels: Labels.EMPTY});
  await app.commit();
  const values = await scrape(registry);
  assert.equal(values.get("head_stale_series"), 1);
  assert.equal(values.get("exemplar_exemplars_in_storage"), 2);
  assert.equal(values.get("exemplar_series_with_exemplars_in_storage"), 1);
  assert.equal(values.get("exemplar_last_exemplars_timestamp_seconds"), (T0 + 7000) / 1000);
  for (let at = T0 + MINUTE; at < T0 + 9 * HOUR; at += MINUTE) {
    const tx = db.head.appender();
    for (let i = 0; i < 10; i++) tx.float(tx.seriesOf(Labels.fromObject({__name__: "m", i: String(i)})), at, at % 97);
    await tx.commit();
  }
  const late = db.head.appender();
  const ref = late.seriesOf(Labels.fromObject({__name__: "m", i: "1"}));
  late.float(ref, T0 + 8 * HOUR + 30 * MINUTE + 1, 1);
  late.float(ref, T0, 1);
  late.float(12345, T0, 1);
  await late.commit();
  await db.maintain();
  const got = await scrape(registry);
  const f = (name: string, want: number): void => assert.equal(got.get(name), want, name);
  f("head_samples_appended_total{type=float}", 2 + 539 * 10 + 1);
  f("head_samples_appended_total{type=histogram}", 0);
  f("head_out_of_order_samples_appended_total{type=float}", 1);
  f("too_old_samples_total{type=float}", 1);
  f("head_series_created_total", 11);
  f("head_series_removed_total", 1);
  f("head_series_not_found_total", 1);
  f("head_series", 10);
  f("head_active_appenders", 0);
  f("head_appenders_created_total", 541);
  f("head_max_time", T0 + 9 * HOUR - MINUTE);
  f("blocks_loaded", db.blocks.length);
  f("compactions_total", db.blocks.length);
  f("compactions_triggered_total", 1);
  f("retention_limit_seconds", 3_600_000);
  f("clean_start", 1);
  f("sample_ooo_delta_count", 2);
  f("lowest_timestamp", T0);
  f("wal_corruptions_total", 0);
  f("out_of_order_wbl_segment_current", 1);
  f(
    "compaction_chunk_samples_sum",
    db.blocks.reduce((sum, b) => sum + b.meta.stats.numSamples, 0),
  );
  for (const name of [
    "head_chunks",
    "head_chunks_created_total",
    "head_chunks_removed_total",
    "head_truncations_total",
    "head_gc_duration_seconds_count",
    "wal_truncate_duration_seconds_count",
    "wal_fsync_duration_seconds_count",
    "wal_completed_pages_total",
    "wal_page_flushes_total",
    "wal_record_part_writes_total",
    "wal_record_parts_bytes_written_total",
    "wal_record_bytes_saved_total{compression=snappy}",
    "wal_storage_size_bytes",
    "checkpoint_creations_total",
    "mmap_chunks_total",
    "storage_blocks_bytes",
    "symbol_table_size_bytes",
    "data_replay_duration_seconds",
    "compaction_duration_seconds_count",
  ]) {
    assert.ok((got.get(name) ?? 0) > 0, `${name} is ${got.get(name)}`);
  }
  assert.equal(
    got.get("head_chunks"),
    (got.get("head_chunks_created_total") ?? 0) - (got.get("head_chunks_removed_total") ?? 0),
  );
  await db.close();
});

test("a lock file keeps others out, and one that a killed process left does not", async (t) => {
  const dir = tempDir(t);
  const db = await Db.open(dir);
  await assert.rejects(Db.open(dir), {
    code: "unavailable",
    message: /cannot lock .*: this process has it open already/,
  });
  assert.equal(db.stats.cleanStart, 1);
  await db.close();
  for (const left of ["", "1 0 another boot", `${process.pid} 1 another boot`, "99999999 5 x"]) {
    writeFileSync(join(dir, "lock"), left);
    const again = await Db.open(dir);
    assert.equal(again.stats.cleanStart, 0, left);
    await again.close();
    assert.equal(existsSync(join(dir, "lock")), false);
  }
  const child = spawn(process.execPath, [join(import.meta.dirname, "testing", "lock-child.ts"), dir], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  await assert.rejects(Db.open(dir), {code: "unavailable", message: /cannot lock .*: process \d+ has it open/});
  child.kill("SIGKILL");
  await once(child, "exit");
  const after = await Db.open(dir);
  assert.equal(after.stats.cleanStart, 0);
  await after.close();
});

for (const outOfOrderWindow of [0, HOUR]) {
  test(`samples that a block has already do not keep others out of an empty head (window ${outOfOrderWindow} ms)`, async (t) => {
    const dir = tempDir(t);
    const series = Labels.fromObject({__name__: "m"});
    const add = async (db: Db, ...times: number[]): Promise<void> => {
      const app = db.head.appender();
      const ref = app.seriesOf(series);
      for (const time of times) app.float(ref, time, 1);
      await app.commit();
    };
    const before = await Db.open(dir, {registry: newRegistry(), outOfOrderWindow});
    await add(before, T0, T0 + MINUTE);
    await before.flush();
    await before.close();
    const registry = newRegistry();
    const db = await Db.open(dir, {registry, outOfOrderWindow});
    t.after(() => db.close());
    await add(db, T0 + MINUTE, T0 + 2 * MINUTE);
    const got = await scrape(registry);
    assert.equal(got.get("head_max_time"), T0 + 2 * MINUTE);
    assert.equal(got.get("out_of_bound_samples_total{type=float}"), outOfOrderWindow === 0 ? 1 : 0);
    assert.equal(got.get("sample_ooo_delta_count"), 0);
  });
}
