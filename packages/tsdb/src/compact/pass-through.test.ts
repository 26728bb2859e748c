import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {encodeFloatChunks} from "@strata/chunkenc";
import {Labels} from "@strata/model";
import {BlockReader} from "../block-reader.ts";
import {damage} from "../testing/damage.ts";
import {BlockWriter} from "../writer/block-writer.ts";
import {compactBlocks} from "./compact-blocks.ts";

const SERIES = 40;
const SAMPLES = 600;
const SEGMENT_BYTES = 20_000;

/** A block with the samples of [from, to) of each series; every seventh series misses odd blocks. */
async function writeBlock(dir: string, parts: readonly number[]): Promise<string> {
  const writer = await BlockWriter.create(dir, {segmentBytes: SEGMENT_BYTES});
  for (let s = 0; s < SERIES; s++) {
    const held = parts.filter((part) => s % 7 !== 0 || part % 2 === 0);
    if (held.length === 0) continue;
    writer.startSeries(Labels.fromObject({__name__: "m", s: String(s).padStart(3, "0")}));
    for (const part of held) {
      const t = Float64Array.from({length: SAMPLES}, (_, i) => (part * SAMPLES + i) * 1000);
      const v = t.map((time, i) => Math.sin(time + s) * (i % 5));
      // Long chunks among short ones: a window's last chunk may be longer than what is read for it.
      for (const c of encodeFloatChunks({t, v, n: SAMPLES}, 0, SAMPLES, s % 3 === 0 ? SAMPLES : 120)) {
        await writer.addChunk(c.mint, c.maxt, c.encoding, c.data);
      }
    }
    await writer.endSeries();
  }
  const last = parts.at(-1) as number;
  await writer.finish({minTime: (parts[0] as number) * SAMPLES * 1000, maxTime: (last + 1) * SAMPLES * 1000});
  return writer.dir;
}

async function merge(t: TestContext, dirs: readonly string[]): Promise<string> {
  const blocks = await Promise.all(dirs.map((dir) => BlockReader.open(dir)));
  t.after(() => Promise.all(blocks.map((block) => block.close())));
  const parent = tempDir(t);
  const meta = await compactBlocks(blocks, parent, {segmentBytes: SEGMENT_BYTES});
  return join(parent, meta?.ulid ?? "");
}

test("merged neighbours are byte for byte the block that would have been written in one go", async (t) => {
  const dir = tempDir(t);
  const whole = await writeBlock(dir, [0, 1, 2]);
  // The order of the inputs is not that of their times.
  const merged = await merge(t, [await writeBlock(dir, [2]), await writeBlock(dir, [0]), await writeBlock(dir, [1])]);
  const segments = readdirSync(join(whole, "chunks"));
  assert.ok(segments.length > 2);
  assert.deepEqual(readdirSync(join(merged, "chunks")), segments);
  for (const file of ["index", ...segments.map((name) => `chunks/${name}`)]) {
    assert.ok(readFileSync(join(merged, file)).equals(readFileSync(join(whole, file))), file);
  }
});

test("a damaged chunk stops a merge, and nothing is left of the new block", async (t) => {
  const dir = tempDir(t);
  const dirs = [await writeBlock(dir, [0]), await writeBlock(dir, [1])];
  damage(dirs[1] as string, [{op: "flip", file: "chunks/000002", offset: 5000, mask: 4}]);
  const blocks = await Promise.all(dirs.map((d) => BlockReader.open(d)));
  t.after(() => Promise.all(blocks.map((block) => block.close())));
  const parent = tempDir(t);
  await assert.rejects(compactBlocks(blocks, parent), {code: "corrupt"});
  assert.deepEqual(readdirSync(parent), []);
});
