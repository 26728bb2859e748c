import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {StrataError} from "@strata/base";
import {requireTool, tempDir} from "@strata/base/testing";
import {deleteBlock, downloadBlock, resolutionOf, writeMark} from "@strata/block";
import {FaultyBucket, MemoryBucket} from "@strata/objstore/testing";
import {newLogger, newRegistry, nullLogger, type Registry} from "@strata/telemetry";
import {type BlockMeta, parseBlockMeta} from "@strata/tsdb";
import {Compactor, type CompactorOptions} from "./compactor.ts";
import {HistoryReader, type MadeBlock, madeUlid, uploadMade} from "./testing/made-history.ts";

const HOUR = 3_600_000;
const START = 1_717_459_200_000 - (1_717_459_200_000 % (48 * HOUR));
const never = new AbortController().signal;

/** A bucket with a clock, and compactors over it. */
class Site {
  now = START;
  readonly bucket = new MemoryBucket("site", () => new Date(this.now));
  readonly registry: Registry = newRegistry();
  readonly root: string;
  readonly lines: string[] = [];
  readonly #t: TestContext;
  #compactors = 0;

  constructor(t: TestContext) {
    this.#t = t;
    this.root = tempDir(t);
  }

  compactor(more: Partial<CompactorOptions> = {}): Compactor {
    const compactor = new Compactor({
      bucket: this.bucket,
      dataDir: join(this.root, `data-${this.#compactors++}`),
      logger: newLogger({level: "warn", format: "logfmt", write: (line) => void this.lines.push(line)}),
      registry: this.registry,
      now: () => this.now,
      consistencyDelayMs: 0,
      ...more,
    });
    this.#t.after(() => compactor.close());
    return compactor;
  }

  /** Uploads a block of `hours` that begins `from` hours after the start. */
  async add(from: number, hours: number, more: Partial<MadeBlock> = {}): Promise<string> {
    const mint = START + from * HOUR;
    const maxt = mint + hours * HOUR;
    const ulid = madeUlid(maxt, from + (more.offset ?? 0));
    const block = {ulid, mint, maxt, step: 300_000, ...more};
    await uploadMade(this.bucket, this.root, block, () => maxt, never);
    this.now = Math.max(this.now, maxt + HOUR);
    return ulid;
  }

  text(key: string): string {
    return Buffer.from(this.bucket.objects.get(key)?.bytes ?? []).toString();
  }

  mark(ulid: string, file: string): {details: string; reason: string} {
    return JSON.parse(this.text(`${ulid}/${file}`)) as {details: string; reason: string};
  }

  /** The sum over all series, or those with a label of that value. */
  async metric(name: string, label?: string): Promise<number> {
    const samples = (await this.registry.gather()).flatMap((family) => family.samples);
    const own = samples.filter((sample) => sample.name === name && sample.labels.some(([, value]) => value === label));
    const found = label === undefined ? samples.filter((sample) => sample.name === name) : own;
    return found.reduce((sum, {value}) => sum + value, 0);
  }

  metas(): BlockMeta[] {
    const keys = [...this.bucket.objects.keys()].filter((key) => key.endsWith("/meta.json"));
    return keys.map((key) => parseBlockMeta(this.text(key), key));
  }

  live() {
    return new HistoryReader(this.bucket, join(this.root, "read")).live({marked: false}, never);
  }

  /** Turns a byte of an object around. */
  damage(key: string, at: number): void {
    const object = this.bucket.objects.get(key);
    assert.ok(object !== undefined);
    const bytes = Buffer.from(object.bytes);
    bytes[at] = (bytes[at] as number) ^ 0xff;
    this.bucket.put(key, bytes);
  }
}

test("a damaged chunk sets its block aside, with the place and what to do; the others are merged", async (t) => {
  const site = new Site(t);
  const bad = await site.add(0, 2);
  for (const from of [2, 4, 6, 8]) await site.add(from, 2);
  site.damage(`${bad}/chunks/000001`, 60);
  await site.compactor().runOnce(never);
  const {details, reason} = site.mark(bad, "no-compact-mark.json");
  assert.equal(reason, "block-corrupt");
  assert.match(details, /chunks\/000001.*checksum.*Upload it anew/s);
  const held = site.bucket.objects.has(`${bad}/deletion-mark.json`);
  assert.equal(held, false);
  const merged = [...site.bucket.objects.keys()].filter((key) => key.endsWith("/meta.json")).length;
  assert.equal(merged, 6);
  assert.equal(await site.metric("strata_compact_quarantined_blocks_total"), 1);
  assert.match(site.lines.join(""), /setting block aside/);
});

