import assert from "node:assert/strict";
import {existsSync, readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir, tempDir} from "@strata/base/testing";
import {type BlockMeta, BlockReader, goldenDump, readBlockMeta} from "@strata/tsdb";
import {downsampleBlock} from "./downsample-block.ts";
import {RESOLUTION} from "./resolution.ts";

const root = goldenDir("storage", "downsampling");

/** Folders of a case: which block is made of which, and to what resolution. */
const STEPS = [
  {from: "raw", to: "5m", resolution: RESOLUTION.fiveMinutes},
  {from: "5m", to: "1h", resolution: RESOLUTION.oneHour},
  {from: "raw", to: "1h-from-raw", resolution: RESOLUTION.oneHour},
] as const;

function blockIn(dir: string): string | undefined {
  if (!existsSync(dir)) return undefined;
  return readdirSync(dir)
    .map((name) => join(dir, name))
    .find((path) => existsSync(join(path, "index")));
}

/** All that does not name files, times of upload or the block. */
const comparable = ({ulid: _, thanos, ...meta}: BlockMeta) => ({
  ...meta,
  thanos: {...thanos, files: [], uploadTime: ""},
});

type Aggregate = {readonly samples: readonly (readonly [number, unknown])[]};
type Chunk = {ref?: string; readonly aggr: Readonly<Record<string, Aggregate>>};
type Series = {readonly labels: unknown; readonly chunks: readonly Chunk[]};

async function dumpOf(dir: string): Promise<Series[]> {
  const block = await BlockReader.open(dir);
  const lines: Series[] = [];
  for await (const line of goldenDump(block)) lines.push(JSON.parse(line) as Series);
  await block.close();
  return lines;
}

const readDump = (path: string): Series[] =>
  gunzipSync(readFileSync(path))
    .toString("utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Series);

/** Whether the reference lost rows of a series, as it does where one chunk cannot hold a histogram's layouts. */
const isLossy = ({chunks}: Series): boolean =>
  chunks.some(({aggr}) =>
    Object.values(aggr).some(({samples}) => samples.length < (aggr.count as Aggregate).samples.length),
  );

const rows = (series: Series, name: string) => series.chunks.flatMap(({aggr}) => aggr[name]?.samples ?? []);

/** Samples in each window, put together where chunks end inside a window. */
function counts(series: Series, resolution: number): Map<number, number> {
  const out = new Map<number, number>();
  for (const [t, hex] of rows(series, "count")) {
    const window = Math.floor(t / resolution);
    out.set(window, (out.get(window) ?? 0) + Buffer.from(String(hex), "hex").readDoubleBE());
  }
  return out;
}

/**
 * Where the reference lost rows we have all: every count, and every sum that is left there. 5 m data that lost rows
 * has no more to give, and its chunks end within the hours.
 */
function assertKeeps(got: Series, want: Series, resolution: number, whole: boolean): void {
  assert.deepEqual(counts(got, resolution), counts(want, resolution));
  if (!whole) return;
  const sums = new Map(rows(got, "sum"));
  assert.equal(sums.size, rows(want, "count").length);
  assert.equal(rows(got, "counter").length, rows(want, "count").length);
  for (const [t, sum] of rows(want, "sum")) assert.deepEqual(sums.get(t), sum, `sum at ${t}`);
}

const cases = readdirSync(root).filter((name) => blockIn(join(root, name, "raw")) !== undefined);

test("there are downsampling cases", () => assert.ok(cases.length > 0));

for (const name of cases) {
  for (const {from, to, resolution} of STEPS) {
    const source = blockIn(join(root, name, from));
    const want = blockIn(join(root, name, to));
    if (source === undefined || want === undefined) continue;
    test(`${name}: ${from} becomes ${to}`, async (t) => {
      const parent = tempDir(t);
      const meta = await downsampleBlock(source, parent, resolution);
      assert.ok(meta !== undefined);
      const got = await dumpOf(join(parent, meta.ulid));
      const reference = readDump(`${want}.dump.jsonl.gz`);
      assert.deepEqual(
        got.map((series) => series.labels),
        reference.map((series) => series.labels),
      );
      const lossy = reference.filter(isLossy).length;
      reference.forEach((series, i) => {
        const own = got[i] as Series;
        if (isLossy(series)) {
          assertKeeps(own, series, resolution, from === "raw");
          return;
        }
        // Where another series has more chunks than in the reference, chunks lie elsewhere.
        if (lossy > 0) for (const chunk of [...own.chunks, ...series.chunks]) delete chunk.ref;
        assert.deepEqual(own.chunks, series.chunks, `series ${JSON.stringify(series.labels)}`);
      });
      const wanted = comparable(await readBlockMeta(want));
      if (lossy === 0) assert.deepEqual(comparable(meta), wanted);
      else assert.deepEqual(comparable(meta).compaction, wanted.compaction);
    });
  }
}
