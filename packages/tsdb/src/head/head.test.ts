import assert from "node:assert/strict";
import {cpSync, readdirSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {random, repeat, seed, tempDir} from "@strata/base/testing";
import {type Histogram, Labels, matcher, RESET_HINT} from "@strata/model";
import {BlockReader} from "../block-reader.ts";
import {listCheckpoints, listSegments} from "../wal/segments.ts";
import {Head, type HeadOptions} from "./head.ts";
import {compactHead, snapshotHead} from "./head-blocks.ts";
import {APPEND} from "./series-store.ts";
import {histogramText, numberText, readAll, selectAll} from "./testing/read-all.ts";

const T0 = 1_700_000_000_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const labels = (i: number): Labels => Labels.fromObject({__name__: "m", i: String(i), job: `j${i % 3}`});

const histogram = (n: number): Histogram => ({
  kind: "int",
  resetHint: RESET_HINT.unknown,
  schema: 1,
  zeroThreshold: 0.001,
  sum: n,
  stale: false,
  positiveSpans: [{offset: n % 3, length: 2}],
  negativeSpans: [],
  customValues: new Float64Array(0),
  count: BigInt(3 * n),
  zeroCount: BigInt(n),
  positiveBuckets: BigInt64Array.of(BigInt(n), 0n),
  negativeBuckets: new BigInt64Array(0),
});

async function opened(t: Parameters<typeof tempDir>[0], options: HeadOptions = {}): Promise<Head> {
  const head = await Head.open(tempDir(t), options);
  t.after(() => head.close());
  return head;
}

/** Commits [series, t, v] samples; returns their statuses. */
async function put(head: Head, samples: readonly (readonly [number, number, number])[]): Promise<number[]> {
  const app = head.appender();
  const statuses = samples.map(([i, t, v]) => app.float(app.seriesOf(labels(i)), t, v));
  await app.commit();
  return statuses;
}

test("what is committed is read back, what is rolled back is not", async (t) => {
  const head = await opened(t);
  await put(head, [
    [1, T0, 1],
    [2, T0, 2],
    [1, T0 + 1, 1.5],
  ]);
  const app = head.appender();
  app.float(app.seriesOf(labels(1)), T0 + 2, 9);
  app.rollback();
  await app.commit();
  assert.deepEqual(
    await readAll([head]),
    new Map([
      [
        String(labels(1)),
        new Map([
          [T0, numberText(1)],
          [T0 + 1, numberText(1.5)],
        ]),
      ],
      [String(labels(2)), new Map([[T0, numberText(2)]])],
    ]),
  );
});

test("samples are refused as Prometheus does, without a window", async (t) => {
  const head = await opened(t);
  await put(head, [
    [1, T0, 1],
    [2, T0 + 10 * MINUTE, 1],
  ]);
  assert.deepEqual(
    await put(head, [
      [1, T0, 1],
      [1, T0, 2],
      [1, T0 - 1, 1],
      [1, T0 - 2 * HOUR, 1],
      [1, T0 + 1, 1],
    ]),
    [APPEND.same, APPEND.duplicate, APPEND.outOfOrder, APPEND.outOfBounds, APPEND.ok],
  );
  const app = head.appender();
  assert.equal(app.float(12345, T0, 1), APPEND.unknownSeries);
});

test("within one commit, a sample that an earlier one overtook is refused at the commit", async (t) => {
  const head: Head = await opened(t);
  const app = head.appender();
  const ref = app.seriesOf(labels(1));
  assert.equal(app.float(ref, T0 + 5, 1), APPEND.ok);
  assert.equal(app.float(ref, T0, 1), APPEND.ok);
  assert.deepEqual(await app.commit(), {inOrder: 1, outOfOrder: 0, refused: 1});
});

test("samples within the window go out of order, older ones are too old", async (t) => {
  const head = await opened(t, {outOfOrderWindow: HOUR, outOfOrderCap: 4});
  await put(head, [[1, T0 + HOUR, 1]]);
  const late = Array.from({length: 11}, (_, i) => [1, T0 + HOUR - 1 - ((i * 7) % 11) * MINUTE, i] as const);
  assert.deepEqual(new Set(await put(head, late)), new Set([APPEND.ooo]));
  assert.deepEqual(await put(head, [[1, T0 - 1, 1]]), [APPEND.tooOld]);
  const want = new Map([[T0 + HOUR, numberText(1)], ...late.map(([, at, v]) => [at, numberText(v)] as const)]);
  assert.deepEqual((await readAll([head])).get(String(labels(1))), want);
  assert.notEqual(head.store.newestOoo[0], 0);
});

test("a stale marker behind histograms is a histogram's", async (t) => {
  const head = await opened(t);
  const app = head.appender();
  const ref = app.seriesOf(labels(1));
  app.histogram(ref, T0, histogram(5));
  await app.commit();
  const second = head.appender();
  second.floatWords(ref, T0 + 1, 2, 0x7ff00000, 0);
  await second.commit();
  assert.deepEqual(
    [...((await readAll([head])).get(String(labels(1))) ?? [])],
    [
      [T0, histogramText(histogram(5))],
      [T0 + 1, "int stale"],
    ],
  );
});

test("a select does not see what is committed after it began", async (t) => {
  const head = await opened(t);
  const many = Array.from({length: 600}, (_, i) => [i, T0, i] as const);
  await put(head, many);
  const seen: number[] = [];
  const batches = head.select(selectAll(), new AbortController().signal);
  for await (const batch of batches) {
    for (let i = 0; i < batch.offset.length; i++) {
      const at = batch.offset[i] as number;
      seen.push(((batch.bytes[at] as number) << 8) | (batch.bytes[at + 1] as number));
    }
    await put(
      head,
      many.map(([i]) => [i, T0 + 1 + seen.length, 7] as const),
    );
  }
  assert.equal(seen.length, 600);
  assert.deepEqual(new Set(seen), new Set([1]));
});

test("deleted samples are hidden, also after a restart", async (t) => {
  const dir = tempDir(t);
  let head = await Head.open(dir);
  await put(
    head,
    Array.from({length: 50}, (_, i) => [i % 2, T0 + i * MINUTE, i] as const),
  );
  assert.equal(await head.delete([matcher("i", "=", "1")], T0 + 10 * MINUTE, T0 + 20 * MINUTE), 1);
  const want = await readAll([head]);
  assert.equal(want.get(String(labels(1)))?.size, 20);
  await head.close();
  head = await Head.open(dir);
  assert.deepEqual(await readAll([head]), want);
  await head.close();
});

test("label names and values come with and without matchers", async (t) => {
  const head = await opened(t, {externalLabels: Labels.fromObject({tenant: "a"})});
  await put(head, [
    [1, T0, 1],
    [2, T0, 1],
    [10, T0, 1],
  ]);
  const q = {matchers: [], mint: T0, maxt: T0, withoutReplicaLabels: [], limit: 0, partialResponse: false};
  const signal = new AbortController().signal;
  assert.deepEqual((await head.labelNames(q, signal)).values, ["__name__", "i", "job", "tenant"]);
  assert.deepEqual((await head.labelValues("i", q, signal)).values, ["1", "10", "2"]);
  const matchers = [matcher("job", "=", "j1")];
  assert.deepEqual((await head.labelValues("i", {...q, matchers}, signal)).values, ["1", "10"]);
  assert.deepEqual((await head.labelValues("tenant", {...q, matchers}, signal)).values, ["a"]);
  assert.deepEqual((await head.labelValues("i", {...q, mint: T0 + 1, maxt: T0 + 2}, signal)).values, []);
});

test("exemplars fill a ring and come back after a restart", async (t) => {
  const dir = tempDir(t);
  let head = await Head.open(dir, {maxExemplars: 3});
  const app = head.appender();
  const ref = app.seriesOf(labels(1));
  app.float(ref, T0, 1);
  for (let i = 0; i < 5; i++) app.exemplar({ref, t: T0 + i, v: i, labels: Labels.fromObject({trace: String(i)})});
  await app.commit();
  const times = (): number[] => head.exemplars.of(ref, 0, T0 * 2).map((e) => e.t - T0);
  assert.deepEqual(times(), [2, 3, 4]);
  assert.equal(head.appender().exemplar({ref, t: T0 + 1, v: 0, labels: Labels.EMPTY}), "out_of_order");
  await head.close();
  head = await Head.open(dir, {maxExemplars: 3});
  assert.deepEqual(times(), [2, 3, 4]);
  await head.close();
});

test("a head of many hours becomes aligned blocks, shortens its log and forgets ended series", async (t) => {
  const dir = tempDir(t);
  const head = await Head.open(dir, {wal: {segmentBytes: 32 * 1024, compression: "none"}});
  t.after(() => head.close());
  for (let at = T0; at < T0 + 9 * HOUR; at += MINUTE) {
    await put(
      head,
      [1, 2, 3, 4].map((i) => [i, at + i, at % 1000] as const),
    );
    if (at < T0 + HOUR) await put(head, [[99, at, 1]]);
  }
  const before = await readAll([head]);
  const blocks: BlockReader[] = [];
  t.after(async () => void (await Promise.all(blocks.map((b) => b.close()))));
  const metas = await compactHead(
    head,
    dir,
    async (meta) => void blocks.push(await BlockReader.open(join(dir, meta.ulid))),
  );
  assert.ok(metas.length >= 3);
  metas.forEach((meta, i) => {
    assert.equal(meta.maxTime % (2 * HOUR), 0);
    if (i > 0) assert.ok(meta.minTime >= (metas[i - 1]?.maxTime ?? 0));
  });
  assert.ok(head.minTime >= (metas.at(-1)?.maxTime ?? 0));
  assert.equal(head.series, 4);
  assert.deepEqual(await readAll([...blocks, head]), before);
  assert.ok(listCheckpoints(join(dir, "wal")).length === 1);
  assert.ok((listSegments(join(dir, "wal"))[0]?.index ?? 0) > 0);
  // The same after a restart that knows the blocks.
  const copy = tempDir(t);
  cpSync(dir, copy, {recursive: true});
  const again = await Head.open(copy, {minValidTime: metas.at(-1)?.maxTime});
  t.after(() => again.close());
  assert.deepEqual(await readAll([...blocks, again]), before);
  assert.equal(again.series, 4);
});

test("a snapshot block holds everything, out-of-order samples too, and the head stays as it is", async (t) => {
  const dir = tempDir(t);
  const head = await Head.open(dir, {outOfOrderWindow: HOUR});
  t.after(() => head.close());
  await put(
    head,
    Array.from({length: 300}, (_, i) => [i % 3, T0 + i * 30_000, i] as const),
  );
  await put(head, [
    [1, T0 + 100 * MINUTE + 7, 1],
    [2, T0 + 120 * MINUTE + 3, 2],
  ]);
  const before = await readAll([head]);
  const meta = await snapshotHead(head, join(dir, "snap"));
  const block = await BlockReader.open(join(dir, "snap", String(meta?.ulid)));
  assert.deepEqual(await readAll([block]), before);
  assert.deepEqual(await readAll([head]), before);
  await block.close();
});

test("random commits, restarts, kills and compactions keep exactly what was acknowledged", async (t) => {
  const next = random(seed());
  const pick = (n: number): number => Math.floor(next() * n);
  for (let run = 0; run < repeat(60); run++) {
    const dir = tempDir(t);
    const options: HeadOptions = {
      outOfOrderWindow: next() < 0.7 ? HOUR : 0,
      outOfOrderCap: 1 + pick(10),
      wal: {segmentBytes: 32 * 1024, compression: next() < 0.5 ? "snappy" : "none"},
    };
    let blocks: BlockReader[] = [];
    let place = dir;
    let head = await Head.open(dir, options);
    const want = new Map<string, Map<number, string>>();
    let clock = T0;
    const reopen = async (from: string): Promise<void> => {
      await Promise.all(blocks.map((b) => b.close()));
      place = from;
      blocks = [];
      for (const name of readdirSync(from))
        if (name.length === 26) blocks.push(await BlockReader.open(join(from, name)));
      const ends = blocks.filter((b) => b.meta.compaction.hints.length === 0).map((b) => b.meta.maxTime);
      head = await Head.open(from, {...options, minValidTime: Math.max(...ends, Number.NEGATIVE_INFINITY)});
    };
    for (let step = 0; step < 60; step++) {
      const what = next();
      if (what < 0.75) {
        clock += pick(20) * MINUTE;
        const app = head.appender();
        const added: [string, number, string][] = [];
        for (let n = pick(40); n > 0; n--) {
          const i = pick(6);
          const late = next() < 0.3;
          const at = late ? clock - pick(70 * MINUTE) : clock + pick(1000);
          const ref = app.seriesOf(labels(i));
          // One sample a series and time at the most, so that the model need not know who wins.
          if (
            want.get(String(labels(i)))?.has(at) ||
            added.some(([key, time]) => key === String(labels(i)) && time === at)
          )
            continue;
          const v = pick(5);
          const asHistogram = i === 5;
          const status = asHistogram ? app.histogram(ref, at, histogram(v + 1)) : app.float(ref, at, v);
          const text = asHistogram ? histogramText(histogram(v + 1)) : numberText(v);
          if (status < APPEND.refused) added.push([String(labels(i)), at, text]);
        }
        if (next() < 0.1) app.rollback();
        else {
          const {inOrder, outOfOrder, refused} = await app.commit();
          assert.equal(inOrder + outOfOrder + refused, added.length);
          // What was overtaken within the commit, or left the window in it, is gone: ask the head which.
          const got = refused === 0 ? undefined : await readAll([head]);
          for (const [key, at, text] of added) {
            if (got !== undefined && !got.get(key)?.has(at)) continue;
            const samples = want.get(key) ?? new Map<number, string>();
            samples.set(at, text);
            want.set(key, samples);
          }
        }
      } else if (what < 0.82) {
        await head.close();
        await reopen(place);
      } else if (what < 0.89) {
        // A kill: what the files hold now is all there is.
        const copy = tempDir(t);
        cpSync(place, copy, {recursive: true});
        await head.close();
        await reopen(copy);
      } else if (what < 0.95) {
        await compactHead(
          head,
          place,
          async (meta) => void blocks.push(await BlockReader.open(join(place, meta.ulid))),
        );
      }
      const got = await readAll([head, ...blocks]);
      for (const [key, samples] of want) {
        const have = got.get(key) ?? new Map();
        assert.deepEqual(
          [...have].sort(([a], [b]) => a - b),
          [...samples].sort(([a], [b]) => a - b),
          `run ${run} step ${step} series ${key}`,
        );
      }
      for (const key of got.keys()) assert.ok(want.has(key), key);
    }
    await head.close();
    await Promise.all(blocks.map((b) => b.close()));
  }
});

test("a histogram again is accepted silently, another one at its time is a duplicate", async (t) => {
  const head = await opened(t);
  const app = head.appender();
  const ref = app.seriesOf(labels(1));
  // The second widens the chunk: its buckets lie elsewhere than in what is sent.
  app.histogram(ref, T0, histogram(4));
  app.histogram(ref, T0 + 1, {...histogram(5), positiveSpans: [{offset: 1, length: 2}]});
  await app.commit();
  const again = head.appender();
  const last = {...histogram(5), positiveSpans: [{offset: 1, length: 2}]};
  assert.equal(again.histogram(ref, T0 + 1, last), APPEND.same);
  const spread = [
    {offset: 1, length: 1},
    {offset: 0, length: 1},
  ];
  assert.equal(again.histogram(ref, T0 + 1, {...last, positiveSpans: spread}), APPEND.same);
  assert.equal(again.histogram(ref, T0 + 1, {...last, sum: 6}), APPEND.duplicate);
  assert.equal(
    again.histogram(ref, T0 + 1, {...last, positiveBuckets: BigInt64Array.of(5n, 1n)} as Histogram),
    APPEND.duplicate,
  );
  assert.equal(again.histogram(ref, T0 + 1, {...last, schema: 2}), APPEND.duplicate);
  assert.equal(again.float(ref, T0 + 1, 1), APPEND.duplicate);
  again.rollback();
});
