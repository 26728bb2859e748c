import assert from "node:assert/strict";
import {readdirSync, readFileSync, statSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {tempDir} from "@strata/base/testing";
import type {Labels} from "@strata/model";
import {parseBlockMeta} from "../block-meta.ts";
import {BlockReader} from "../block-reader.ts";
import type {SeriesEntry} from "../index/series-entry.ts";
import {goldenBlocks} from "../testing/golden-blocks.ts";
import {BlockWriter} from "./block-writer.ts";

async function* flattened(lists: AsyncIterable<{readonly texts: readonly string[]}>): AsyncGenerator<string> {
  for await (const {texts} of lists) yield* texts;
}

/** Hands every series of a block with its chunks' bytes, in order, to a writer. */
async function copySeries(
  reader: BlockReader,
  start: (labels: Labels, entry: SeriesEntry) => void,
  writer: BlockWriter,
): Promise<void> {
  for (const id of await reader.index.all()) {
    const {labels, entry} = await reader.index.series(id);
    start(labels, entry);
    const pending: (() => Promise<void> | undefined)[] = [];
    await reader.chunks.read(entry.chunkRef.slice(0, entry.chunks), (i, encoding, buffer, at, length) => {
      const data = buffer.slice(at, at + length);
      pending.push(() => writer.addChunk(entry.mint[i] as number, entry.maxt[i] as number, encoding, data));
    });
    for (const add of pending) await add();
    await writer.endSeries();
  }
}

/** Segment sizes at which the original may have been cut: for several files, round numbers above the largest. */
function segmentLimits(dir: string): number[] {
  const sizes = readdirSync(join(dir, "chunks")).map((name) => statSync(join(dir, "chunks", name)).size);
  if (sizes.length === 1) return [512 * 1024 * 1024];
  const largest = Math.max(...sizes);
  return [1024, 500, 100, 16].map((unit) => Math.ceil(largest / unit) * unit);
}

const chunkFiles = (dir: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(join(dir, "chunks"))
      .sort()
      .map((name) => [name, readFileSync(join(dir, "chunks", name)).toString("base64")]),
  );

for (const block of goldenBlocks("blocks")) {
  test(`${block.name}: written again from its series it is byte-equal`, async (t) => {
    const meta = parseBlockMeta(readFileSync(join(block.dir, "meta.json"), "utf8"), block.name);
    const reader = await BlockReader.open(block.dir);
    const tried: string[] = [];
    try {
      for (const segmentBytes of segmentLimits(block.dir)) {
        const parent = tempDir(t);
        const symbols = flattened(reader.index.symbols.all());
        const writer = await BlockWriter.create(parent, {ulid: meta.ulid, segmentBytes, symbols});
        try {
          await copySeries(
            reader,
            (_, entry) => writer.startSeriesByRefs([...entry.labelRefs.slice(0, entry.labels * 2)]),
            writer,
          );
        } catch (err) {
          // Blocks damaged on purpose have chunks out of order, which no writer accepts.
          assert.ok(
            err instanceof StrataError && err.code === "conflict" && block.name.includes("unhealthy"),
            String(err),
          );
          await writer.abort();
          return;
        }
        const {tombstones} = reader;
        const written = await writer.finish({...meta, tombstones});
        assert.deepEqual(written?.stats, {...meta.stats, numTombstones: tombstones.total}, "stats");
        const sameChunks = JSON.stringify(chunkFiles(writer.dir)) === JSON.stringify(chunkFiles(block.dir));
        const sameIndex = readFileSync(join(writer.dir, "index")).equals(readFileSync(join(block.dir, "index")));
        if (sameChunks && sameIndex) return;
        tried.push(String(segmentBytes));
      }
    } finally {
      await reader.close();
    }
    assert.fail(`index or chunks differ with segments of ${tried.join(", ")} bytes`);
  });

  test(`${block.name}: written without knowing its symbols it holds the same series`, async (t) => {
    if (block.name.includes("unhealthy")) return;
    const reader = await BlockReader.open(block.dir);
    const writer = await BlockWriter.create(tempDir(t));
    await copySeries(reader, (labels) => writer.startSeries(labels), writer);
    await writer.finish({minTime: reader.meta.minTime, maxTime: reader.meta.maxTime});
    const copy = await BlockReader.open(writer.dir);
    const list = async (b: BlockReader): Promise<string[]> => {
      const out: string[] = [];
      await b.index.readSeries(await b.index.all(), (_, labels, e) => {
        out.push(`${labels} ${e.mint.slice(0, e.chunks)} ${e.maxt.slice(0, e.chunks)}`);
      });
      return out;
    };
    assert.deepEqual(await list(copy), await list(reader));
    for (const name of await reader.index.labelNames()) {
      assert.deepEqual(await copy.index.labelValues(name), await reader.index.labelValues(name));
    }
    await reader.close();
    await copy.close();
  });
}
