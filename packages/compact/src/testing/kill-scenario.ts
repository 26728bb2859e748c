import assert from "node:assert/strict";
import {groupKey, resolutionOf} from "@strata/block";
import type {Bucket} from "@strata/objstore";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {missingObject} from "../bucket/verified-upload.ts";
import {Compactor} from "../compactor.ts";
import {RESOLUTION} from "../downsample/resolution.ts";
import {type Held, type HistoryReader, type MadeBlock, madeUlid, timesOf, uploadMade} from "./made-history.ts";

/*
 * Two replicas over 50 hours in blocks of 8 h and 2 h: merged by penalty, merged to 48 h, downsampled, and then, as all of
 * it is beyond the raw retention, deleted. Every step of the compactor is in it.
 */
const HOUR = 3_600_000;
const START = 1_717_459_200_000 - (1_717_459_200_000 % (48 * HOUR));
const STEP = 5 * 60_000;

const BLOCKS: readonly MadeBlock[] = [0, 1].flatMap((replica) => {
  const made = (mint: number, hours: number): MadeBlock => ({
    ulid: madeUlid(mint + hours * HOUR, replica),
    mint,
    maxt: mint + hours * HOUR,
    step: STEP,
    offset: replica * 9000,
    labels: {cluster: "a", replica: String(replica)},
  });
  return [...[0, 1, 2, 3, 4, 5].map((i) => made(START + i * 8 * HOUR, 8)), made(START + 48 * HOUR, 2)];
});

const DUE: readonly number[] = BLOCKS.flatMap((block) => timesOf(block)).sort((a, b) => a - b);

/** Fills an empty bucket; `dir` is for scratch. */
export async function fillBucket(bucket: Bucket, dir: string, signal: AbortSignal): Promise<void> {
  for (const block of BLOCKS) await uploadMade(bucket, dir, block, () => block.maxt, signal);
}

/** One round over the bucket, `later` ms from now. All data is long beyond the retention of raw samples. */
export async function compactOnce(bucket: Bucket, dataDir: string, signal: AbortSignal, later = 0): Promise<void> {
  const compactor = new Compactor({
    bucket,
    dataDir,
    logger: nullLogger(),
    registry: newRegistry(),
    now: () => Date.now() + later,
    replicaLabels: ["replica"],
    dedup: "penalty",
    retention: {raw: 41 * HOUR, fiveMinutes: 0, oneHour: 0},
    consistencyDelayMs: 0,
    deleteDelayMs: 0,
  });
  try {
    await compactor.runOnce(signal);
  } finally {
    await compactor.close();
  }
}

/** Rounds until all is done: what one marks, the next deletes; what was left of uploads goes after two days. */
export async function finishWork(bucket: Bucket, dataDir: string, signal: AbortSignal): Promise<void> {
  for (const days of [0, 0, 3]) await compactOnce(bucket, dataDir, signal, days * 24 * HOUR);
}

/** What must hold whenever the compactor stops: blocks that can be seen are whole, and all samples can be read. */
export async function assertNothingLost(bucket: Bucket, reader: HistoryReader, signal: AbortSignal): Promise<void> {
  const held = await reader.live({marked: true}, signal);
  for (const {meta} of held) assert.equal(await missingObject(bucket, meta, signal), undefined, meta.ulid);
  const times = held.flatMap(({meta, times: own}) => own.map((t) => [t, resolutionOf(meta)] as const));
  times.sort((a, b) => a[0] - b[0]);
  let i = 0;
  for (const t of DUE) {
    // A switch of replicas leaves out two steps; a window stands at its end.
    const reach = 3 * STEP + RESOLUTION.fiveMinutes;
    while (i < times.length && (times[i]?.[0] as number) < t - reach) i++;
    assert.ok(i < times.length && (times[i]?.[0] as number) <= t + reach, `nothing near ${new Date(t).toISOString()}`);
  }
}

/** Whether a finished bucket looks as it should: only 5 m blocks, each time once, and nothing left over. */
export async function assertFinished(bucket: Bucket, reader: HistoryReader, signal: AbortSignal): Promise<void> {
  await assertNothingLost(bucket, reader, signal);
  const held = await reader.live({marked: true}, signal);
  assert.deepEqual(summary(held), [`${RESOLUTION.fiveMinutes} 0-48`, `${RESOLUTION.fiveMinutes} 48-50`]);
  assert.equal(new Set(held.map(({meta}) => groupKey(meta))).size, 1);
  const known = new Set(held.map(({meta}) => meta.ulid));
  for await (const {name} of bucket.list("", {recursive: true}, signal)) {
    const [folder = ""] = name.split("/");
    assert.ok(known.has(folder) || folder === "debug", `left over: ${name}`);
  }
}

const summary = (held: readonly Held[]): string[] =>
  held
    .map(({meta}) => {
      const hours = [meta.minTime, meta.maxTime].map((t) => (t - START) / HOUR);
      return `${resolutionOf(meta)} ${hours.join("-")}`;
    })
    .sort();