test("a damaged index sets its block aside", async (t) => {
  const site = new Site(t);
  const bad = await site.add(0, 2);
  for (const from of [2, 4, 6, 8]) await site.add(from, 2);
  site.damage(`${bad}/index`, 20);
  await site.compactor().runOnce(never);
  assert.equal(site.mark(bad, "no-compact-mark.json").reason, "block-corrupt");
});

test("with haltOnError a bad block stops the round and nothing is marked", async (t) => {
  const site = new Site(t);
  const bad = await site.add(0, 2);
  for (const from of [2, 4, 6, 8]) await site.add(from, 2);
  site.damage(`${bad}/index`, 20);
  const compactor = site.compactor({haltOnError: true});
  await assert.rejects(compactor.runOnce(never), {name: "HaltError", message: /group 0@\d+: block/});
  assert.ok(![...site.bucket.objects.keys()].some((key) => key.endsWith("-mark.json")));
});

/** Twelve hours in blocks of 2 h, which is two plans, and what happens to uploads of the indexes of merged blocks. */
async function withTwoPlans(
  t: TestContext,
  onUpload: (merged: number) => Promise<undefined>,
): Promise<[Site, Compactor]> {
  const site = new Site(t);
  for (const from of [0, 2, 4, 6, 8, 10, 12, 14, 16]) await site.add(from, 2);
  const sources = site.metas().map(({ulid}) => ulid);
  let merged = 0;
  const bucket = new FaultyBucket(site.bucket, ({operation, key}) => {
    const [ulid = "", file] = key.split("/");
    if (operation !== "upload" || file !== "index" || sources.includes(ulid)) return undefined;
    return onUpload(++merged);
  });
  return [site, site.compactor({bucket})];
}

test("the next plan of a group is merged while the block before is being uploaded", {timeout: 60_000}, async (t) => {
  const second = Promise.withResolvers<undefined>();
  const [site, compactor] = await withTwoPlans(t, async (merged) => {
    if (merged === 2) second.resolve(undefined);
    return second.promise;
  });
  await compactor.runOnce(never);
  const levels = site.metas().map(({compaction}) => compaction.level);
  assert.equal(levels.filter((level) => level === 2).length, 2);
  assert.equal([...site.bucket.objects.keys()].filter((key) => key.endsWith("/deletion-mark.json")).length, 8);
});

test("a plan that fails lets the one beside it end, and is done again in the next round", {
  timeout: 60_000,
}, async (t) => {
  const second = Promise.withResolvers<undefined>();
  const [site, compactor] = await withTwoPlans(t, async (merged) => {
    if (merged > 1) second.resolve(undefined);
    await second.promise;
    if (merged === 1) throw new StrataError("unavailable", "bucket is away");
    return undefined;
  });
  await assert.rejects(compactor.runOnce(never), {code: "unavailable", message: /group 0@\d+: .*bucket is away/});
  const merged = () => site.metas().filter(({compaction}) => compaction.level === 2);
  assert.equal(merged().length, 1);
  await compactor.runOnce(never);
  const lengths = merged().map(({minTime, maxTime}) => (maxTime - minTime) / HOUR);
  assert.deepEqual(lengths, [8, 8]);
});

test("stopped with two plans under way, it gives the reason, and the next round does both", {
  timeout: 60_000,
}, async (t) => {
  const both = Promise.withResolvers<undefined>();
  const stop = new AbortController();
  const reason = new Error("stopped by a test");
  let stopping = true;
  const [site, compactor] = await withTwoPlans(t, async (merged) => {
    if (!stopping) return undefined;
    if (merged === 2) both.resolve(undefined);
    await both.promise;
    stop.abort(reason);
    throw new StrataError("canceled", "cannot upload: stopped");
  });
  await assert.rejects(compactor.runOnce(stop.signal), reason);
  stopping = false;
  await compactor.runOnce(never);
  const levels = site.metas().map(({compaction}) => compaction.level);
  assert.equal(levels.filter((level) => level === 2).length, 2);
});

