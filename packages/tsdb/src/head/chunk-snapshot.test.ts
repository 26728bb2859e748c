import assert from "node:assert/strict";
import {cpSync, readdirSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {random, repeat, seed, tempDir} from "@strata/base/testing";
import {type Histogram, Labels, matcher, RESET_HINT} from "@strata/model";
import {Head, type HeadOptions} from "./head.ts";
import {APPEND} from "./series-store.ts";
import {readAll} from "./testing/read-all.ts";

const T0 = 1_700_000_000_000;

const histogram = (kind: "int" | "float", n: number): Histogram =>
  ({
    kind,
    resetHint: RESET_HINT.unknown,
    schema: 1,
    zeroThreshold: 0.001,
    sum: n,
    stale: false,
    positiveSpans: [{offset: n % 3, length: 2}],
    negativeSpans: [],
    customValues: new Float64Array(0),
    count: kind === "int" ? BigInt(3 * n) : 3 * n,
    zeroCount: kind === "int" ? BigInt(n) : n,
    positiveBuckets: kind === "int" ? BigInt64Array.of(BigInt(n), 0n) : Float64Array.of(n, n),
    negativeBuckets: kind === "int" ? new BigInt64Array(0) : new Float64Array(0),
  }) as Histogram;

const snapshots = (dir: string): string[] => readdirSync(dir).filter((name) => name.startsWith("chunk_snapshot."));

test("a snapshot of memory stands for the log: all is there after a start, and appending goes on", async (t) => {
  const next = random(seed());
  const pick = (n: number): number => Math.floor(next() * n);
  for (let run = 0; run < repeat(30); run++) {
    let dir = tempDir(t);
    const options: HeadOptions = {
      outOfOrderWindow: 3_600_000,
      outOfOrderCap: 4,
      maxExemplars: 20,
      snapshotOnClose: true,
      startTimes: next() < 0.3,
      wal: {segmentBytes: 32 * 1024, compression: "snappy"},
    };
    let clock = T0;
    let head = await Head.open(dir, options);
    for (let round = 0; round < 4; round++) {
      for (let n = pick(100); n >= 0; n--) {
        clock += pick(100_000);
        const app = head.appender();
        for (let i = 0; i < 6; i++) {
          const ref = app.seriesOf(Labels.fromObject({__name__: "m", i: String(i)}));
          const at = next() < 0.2 ? clock - pick(1_000_000) : clock;
          if (i < 4) app.float(ref, at, pick(4), options.startTimes === true && next() < 0.5 ? at - 1000 : 0);
          else app.histogram(ref, at, histogram(i === 4 ? "int" : "float", pick(9)));
          if (next() < 0.1) app.exemplar({ref, t: at, v: 1, labels: Labels.fromObject({n: String(n)})});
        }
        await app.commit();
      }
      if (next() < 0.5) await head.delete([matcher("i", "=", "2")], clock - 500_000, clock - 100_000);
      const want = await readAll([head]);
      const exemplars = head.exemplars.all();
      const {maxTime} = head;
      // With a snapshot, or as a kill would leave it: the newest snapshot is older than the log then.
      if (next() < 0.7) {
        await head.close();
        assert.equal(snapshots(dir).length, 1);
      } else {
        const copy = tempDir(t);
        cpSync(dir, copy, {recursive: true});
        await head.close();
        dir = copy;
      }
      head = await Head.open(dir, options);
      assert.deepEqual(head.report.repaired, []);
      assert.deepEqual(sorted(await readAll([head])), sorted(want), `run ${run} round ${round}`);
      assert.deepEqual(head.exemplars.all(), exemplars);
      assert.equal(head.maxTime, maxTime);
    }
    await head.close();
  }
});

const sorted = (all: Map<string, Map<number, string>>): unknown =>
  [...all].map(([key, samples]) => [key, [...samples].sort(([a], [b]) => a - b)]);

test("a snapshot knows the last sample, and a damaged one is passed over", async (t) => {
  const dir = tempDir(t);
  let head = await Head.open(dir, {snapshotOnClose: true});
  let app = head.appender();
  const float = app.seriesOf(Labels.fromObject({__name__: "f"}));
  const h = app.seriesOf(Labels.fromObject({__name__: "h"}));
  app.float(float, T0, 1);
  app.histogram(h, T0, histogram("int", 3));
  await app.commit();
  await head.close();
  head = await Head.open(dir, {snapshotOnClose: true});
  assert.equal(head.report.samples, 2);
  app = head.appender();
  assert.equal(app.float(float, T0, 1), APPEND.same);
  assert.equal(app.float(float, T0, 2), APPEND.duplicate);
  assert.equal(app.histogram(h, T0, histogram("int", 3)), APPEND.same);
  assert.equal(app.histogram(h, T0, histogram("int", 4)), APPEND.duplicate);
  app.rollback();
  const want = await readAll([head]);
  await head.close();
  const [name] = snapshots(dir);
  writeFileSync(join(dir, name as string, "00000000"), Buffer.alloc(100, 7));
  head = await Head.open(dir);
  assert.equal(head.report.repaired.length, 1);
  assert.equal(head.stats.snapshotErrors, 1);
  assert.deepEqual(await readAll([head]), want);
  await head.close();
});
