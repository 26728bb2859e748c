import assert from "node:assert/strict";
import {test} from "node:test";
import {random, repeat, seed, tempDir} from "@strata/base/testing";
import {Labels} from "@strata/model";
import type {SeriesBatch} from "@strata/series";
import {Head} from "./head.ts";
import {numberText, type PlainSamples, readAll, selectAll} from "./testing/read-all.ts";

const T0 = 1_700_000_000_000;
const HOUR = 3_600_000;

const labels = (i: number): Labels => Labels.fromObject({__name__: "m", i: String(i).padStart(5, "0")});
const signal = new AbortController().signal;

const once = (batches: readonly SeriesBatch[]) => ({
  select: async function* () {
    yield* batches;
  },
  labelNames: async () => ({values: [], warnings: []}),
  labelValues: async () => ({values: [], warnings: []}),
});

test("a select sees no sample of a later commit, in order or late, also when late ones become chunks meanwhile", async (t) => {
  const next = random(seed());
  for (let run = 0; run < repeat(20); run++) {
    // More series than a batch holds, so that the select goes on reading while commits come.
    const series = 600;
    const head = await Head.open(tempDir(t), {outOfOrderWindow: 10 * HOUR, outOfOrderCap: 1 + Math.floor(next() * 5)});
    const all = new Map<string, PlainSamples>();
    const used = new Map<number, Set<number>>();
    let clock = T0;
    const commit = async (): Promise<void> => {
      clock += 15_000;
      const app = head.appender();
      for (let i = 0; i < series; i++) {
        const ref = app.seriesOf(labels(i));
        const samples = all.get(String(labels(i))) ?? new Map();
        all.set(String(labels(i)), samples);
        const times = used.get(i) ?? new Set();
        used.set(i, times);
        for (let n = 0; n < 2; n++) {
          const at = n === 0 ? clock : T0 - Math.floor(next() * HOUR);
          if (times.has(at)) continue;
          times.add(at);
          samples.set(at, numberText(i + at));
          app.float(ref, at, i + at);
        }
      }
      assert.equal((await app.commit()).refused, 0);
    };
    await commit();
    const selects: {want: Map<string, PlainSamples>; reading: AsyncIterator<SeriesBatch>; batches: SeriesBatch[]}[] =
      [];
    for (let step = 0; step < 12; step++) {
      if (step < 4) {
        const want = new Map([...all].map(([key, samples]) => [key, new Map(samples)]));
        const reading = head.select(selectAll(), signal)[Symbol.asyncIterator]();
        const first = await reading.next();
        selects.push({want, reading, batches: [first.value]});
      }
      await commit();
      for (const {reading, batches} of selects) {
        if (next() < 0.3) continue;
        const more = await reading.next();
        if (more.done !== true) batches.push(more.value);
      }
    }
    for (const {want, reading, batches} of selects) {
      for (let more = await reading.next(); more.done !== true; more = await reading.next()) batches.push(more.value);
      const got = await readAll([once(batches)]);
      assert.equal(got.size, want.size);
      for (const [key, samples] of want) {
        const have = [...(got.get(key) ?? [])].sort(([a], [b]) => a - b);
        assert.deepEqual(
          have,
          [...samples].sort(([a], [b]) => a - b),
          key,
        );
      }
    }
    assert.deepEqual(
      [...(await readAll([head]))].map(([key, samples]) => [key, samples.size]),
      [...all].map(([key, samples]) => [key, samples.size]),
    );
    await head.close();
  }
});

test("within one commit a sample again is dropped silently, another value at its time is refused", async (t) => {
  const head = await Head.open(tempDir(t));
  t.after(() => head.close());
  const series = 20_000;
  const app = head.appender();
  for (let i = 0; i < series; i++) {
    const ref = app.seriesOf(labels(i));
    for (const v of [1, 1, 2]) app.float(ref, T0, v);
  }
  // The second is the first again, the third is refused.
  assert.deepEqual(await app.commit(), {inOrder: series, outOfOrder: 0, refused: series});
});