test("raw blocks beyond their retention are downsampled first, however short, and kept while that fails", async (t) => {
  const site = new Site(t);
  const short = await site.add(0, 2);
  const bad = await site.add(4, 2);
  site.damage(`${bad}/chunks/000001`, 60);
  site.now = START + 100 * HOUR;
  const compactor = site.compactor({retention: {raw: 48 * HOUR, fiveMinutes: 0, oneHour: 0}});
  await compactor.runOnce(never);
  assert.match(site.mark(short, "deletion-mark.json").details, /^block exceeding retention of 48h0m0s$/);
  const [coarse] = site.metas().filter((meta) => resolutionOf(meta) > 0);
  assert.deepEqual(coarse?.compaction.sources, [short]);
  assert.equal(site.bucket.objects.has(`${bad}/deletion-mark.json`), false);
  assert.match(site.mark(bad, "no-downsample-mark.json").details, /checksum/);
  assert.equal(await site.metric("strata_compact_retention_held_blocks", "0"), 1);
  assert.match(site.lines.join(""), /keeping block beyond its retention/);
});

test("without downsampling retention waits for nothing, and a manual mark is a decision", async (t) => {
  const site = new Site(t);
  const [first, second] = [await site.add(0, 2), await site.add(4, 2)];
  site.now = START + 100 * HOUR;
  const mark = {ulid: second, time: 0, details: "by hand", reason: "manual"};
  await writeMark(site.bucket, "no-downsample", mark, nullLogger(), never);
  const retention = {raw: 48 * HOUR, fiveMinutes: 0, oneHour: 0};
  await site.compactor({retention}).runOnce(never);
  assert.ok(site.bucket.objects.has(`${second}/deletion-mark.json`));
  const third = await site.add(8, 2);
  await site.compactor({retention, downsampling: false}).runOnce(never);
  assert.ok(site.bucket.objects.has(`${third}/deletion-mark.json`));
  assert.ok(site.bucket.objects.has(`${first}/deletion-mark.json`));
});

test("a marked block that is the last copy of its data is not deleted", async (t) => {
  const site = new Site(t);
  for (const from of [0, 2, 4, 6, 8]) await site.add(from, 2);
  const compactor = site.compactor({deleteDelayMs: HOUR});
  await compactor.runOnce(never);
  const [merged] = (await site.live()).filter(({meta}) => meta.compaction.level === 2);
  assert.ok(merged !== undefined);
  const {ulid, compaction} = merged.meta;
  await deleteBlock(site.bucket, ulid, never);
  site.now += 2 * HOUR;
  await compactor.runOnce(never);
  for (const source of compaction.sources) assert.ok(site.bucket.objects.has(`${source}/meta.json`), source);
  assert.equal(await site.metric("strata_compact_kept_marked_blocks"), 4);
});

test("blocks marked longer ago than the delay are deleted, younger ones stay", async (t) => {
  const site = new Site(t);
  for (const from of [0, 2, 4, 6, 8]) await site.add(from, 2);
  const compactor = site.compactor({deleteDelayMs: 2 * HOUR});
  const count = () => [...site.bucket.objects.keys()].filter((key) => key.endsWith("/meta.json")).length;
  await compactor.runOnce(never);
  site.now += HOUR;
  await compactor.runOnce(never);
  assert.equal(count(), 6);
  site.now += 2 * HOUR;
  await compactor.runOnce(never);
  assert.equal(count(), 2);
  assert.equal(await site.metric("thanos_compact_blocks_cleaned_total"), 4);
});

test("aborted uploads go after two days, a block with a damaged meta.json stays", async (t) => {
  const site = new Site(t);
  const [aborted, damaged] = [await site.add(0, 2), await site.add(2, 2)];
  site.bucket.objects.delete(`${aborted}/meta.json`);
  site.bucket.put(`${damaged}/meta.json`, "{");
  site.now += 40 * HOUR;
  await site.compactor().runOnce(never);
  assert.ok(site.bucket.objects.has(`${aborted}/index`));
  site.now += 10 * HOUR;
  await site.compactor().runOnce(never);
  assert.equal(site.bucket.objects.has(`${aborted}/index`), false);
  assert.ok(site.bucket.objects.has(`${damaged}/index`));
  assert.match(site.lines.join(""), /damaged meta.json, leaving it alone/);
});

