import assert from "node:assert/strict";
import {readdirSync, readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {random, seed, tempDir} from "@strata/base/testing";
import {AGGREGATES, appendFloatChunk, encodeFloatChunks, newFloatColumns, splitAggregates} from "@strata/chunkenc";
import {downsampleTwin} from "@strata/kernels";
import {Labels} from "@strata/model";
import {BlockReader, BlockWriter, EMPTY_THANOS_META} from "@strata/tsdb";
import {downsampleBlock} from "./downsample-block.ts";
import {RESOLUTION, targetChunks} from "./resolution.ts";

type Samples = {readonly ts: number[]; readonly vs: number[]; readonly st?: number[]};

/** A raw block of one series a label value. */
async function writeBlock(parent: string, series: readonly Samples[]): Promise<string> {
  const writer = await BlockWriter.create(parent);
  let end = 0;
  for (const [i, {ts, vs, st}] of series.entries()) {
    writer.startSeries(Labels.fromObject({__name__: "m", i: String(i).padStart(4, "0")}));
    const columns = {
      t: Float64Array.from(ts),
      v: Float64Array.from(vs),
      n: ts.length,
      st: st && Float64Array.from(st),
    };
    for (const {mint, maxt, encoding, data} of encodeFloatChunks(columns)) {
      await writer.addChunk(mint, maxt, encoding, data);
      end = Math.max(end, maxt + 1);
    }
    await writer.endSeries();
  }
  const thanos = {...EMPTY_THANOS_META, labels: {replica: "a"}};
  const meta = await writer.finish({minTime: 0, maxTime: end, thanos});
  return join(parent, String(meta?.ulid));
}

/** The columns of every aggregate, all chunks of a series one behind the other. */
async function columnsOf(dir: string): Promise<Map<string, {t: number[]; v: number[]}>[]> {
  const block = await BlockReader.open(dir);
  const out: Map<string, {t: number[]; v: number[]}>[] = [];
  for (const id of await block.index.all()) {
    const {entry} = await block.index.series(id);
    const columns = AGGREGATES.map(() => newFloatColumns(16));
    await block.chunks.read(entry.chunkRef.slice(0, entry.chunks), (_, __, buffer, at, length) => {
      splitAggregates(buffer, at, length).forEach((part, i) => {
        if (part !== undefined) {
          appendFloatChunk(part.encoding, buffer, part.from, part.length, columns[i] as (typeof columns)[number]);
        }
      });
    });
    out.push(
      new Map(AGGREGATES.map((name, i) => [name, {t: values(columns[i], "t"), v: values(columns[i], "v")}] as const)),
    );
  }
  await block.close();
  return out;
}

const values = (columns: {t: Float64Array; v: Float64Array; n: number} | undefined, of: "t" | "v"): number[] =>
  columns === undefined ? [] : [...columns[of].subarray(0, columns.n)];

function counter(n: number, step: number, next: () => number): Samples {
  const ts: number[] = [];
  const vs: number[] = [];
  let v = 0;
  for (let i = 0; i < n; i++) {
    ts.push(i * step + Math.floor(next() * 100));
    v = next() < 0.001 ? 0 : v + Math.floor(next() * 5);
    vs.push(v);
  }
  return {ts, vs};
}

test("a series of many pieces gives what its samples give at once", async (t) => {
  const next = random(seed());
  // More than two pieces of 64 Ki samples, and a short series behind it.
  const series = [counter(200_000, 1000, next), counter(500, 15_000, next)];
  const parent = tempDir(t);
  const meta = await downsampleBlock(await writeBlock(parent, series), parent, RESOLUTION.fiveMinutes);
  const got = await columnsOf(join(parent, String(meta?.ulid)));
  for (const [i, {ts, vs}] of series.entries()) {
    const wanted = targetChunks(ts[0] as number, ts.at(-1) as number, 0, RESOLUTION.fiveMinutes, ts.length);
    const chunks = downsampleTwin(ts, vs, Math.trunc(ts.length / wanted) + 1, RESOLUTION.fiveMinutes);
    const own = got[i] as (typeof got)[number];
    for (const name of ["count", "sum", "min", "max", "counter"] as const) {
      assert.deepEqual(
        own.get(name)?.v,
        chunks.flatMap((chunk) => chunk[name]),
        `${name} of series ${i}`,
      );
    }
  }
});

test("chunks with start times are downsampled like others", async (t) => {
  const plain = counter(2000, 15_000, random(seed()));
  const parent = tempDir(t);
  const resolution = RESOLUTION.fiveMinutes;
  const a = await downsampleBlock(await writeBlock(parent, [plain]), parent, resolution);
  const started = {...plain, st: plain.ts.map((time) => Math.max(1, time - 5000))};
  const b = await downsampleBlock(await writeBlock(parent, [started]), parent, resolution);
  assert.deepEqual(await columnsOf(join(parent, String(b?.ulid))), await columnsOf(join(parent, String(a?.ulid))));
});

test("series with nothing but stale markers vanish, a block of them gives none", async (t) => {
  const parent = tempDir(t);
  const nan = {ts: [1000, 2000], vs: [Number.NaN, Number.NaN]};
  const dir = await writeBlock(parent, [nan, {ts: [1000], vs: [1]}]);
  const meta = await downsampleBlock(dir, parent, RESOLUTION.fiveMinutes);
  assert.equal(meta?.stats.numSeries, 1);
  assert.equal(await downsampleBlock(await writeBlock(parent, [nan]), parent, RESOLUTION.fiveMinutes), undefined);
});

test("a block that has the resolution already is refused", async (t) => {
  const parent = tempDir(t);
  const meta = await downsampleBlock(await writeBlock(parent, [{ts: [1], vs: [1]}]), parent, RESOLUTION.fiveMinutes);
  const again = downsampleBlock(join(parent, String(meta?.ulid)), parent, RESOLUTION.fiveMinutes);
  await assert.rejects(again, {code: "bad_data", message: /it has one of 300000 ms/});
});

test("two threads write the bytes that one writes", async (t) => {
  const next = random(seed());
  const parent = tempDir(t);
  // Eight parts of different weight; some series have nothing left.
  const series = Array.from({length: 150}, (_, i) =>
    i % 50 === 7 ? {ts: [1000], vs: [Number.NaN]} : counter(i % 10 === 0 ? 120_000 : 20_000, 15_000, next),
  );
  const dir = await writeBlock(parent, series);
  const made = async (name: string, threadSamples: number | undefined) => {
    const options = {ulid: "01HZGFK1803G62GEQRS5QXBBD5", threadSamples};
    const meta = await downsampleBlock(dir, join(parent, name), RESOLUTION.fiveMinutes, options);
    const block = join(parent, name, String(meta?.ulid));
    return [meta, ...["index", "chunks/000001"].map((file) => readFileSync(join(block, file)))];
  };
  assert.deepEqual(await made("two", 0), await made("one", undefined));
});

test("damage that the second thread meets is told, and ends the work", async (t) => {
  const next = random(seed());
  const parent = tempDir(t);
  const dir = await writeBlock(
    parent,
    Array.from({length: 30}, () => counter(100_000, 15_000, next)),
  );
  const path = join(dir, "chunks/000001");
  const bytes = readFileSync(path);
  // Each thread meets some of it, whoever is first.
  for (let at = 100_000; at < bytes.length; at += 100_000) bytes[at] = (bytes[at] as number) ^ 0xff;
  writeFileSync(path, bytes);
  const out = join(parent, "out");
  const damaged = downsampleBlock(dir, out, RESOLUTION.fiveMinutes, {threadSamples: 0});
  await assert.rejects(damaged, {code: "corrupt", message: /checksum is wrong/});
  assert.deepEqual(readdirSync(out), []);
});
