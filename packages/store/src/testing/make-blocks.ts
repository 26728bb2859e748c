import {writeFile} from "node:fs/promises";
import {join} from "node:path";
import {encodeXorChunks} from "@strata/chunkenc";
import {compareLabels, Labels} from "@strata/model";
import {BlockWriter, EMPTY_THANOS_META, FileAccess, INDEX_FILE, IndexReader} from "@strata/tsdb";
import {type ForgedSeries, forgeIndex} from "@strata/tsdb/testing";

/** A series of a test block: one sample each at the given times (ms, ascending), `perChunk` to a chunk. */
export type TestSeries = {readonly labels: Readonly<Record<string, string>>; readonly times: readonly number[]};

export type TestBlock = {
  readonly ulid: string;
  readonly minTime: number;
  readonly maxTime: number;
  readonly external: Readonly<Record<string, string>>;
  readonly series: readonly TestSeries[];
  /** 1 for an index as the first Prometheus 2 wrote it. */
  readonly indexVersion?: 1 | 2;
};

export type TestChunk = {readonly mint: number; readonly maxt: number; readonly data: Uint8Array};

export const SAMPLES_PER_TEST_CHUNK = 3;

/** The chunks that `writeBlock` writes for a series. */
export function testChunks(series: TestSeries): TestChunk[] {
  const t = Float64Array.from(series.times);
  const v = Float64Array.from(series.times, (time) => time % 97);
  return encodeXorChunks({t, v, st: undefined, n: t.length}, 0, t.length, SAMPLES_PER_TEST_CHUNK);
}

/** Writes a real block into `bucketDir`, a filesystem bucket. */
export async function writeBlock(bucketDir: string, block: TestBlock): Promise<void> {
  const writer = await BlockWriter.create(bucketDir, {ulid: block.ulid});
  const series = block.series
    .map((s) => ({labels: Labels.fromObject(s.labels), chunks: testChunks(s)}))
    .sort((a, b) => compareLabels(a.labels, b.labels));
  for (const {labels, chunks} of series) {
    writer.startSeries(labels);
    for (const chunk of chunks) await writer.addChunk(chunk.mint, chunk.maxt, 1, chunk.data);
    await writer.endSeries();
  }
  await writer.finish({
    minTime: block.minTime,
    maxTime: block.maxTime,
    thanos: {...EMPTY_THANOS_META, labels: block.external, source: "test", segmentFiles: ["000001"]},
  });
  if (block.indexVersion === 1) await rewriteIndex(join(bucketDir, block.ulid, INDEX_FILE));
}

/** Puts the content of the index at `path` into the form of version 1. */
async function rewriteIndex(path: string): Promise<void> {
  const file = await FileAccess.open(path);
  const series: ForgedSeries[] = [];
  const index = await IndexReader.open(file);
  await index.readSeries(await index.all(), (_, labels, entry) => {
    const chunk = (_: unknown, c: number) => ({
      mint: entry.mint[c] as number,
      maxt: entry.maxt[c] as number,
      ref: entry.chunkRef[c] as number,
    });
    series.push({labels: [...labels], chunks: Array.from({length: entry.chunks}, chunk)});
  });
  await file.close();
  await writeFile(path, forgeIndex(1, series));
}
