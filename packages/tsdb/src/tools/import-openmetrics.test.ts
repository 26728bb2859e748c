import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {mkdirSync, readdirSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {random, requireTool, tempDir} from "@strata/base/testing";
import {matcher} from "@strata/model";
import type {BlockMeta} from "../block-meta.ts";
import {BlockReader} from "../block-reader.ts";
import type {BlocksFromSamplesOptions} from "./blocks-from-samples.ts";
import {blockRange, SHORTEST_BLOCK} from "./blocks-from-samples.ts";
import {dumpSamples} from "./dump-samples.ts";
import {importOpenMetrics} from "./import-openmetrics.ts";
import {listBlocks} from "./list-blocks.ts";

const promtool = requireTool("promtool");
const START = 1_700_000_000;
const SPECIAL = ["NaN", "+Inf", "-Inf", "-0", "0", "1e300", "0.1", "5e-324", "123456789"];

/** `series` series over `hours`, written time by time or series by series. */
function openMetrics(series: number, hours: number, byTime: boolean): string {
  const next = random(series * 31 + hours);
  const lines: [t: number, s: number, line: string][] = [];
  for (let s = 0; s < series; s++) {
    let v = s;
    for (let i = 0; i < hours * 120; i++) {
      if (next() < 0.05) continue;
      const t = START + i * 30 + (s % 7) / 8;
      v += next() < 0.5 ? 1 : next();
      const value = next() < 0.02 ? SPECIAL[Math.floor(next() * SPECIAL.length)] : v;
      lines.push([t, s, `m_${s % 5}{job="j${s % 3}",id="${s}",path="/a\\"\\\\b\\n"} ${value} ${t}`]);
    }
  }
  if (byTime) lines.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return `# TYPE m_0 gauge\n${lines.map(([, , line]) => line).join("\n")}\n# EOF\n`;
}

async function create(dir: string, text: string, options: BlocksFromSamplesOptions = {}) {
  const file = join(dir, "in.om");
  const out = join(dir, "out");
  writeFileSync(file, text);
  let dropped = 0;
  const metas: BlockMeta[] = [];
  const all = {...options, onDropped: (n: number) => (dropped += n)};
  for await (const {meta} of importOpenMetrics(file, out, all, AbortSignal.timeout(60_000))) metas.push(meta);
  return {file, out, metas, dropped};
}

async function dumpAll(out: string, signal: AbortSignal): Promise<string[]> {
  const lines: string[] = [];
  for (const {dir} of await listBlocks(out)) {
    const block = await BlockReader.open(dir);
    const options = {matchers: [matcher("__name__", "=~", ".*")], mint: -(2 ** 53), maxt: 2 ** 53};
    for await (const line of dumpSamples(block, options, signal)) lines.push(line);
    await block.close();
  }
  return lines.sort();
}

test("blocks hold what promtool's hold, however little memory is allowed", {skip: promtool.skip}, async (t) => {
  for (const byTime of [true, false]) {
    const text = openMetrics(20, 5, byTime);
    const dir = tempDir(t);
    const {file, out, metas} = await create(dir, text);
    const theirs = join(dir, "theirs");
    execFileSync(promtool.path, ["tsdb", "create-blocks-from", "-q", "openmetrics", file, theirs]);
    mkdirSync(join(theirs, "wal"));
    const want = execFileSync(promtool.path, ["tsdb", "dump", theirs], {encoding: "utf8", maxBuffer: 1 << 28});
    const sorted = want.trimEnd().split("\n").sort();
    assert.deepEqual(await dumpAll(out, t.signal), sorted);
    // And promtool reads what we wrote.
    mkdirSync(join(out, "wal"));
    const read = execFileSync(promtool.path, ["tsdb", "dump", out], {encoding: "utf8", maxBuffer: 1 << 28});
    assert.deepEqual(read.trimEnd().split("\n").sort(), sorted);
    const times = (blocks: readonly {minTime: number; maxTime: number; stats: {numSamples: number}}[]) =>
      blocks.map((b) => [b.minTime, b.maxTime, b.stats.numSamples]);
    assert.deepEqual(times(metas), times((await listBlocks(theirs)).map((b) => b.meta)));
    const tiny = await create(tempDir(t), text, {bufferBytes: 4096, sortSamples: 500});
    assert.deepEqual(await dumpAll(tiny.out, t.signal), sorted);
    assert.deepEqual(
      readdirSync(tiny.out).filter((name) => !/^[0-9A-Z]{26}$/.test(name)),
      [],
    );
  }
});

test("times that go back are sorted; of equal times the first sample stays", async (t) => {
  const {out, dropped} = await create(tempDir(t), "a 1 20\na NaN 10\na 3 20\na 4 15\n# EOF\n");
  assert.deepEqual(await dumpAll(out, t.signal), [
    '{__name__="a"} 1 20000',
    '{__name__="a"} 4 15000',
    '{__name__="a"} NaN 10000',
  ]);
  assert.equal(dropped, 1);
});

test("no block lies across a border of its range, and longer ranges make fewer blocks", async (t) => {
  const text = openMetrics(2, 20, true);
  const short = await create(tempDir(t), text);
  const long = await create(tempDir(t), text, {rangeMs: blockRange(7 * 3600 * 1000)});
  const f = (metas: readonly {minTime: number; maxTime: number}[], range: number) => {
    for (const {minTime, maxTime} of metas) {
      assert.equal(Math.floor(minTime / range), Math.floor((maxTime - 1) / range));
    }
  };
  f(short.metas, SHORTEST_BLOCK);
  f(long.metas, 3 * SHORTEST_BLOCK);
  assert.ok(long.metas.length < short.metas.length);
  assert.deepEqual(await dumpAll(long.out, t.signal), await dumpAll(short.out, t.signal));
});

test("ranges are 2 h times powers of three, never above what was asked unless that is below 2 h", () => {
  const hours = (h: number) => blockRange(h * 3600 * 1000) / 3600 / 1000;
  assert.deepEqual([0, 1, 2, 5.9, 6, 17, 18, 54, 1e9].map(hours), [2, 2, 2, 2, 6, 6, 18, 54, 2 * 3 ** 9]);
});

test("a wrong text or a missing file leaves nothing behind", async (t) => {
  const dir = tempDir(t);
  await assert.rejects(create(dir, `${openMetrics(5, 3, true)}x`, {bufferBytes: 4096}), /in\.om:\d+: /);
  assert.deepEqual(readdirSync(join(dir, "out")), []);
  const missing = importOpenMetrics(join(dir, "none.om"), join(dir, "out"), {}, t.signal);
  await assert.rejects(missing.next(), {code: "not_found"});
});

test("an empty text makes no block", async (t) => {
  assert.deepEqual((await create(tempDir(t), "# EOF\n")).metas, []);
});