test("two compactors at once on one bucket are noticed, and nothing is lost", async (t) => {
  const site = new Site(t);
  for (let from = 0; from < 50; from += 2) await site.add(from, 2);
  const before = (await site.live()).flatMap(({times}) => times).sort((a, b) => a - b);
  const compactors = [site.compactor({deleteDelayMs: 0}), site.compactor({deleteDelayMs: 0})];
  for (let round = 0; round < 3; round++) {
    // One may meet blocks that the other has just deleted: it tries again later.
    await Promise.allSettled(compactors.map((compactor) => compactor.iterate(never)));
    site.now += 60_000;
    const raw = (await site.live()).filter(({meta}) => resolutionOf(meta) === 0);
    assert.deepEqual(
      [...new Set(raw.flatMap(({times}) => times))].sort((a, b) => a - b),
      before,
    );
  }
  assert.match(site.lines.join(""), /another compactor works on the same blocks/);
  await compactors[0]?.runOnce(never);
  const raw = (await site.live()).filter(({meta}) => resolutionOf(meta) === 0);
  assert.equal(raw.length, 2);
});

test("a group that fails leaves the others alone, and the next round goes on", async (t) => {
  const site = new Site(t);
  const failing = await site.add(0, 2);
  for (const from of [2, 4, 6, 8]) await site.add(from, 2);
  for (const from of [0, 2, 4, 6, 8]) await site.add(from, 2, {labels: {cluster: "b"}, offset: 1});
  const key = `${failing}/chunks/000001`;
  const object = site.bucket.objects.get(key);
  assert.ok(object !== undefined);
  let down = true;
  const bucket = new FaultyBucket(site.bucket, (call) => {
    if (down && call.key === key) throw new StrataError("unavailable", "503");
    return undefined;
  });
  const compactor = site.compactor({bucket});
  await assert.rejects(compactor.iterate(never), {code: "unavailable", message: /group 0@.*503/});
  const merged = () => site.metas().filter(({compaction}) => compaction.level === 2);
  assert.deepEqual(
    merged().map(({thanos}) => thanos?.labels),
    [{cluster: "b"}],
  );
  down = false;
  await compactor.iterate(never);
  assert.equal(merged().length, 2);
});

test("what is still to do is told in blocks, samples and hours", async (t) => {
  const site = new Site(t);
  for (let from = 0; from < 50; from += 2) await site.add(from, 2);
  const compactor = site.compactor({downsampling: false});
  await compactor.runOnce(never);
  assert.equal(await site.metric("thanos_compact_todo_compactions"), 0);
  assert.equal(await site.metric("strata_compact_backlog_hours", "compaction"), 0);
  assert.equal(await site.metric("thanos_compact_group_compactions_total", "0"), 7);
});

test("options that cannot go together are refused", (t) => {
  const site = new Site(t);
  assert.throws(() => site.compactor({dedup: "penalty"}), {code: "bad_data", message: /at least one replica label/});
  const retention = {raw: HOUR, fiveMinutes: 0, oneHour: 0};
  assert.throws(() => site.compactor({retention}), {code: "bad_data", message: /40 hours/});
  site.compactor({retention, downsampling: false});
});

const promtool = requireTool("promtool");

test("promtool analyzes a merged block", {skip: promtool.skip}, async (t) => {
  const site = new Site(t);
  for (const offset of [0, 9000]) {
    for (const from of [0, 2, 4, 6, 8]) {
      await site.add(from, 2, {labels: {cluster: "a", replica: String(offset)}, offset});
    }
  }
  await site.compactor({replicaLabels: ["replica"], dedup: "penalty"}).runOnce(never);
  const [merged] = (await site.live()).filter(({meta}) => meta.compaction.level === 3);
  assert.ok(merged !== undefined);
  const dir = join(site.root, "promtool");
  await downloadBlock(site.bucket, merged.meta.ulid, join(dir, merged.meta.ulid), 1, never);
  const out = execFileSync(promtool.path, ["tsdb", "analyze", "--extended", dir, merged.meta.ulid], {encoding: "utf8"});
  assert.match(out, /^Series: 2$/m);
});
