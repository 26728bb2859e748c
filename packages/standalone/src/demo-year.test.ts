import assert from "node:assert/strict";
import {readdirSync} from "node:fs";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {Compactor, RESOLUTION} from "@strata/compact";
import {FilesystemBucket} from "@strata/objstore";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {type BlockMeta, readBlockMeta} from "@strata/tsdb";
import {recentDemoTimes} from "./demo-history.ts";
import {DEMO_YEAR_MS, demoSeries} from "./demo-series.ts";
import {uploadYear} from "./demo-upload.ts";
import {writeDemoYear} from "./demo-year.ts";

const DAY = 24 * 3_600_000;
const never = new AbortController().signal;
const BEGUN = Date.UTC(2026, 4, 7, 9, 41);
/** A part of the series: what is said of blocks holds for all. */
const SOME = demoSeries().filter((_, i) => i % 25 === 0);

const resolutionOf = (meta: BlockMeta): number => meta.thanos?.resolution ?? 0;

/** Sorted by time; throws where two of one resolution overlap. */
function timeline(metas: readonly BlockMeta[], resolution: number): BlockMeta[] {
  const own = metas.filter((meta) => resolutionOf(meta) === resolution).sort((a, b) => a.minTime - b.minTime);
  own.forEach((meta, i) => {
    const next = own[i + 1];
    assert.ok(next === undefined || meta.maxTime <= next.minTime, `${meta.ulid} and ${next?.ulid} overlap`);
  });
  return own;
}

// At the beginning of the compactor's ranges, at their end, and between.
for (const days of [0.3, 1.9, 13.9]) {
  const now = BEGUN + days * DAY;
  test(`a compactor finds nothing to do in the year written at ${new Date(now).toISOString()}`, (t) => holds(t, now));
}

async function holds(t: TestContext, now: number): Promise<void> {
  const dir = tempDir(t);
  const written = join(dir, "year");
  const {blocks, minTime, maxTime} = await writeDemoYear(written, now, SOME);
  const metas = await Promise.all(readdirSync(written).map((name) => readBlockMeta(join(written, name))));
  assert.equal(metas.length, blocks);
  assert.ok(now - minTime >= DEMO_YEAR_MS && now - minTime < DEMO_YEAR_MS + 15 * DAY);
  assert.equal(maxTime, recentDemoTimes(now).minTime);
  const hours = timeline(metas, RESOLUTION.oneHour);
  const raw = timeline(metas, RESOLUTION.raw);
  assert.equal(hours[0]?.minTime, minTime);
  assert.equal(hours.at(-1)?.maxTime, raw[0]?.minTime ?? maxTime);
  assert.equal(raw.at(-1)?.maxTime ?? maxTime, maxTime);
  for (const fine of timeline(metas, RESOLUTION.fiveMinutes)) {
    const source = raw.find((meta) => meta.minTime === fine.minTime);
    assert.deepEqual(fine.compaction.sources, source?.compaction.sources);
  }

  const bucket = new FilesystemBucket(join(dir, "bucket"));
  assert.equal(await uploadYear(written, bucket, never), blocks);
  const all = async (): Promise<string[]> => {
    const names: string[] = [];
    for await (const {name} of bucket.list("", {recursive: true}, never)) names.push(name);
    return names.sort();
  };
  const before = await all();
  const compactor = new Compactor({
    bucket,
    dataDir: join(dir, "compact"),
    logger: nullLogger(),
    registry: newRegistry(),
    consistencyDelayMs: 0,
    retention: {raw: 30 * DAY, fiveMinutes: 90 * DAY, oneHour: 0},
    now: () => now,
  });
  t.after(() => compactor.close());
  await compactor.iterate(never);
  // The compactor's own card is not about blocks.
  assert.deepEqual(
    (await all()).filter((name) => !name.startsWith("debug/")),
    before,
  );
}

test("a series of the demo goes on where it ended, and is as long as it is old", () => {
  const step = 30_000;
  const [together, apart] = [demoSeries(), demoSeries()];
  const from = Math.floor(BEGUN / DAY) * DAY;
  for (const [i, one] of together.entries()) {
    const whole = new Float64Array(100);
    one.fill(from, step, whole);
    const parts = new Float64Array(100);
    apart[i]?.fill(from, step, parts.subarray(0, 37));
    apart[i]?.fill(from + 37 * step, step, parts.subarray(37));
    assert.deepEqual(parts, whole, one.labels.toString());
    assert.ok(one.age > 0 && one.age <= 1);
    if (one.labels.get("__name__").endsWith("_total")) {
      assert.ok(whole.every((v, k) => k === 0 || v >= (whole[k - 1] as number) || v < (whole[k - 1] as number) / 2));
    }
  }
  const ages = new Set(together.map(({age}) => age));
  assert.ok(ages.has(1) && ages.size > 5);
});
