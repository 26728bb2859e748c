import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {mkdirSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {requireTool, tempDir} from "@strata/base/testing";
import {encodeFloatChunks, HistogramChunkWriter} from "@strata/chunkenc";
import {type IntHistogram, Labels, matcher, RESET_HINT} from "@strata/model";
import {BlockReader} from "../block-reader.ts";
import {BlockWriter} from "../writer/block-writer.ts";
import {analysisLines, analyzeBlock} from "./analyze-block.ts";
import {dumpSamples} from "./dump-samples.ts";
import {listBlocks, listLines} from "./list-blocks.ts";

const promtool = requireTool("promtool");
const START = 1_700_000_000_123;
const EDGES = [
  1e5,
  123456,
  1e6,
  1234567,
  1e21,
  -0,
  0,
  1e-4,
  1.5e-5,
  Number.NaN,
  Infinity,
  -Infinity,
  0.1,
  5e-324,
  -2.5e300,
];

/** A data directory with one block of `series` float series, odd times and values, and an empty WAL. */
async function dataDir(dir: string, series: number, withHistogram = false): Promise<string> {
  mkdirSync(join(dir, "wal"));
  const writer = await BlockWriter.create(dir);
  const samples = 300;
  const t = new Float64Array(samples);
  const v = new Float64Array(samples);
  for (let s = 0; s < series; s++) {
    const id = String(s).padStart(4, "0");
    writer.startSeries(
      Labels.fromObject({__name__: `m_${id.slice(0, 3)}`, id, job: `j${s % 3}`, path: `/a"\\b\n${s}`}),
    );
    const count = s % 2 === 0 ? samples : 7 + s;
    for (let i = 0; i < count; i++) {
      t[i] = START + i * 15_000 + ((s + i) % 7);
      v[i] = EDGES[i + s] ?? Math.sin(i) * 10 ** (s % 12);
    }
    for (const c of encodeFloatChunks({t, v, n: count})) await writer.addChunk(c.mint, c.maxt, c.encoding, c.data);
    await writer.endSeries();
  }
  if (withHistogram) {
    writer.startSeries(Labels.fromObject({__name__: "z_histogram"}));
    const chunks = new HistogramChunkWriter("int");
    for (let i = 0; i < 150; i++) chunks.append(START + i * 15_000, histogram(BigInt(i)));
    for (const c of chunks.finish()) await writer.addChunk(c.mint, c.maxt, c.encoding, c.data);
    await writer.endSeries();
  }
  await writer.finish({minTime: START, maxTime: START + 2 * 3600 * 1000});
  return writer.dir;
}

const histogram = (n: bigint): IntHistogram => ({
  kind: "int",
  resetHint: RESET_HINT.unknown,
  schema: 3,
  zeroThreshold: 2 ** -128,
  sum: Number(n) * 1.5,
  stale: false,
  count: 3n * n,
  zeroCount: n,
  positiveSpans: [{offset: 2, length: 2}],
  negativeSpans: [],
  positiveBuckets: BigInt64Array.of(n, 0n),
  negativeBuckets: new BigInt64Array(0),
  customValues: new Float64Array(0),
});

const run = (...args: string[]): string[] =>
  execFileSync(promtool.path, ["tsdb", ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "pipe"],
  })
    .split("\n")
    .slice(0, -1);

async function withBlock<T>(dir: string, use: (block: BlockReader) => Promise<T>): Promise<T> {
  const block = await BlockReader.open(dir);
  try {
    return await use(block);
  } finally {
    await block.close();
  }
}

test("promtool dumps a block of ours as we do, sample by sample", {skip: promtool.skip}, async (t) => {
  const dir = tempDir(t);
  const block = await dataDir(dir, 60);
  const want = run("dump", dir);
  const got: string[] = [];
  await withBlock(block, async (reader) => {
    const options = {matchers: [matcher("__name__", "=~", ".*")], mint: -(2 ** 53), maxt: 2 ** 53};
    for await (const line of dumpSamples(reader, options, t.signal)) got.push(line);
    assert.equal(got.length, reader.meta.stats.numSamples);
  });
  assert.deepEqual(got, want);
});

test("promtool lists a block of ours as we do", {skip: promtool.skip}, async (t) => {
  const dir = tempDir(t);
  await dataDir(dir, 20, true);
  const blocks = await listBlocks(dir);
  assert.deepEqual(
    listLines(blocks),
    run("list", dir).map((line) => line.trimEnd()),
  );
  assert.deepEqual(
    listLines(blocks, true),
    run("list", "-r", dir).map((line) => line.trimEnd()),
  );
});

test("promtool analyzes a block of ours, histograms too, as we do", {skip: promtool.skip}, async (t) => {
  const dir = tempDir(t);
  const block = await dataDir(dir, 40, true);
  const ulid = (await listBlocks(dir))[0]?.meta.ulid ?? "";
  const want = run("analyze", "--extended", "--limit=1000", dir, ulid);
  const lines = await withBlock(block, async (reader) =>
    analysisLines(await analyzeBlock(reader, {extended: true}), 1000),
  );
  // Some values hold a line break.
  const got = lines.join("\n").split("\n");
  // Within a list, equal counts come in no fixed order.
  assert.deepEqual(got.toSorted(), want.toSorted());
  assert.deepEqual(
    got.filter((line) => line.endsWith(":")),
    want.filter((line) => line.endsWith(":")),
  );
});
