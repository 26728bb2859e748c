import assert from "node:assert/strict";
import {existsSync, readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {goldenDir} from "@strata/base/testing";
import {readBlockMeta} from "@strata/tsdb";
import {type IndexHealth, indexHealth, type Spread} from "./index-health.ts";

type Golden = {
  readonly error?: string;
  readonly any_error?: string;
  readonly critical_error?: string;
  readonly issue347_error?: string;
  readonly out_of_order_chunks_error?: string;
  readonly stats: Readonly<Record<string, number>>;
};

const root = goldenDir("storage", "blocks");
const found = readdirSync(root, {recursive: true, encoding: "utf8"}).filter((name) => name.endsWith(".health.json"));

test("there are indexes with their health", () => assert.ok(found.length > 0));

/** The original starts from the ends of 64 bits, and times of a life are nanoseconds. */
const NONE = {min: 9223372036854775807n, max: -9223372036854775808n};

/** ms as the original prints them: an overflow where nothing was counted. */
const nanoseconds = (value: number, none: bigint): number =>
  Number(BigInt.asIntN(64, (Number.isFinite(value) ? BigInt(value) : none) * 1_000_000n));
const plain = (value: number, none: bigint): number => (Number.isFinite(value) ? value : Number(none));

const spread = (name: (part: string) => string, s: Spread, put: typeof plain): Record<string, number> => ({
  [name("Min")]: put(s.min, NONE.min),
  [name("Avg")]: put(s.mean, 0n),
  [name("Max")]: put(s.max, NONE.max),
});

const statsOf = (h: IndexHealth): Record<string, number> => ({
  TotalSeries: h.series,
  OutOfOrderSeries: h.outOfOrderSeries,
  OutOfOrderChunks: h.outOfOrderChunks,
  DuplicatedChunks: h.duplicateChunks,
  OutsideChunks: h.outsideChunks,
  CompleteOutsideChunks: h.completelyOutsideChunks,
  Issue347OutsideChunks: h.issue347Chunks,
  OutOfOrderLabels: h.outOfOrderLabels,
  ...spread((part) => `Series${part}LifeDuration`, h.seriesLife, nanoseconds),
  ...spread((part) => `Series${part}LifeDurationWithoutSingleSampleSeries`, h.seriesLifeWithoutSingles, nanoseconds),
  ...spread((part) => `Series${part}Chunks`, h.seriesChunks, plain),
  TotalChunks: h.chunks,
  ...spread((part) => `Chunk${part}Duration`, h.chunkDuration, nanoseconds),
  ...spread((part) => `Chunk${part}Size`, h.chunkSize, plain),
  ...spread((part) => `Series${part}Size`, h.seriesSize, plain),
  SingleSampleSeries: h.singleSampleSeries,
  SingleSampleChunks: h.singleSampleChunks,
  LabelNamesCount: h.labelNames,
  MetricLabelValuesCount: h.metricNames,
});

for (const name of found) {
  const dir = join(root, name.slice(0, -".health.json".length));
  if (!existsSync(join(dir, "index"))) continue;
  test(`${name}: the same trouble, or none`, async () => {
    const want = JSON.parse(readFileSync(join(root, name), "utf8")) as Golden;
    const {minTime, maxTime} = await readBlockMeta(dir);
    if (want.error !== undefined) {
      await assert.rejects(indexHealth(dir, minTime, maxTime), {message: want.error});
      return;
    }
    const health = await indexHealth(dir, minTime, maxTime);
    assert.deepEqual(
      [health.anyError, health.criticalError, health.issue347Error, health.outOfOrderChunksError],
      [want.any_error, want.critical_error, want.issue347_error, want.out_of_order_chunks_error],
    );
    assert.deepEqual(statsOf(health), want.stats);
  });
}
