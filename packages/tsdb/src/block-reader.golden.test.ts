import assert from "node:assert/strict";
import {existsSync, readFileSync} from "node:fs";
import {test} from "node:test";
import {ByteBudget} from "@strata/base";
import {crc32c} from "@strata/bytes";
import {encodingName} from "@strata/chunkenc";
import type {Select} from "@strata/series";
import {BlockReader} from "./block-reader.ts";
import {type DumpSeries, goldenBlocks, readJsonLines} from "./testing/golden-blocks.ts";
import {goldenSamples} from "./tools/golden-dump.ts";

const everything = (): Select => ({
  matchers: [],
  mint: -(2 ** 53),
  maxt: 2 ** 53,
  step: 0,
  range: 0,
  func: "",
  maxResolution: 0,
  aggregates: [],
  withoutReplicaLabels: [],
  skipChunks: false,
  limit: 0,
  partialResponse: false,
  budget: new ByteBudget("test", 64 * 1024 * 1024),
});

for (const block of goldenBlocks("blocks")) {
  const sound = !block.name.includes("unhealthy");
  test(`${block.name}: a select over everything gives the chunks of the dump`, async () => {
    const hasDeletions = existsSync(`${block.beside}.tombstones.json`);
    const dump = readJsonLines<DumpSeries>(`${block.beside}${hasDeletions ? ".effective" : ".dump"}.jsonl.gz`);
    const reader = await BlockReader.open(block.dir, {ignoreTombstones: !hasDeletions});
    const q = everything();
    const got: unknown[] = [];
    try {
      for await (const batch of reader.select(q, new AbortController().signal)) {
        for (let s = 0; s < batch.labels.length; s++) {
          const chunks: unknown[] = [];
          const values: unknown[] = [];
          for (let c = batch.firstChunk[s] as number; c < (batch.firstChunk[s + 1] as number); c++) {
            const offset = batch.offset[c] as number;
            const length = batch.length[c] as number;
            const encoding = batch.encoding[c] as number;
            const framed = new Uint8Array(length + 1);
            framed[0] = encoding;
            framed.set(batch.bytes.subarray(offset, offset + length), 1);
            const sum = crc32c(framed).toString(16).padStart(8, "0");
            chunks.push([batch.mint[c], batch.maxt[c], encodingName(encoding), length, sum]);
            values.push(
              ...(JSON.parse(JSON.stringify(goldenSamples(encoding, batch.bytes, offset, length))) as unknown[]),
            );
          }
          got.push([[...(batch.labels[s] as Iterable<unknown>)], hasDeletions ? undefined : chunks, values]);
        }
      }
      assert.equal(q.budget.used, 0);
    } finally {
      await reader.close();
    }
    const want = dump
      .filter((s) => (hasDeletions ? s.samples.length > 0 : s.chunks.length > 0))
      .map((s) => {
        const chunks = hasDeletions
          ? undefined
          : s.chunks
              .toSorted((a, b) => (sound ? 0 : a.mint - b.mint || a.maxt - b.maxt || Number(a.ref) - Number(b.ref)))
              .map((c) => [c.mint, c.maxt, c.encoding, c.bytes, c.crc32c]);
        return [s.labels, chunks, s.samples];
      });
    if (!sound) for (const row of [...got, ...want]) (row as unknown[])[2] = undefined;
    assert.deepEqual(got, want);
  });
}

test("what was read is what meta.json counts", async () => {
  for (const block of goldenBlocks("blocks")) {
    const {stats} = JSON.parse(readFileSync(`${block.dir}/meta.json`, "utf8")) as {stats: {numSeries: number}};
    const reader = await BlockReader.open(block.dir);
    assert.equal((await reader.index.all()).length, stats.numSeries, block.name);
    await reader.close();
  }
});
