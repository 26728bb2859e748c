import assert from "node:assert/strict";
import {mkdirSync, rmSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {repeat, tempDir} from "@strata/base/testing";
import {resolutionOf, Shipper} from "@strata/block";
import {Labels} from "@strata/model";
import {MemoryBucket} from "@strata/objstore/testing";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {Compactor} from "./compactor.ts";
import {RESOLUTION} from "./downsample/resolution.ts";
import {type Held, HistoryReader, type MadeBlock, madeUlid, timesOf, writeMade} from "./testing/made-history.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A multiple of 14 days, so that ranges are the same every time. */
const START = 1_717_459_200_000 - (1_717_459_200_000 % (14 * DAY));
const STEP = 2 * MINUTE;
/** Samples due that are further than this from any that can be read are lost: a replica switch takes two steps. */
const REACH = 3 * STEP;
const RETENTION = {raw: 4 * DAY, fiveMinutes: 12 * DAY, oneHour: 0};
/** All of the year in a soak; less than in proportion otherwise, since every day takes a second of CPU. */
const DAYS = Math.max(8, Math.round(repeat(370) ** 2 / 370));
const never = new AbortController().signal;

/** Each replica is down now and then, never both. */
const isDown = (replica: number, t: number): boolean => Math.floor(t / HOUR) % 11 === (replica === 0 ? 3 : 7);

const blockOf = (replica: number, mint: number): MadeBlock => ({
  ulid: madeUlid(mint + 2 * HOUR, replica),
  mint,
  maxt: mint + 2 * HOUR,
  step: STEP,
  offset: replica * 7000,
  skip: (t) => isDown(replica, t),
});

/** One Prometheus of the pair with its shipper. */
class Replica {
  readonly #number: number;
  readonly #dir: string;
  readonly #shipper: Shipper;
  readonly #written: string[] = [];

  constructor(number: number, dir: string, bucket: MemoryBucket, now: () => number) {
    this.#number = number;
    this.#dir = dir;
    mkdirSync(dir, {recursive: true});
    this.#shipper = new Shipper({
      dir,
      bucket,
      labels: () => Labels.fromObject({cluster: "a", replica: String(number)}),
      source: "sidecar",
      uploadCompacted: false,
      logger: nullLogger(),
      registry: newRegistry(),
      now,
    });
  }

  async day(from: number): Promise<void> {
    for (let mint = from; mint < from + DAY; mint += 2 * HOUR) {
      const meta = await writeMade(this.#dir, blockOf(this.#number, mint));
      if (meta !== undefined) this.#written.push(meta.ulid);
    }
    await this.#shipper.sync(never);
    // As a Prometheus with a short retention does.
    for (const ulid of this.#written.splice(0)) rmSync(join(this.#dir, ulid), {recursive: true});
  }
}

/** Ascending times of all blocks of a resolution. */
const timesAt = (held: readonly Held[], resolution: number): number[] =>
  held
    .filter(({meta}) => resolutionOf(meta) === resolution)
    .flatMap(({times}) => times)
    .sort((a, b) => a - b);

/** Each of `due` has one of `times` within `reach`; both ascend. */
function assertCovered(due: readonly number[], times: readonly number[], reach: number, what: string): void {
  let i = 0;
  for (const t of due) {
    while (i < times.length && (times[i] as number) < t - reach) i++;
    assert.ok(
      i < times.length && (times[i] as number) <= t + reach,
      `${what}: nothing near ${new Date(t).toISOString()}`,
    );
  }
}

test("a year of two replicas looks after itself", async (t) => {
  let now = START;
  const clock = () => now;
  const bucket = new MemoryBucket("year", () => new Date(now));
  const root = tempDir(t);
  const replicas = [0, 1].map((number) => new Replica(number, join(root, `replica-${number}`), bucket, clock));
  const compactor = new Compactor({
    bucket,
    dataDir: join(root, "compact"),
    logger: nullLogger(),
    registry: newRegistry(),
    now: clock,
    replicaLabels: ["replica"],
    dedup: "penalty",
    retention: RETENTION,
    consistencyDelayMs: 30 * MINUTE,
  });
  t.after(() => compactor.close());
  const reader = new HistoryReader(bucket, join(root, "read"));
  const due: number[] = [];
  for (let day = 0; day < DAYS; day++) {
    const from = START + day * DAY;
    now = from + DAY + HOUR;
    for (const replica of replicas) await replica.day(from);
    for (let mint = from; mint < from + DAY; mint += 2 * HOUR) {
      due.push(...[0, 1].flatMap((number) => timesOf(blockOf(number, mint))).sort((a, b) => a - b));
    }
    await compactor.iterate(never);
    const held = await reader.live({marked: false}, never);
    assertAllReadable(held, due, now);
    const bound = 60 + Math.ceil((3 * day) / 14);
    assert.ok(held.length <= bound, `day ${day}: ${held.length} blocks, at most ${bound} expected`);
  }
  const held = await reader.live({marked: true}, never);
  assert.ok(held.some(({meta}) => resolutionOf(meta) === RESOLUTION.fiveMinutes));
  // A block goes as a whole, so that its first sample may be 14 days older.
  const oldest = timesAt(held, RESOLUTION.raw)[0] as number;
  assert.ok(oldest >= now - RETENTION.raw - 17 * DAY, "raw samples are not kept for ever");
  if (DAYS > 60) assert.ok(held.some(({meta}) => resolutionOf(meta) === RESOLUTION.oneHour));
});

/** What is within the retention of a resolution is there; what is beyond the finer ones' is there at 1 h. */
function assertAllReadable(held: readonly Held[], due: readonly number[], now: number): void {
  const raw = timesAt(held, RESOLUTION.raw);
  assertCovered(
    due.filter((t) => t > now - RETENTION.raw),
    raw,
    REACH,
    "raw",
  );
  const fine = [...raw, ...timesAt(held, RESOLUTION.fiveMinutes)].sort((a, b) => a - b);
  assertCovered(
    due.filter((t) => t > now - RETENTION.fiveMinutes),
    fine,
    REACH + RESOLUTION.fiveMinutes,
    "5 m",
  );
  const all = [...fine, ...timesAt(held, RESOLUTION.oneHour)].sort((a, b) => a - b);
  assertCovered(due, all, REACH + RESOLUTION.oneHour, "1 h");
}
