import assert from "node:assert/strict";
import {chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {before, describe, test} from "node:test";
import {freePort, type Server, tempDir} from "@strata/base/testing";
import {newUlid} from "@strata/model";
import {BLOCK_MS, PER_BLOCK, PER_CHUNK, SERIES, writeSmallBlock} from "./small-block.ts";
import {endpointSeen, metricsOf, strata, suiteScope, withoutOverride} from "./strata.ts";

/** Header of a chunk segment: magic, version, padding. */
const SEGMENT_HEADER = 8;

/** What is done to a block once it lies in the bucket, oldest block first. */
const harms = {
  sound: () => {},
  corruptChunk: (dir) => flip(join(dir, "chunks/000001"), SEGMENT_HEADER + 30),
  soundAgain: () => {},
  shortIndex: (dir) => truncateSync(join(dir, "index"), 60),
  noMeta: (dir) => rmSync(join(dir, "meta.json")),
  corruptMeta: (dir) => writeFileSync(join(dir, "meta.json"), '{"version":1,"ulid":"01'),
  noPermission: (dir) => chmodSync(dir, 0),
  noSegmentPermission: (dir) => chmodSync(join(dir, "chunks/000001"), 0),
  /** Cut only after the store has started. */
  cutLater: () => {},
  soundLast: () => {},
} as const satisfies Record<string, (dir: string) => void>;

type Harm = keyof typeof harms;
const names = Object.keys(harms) as Harm[];

type Answer = {
  readonly status: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly data?: {
    readonly result: readonly {readonly metric: Record<string, string>; readonly value: [number, string]}[];
  };
};

describe("a bucket with damaged blocks", () => {
  const scope = suiteScope();
  const dir = tempDir(scope);
  const bucket = join(dir, "bucket");
  const start = Math.floor(Date.now() / BLOCK_MS) * BLOCK_MS - names.length * BLOCK_MS;
  const blockStart = (harm: Harm): number => start + names.indexOf(harm) * BLOCK_MS;
  const ids = Object.fromEntries(names.map((harm) => [harm, newUlid(blockStart(harm) + BLOCK_MS)])) as Record<
    Harm,
    string
  >;
  let store: Server & {readonly url: string};
  let url = "";
  let files: ReadonlyMap<string, number>;

  before(async () => {
    mkdirSync(bucket);
    for (const harm of names) await writeSmallBlock(bucket, ids[harm], blockStart(harm));
    for (const harm of names) harms[harm](join(bucket, ids[harm]));
    files = listing(bucket);
    const grpc = `127.0.0.1:${await freePort()}`;
    const args = [
      `--data-dir=${join(dir, "store")}`,
      `--objstore.config=type: FILESYSTEM\nconfig:\n  directory: ${bucket}\n`,
      `--grpc-address=${grpc}`,
    ];
    store = await strata(scope, "store", args, {through: withoutOverride});
    const querier = await strata(scope, "query", [
      `--endpoint=${grpc}`,
      `--grpc-address=127.0.0.1:${await freePort()}`,
    ]);
    url = querier.url;
    await endpointSeen(url, "store", store);
  });

  /** Samples of each series in the time of one block. */
  const counts = async (
    harm: Harm,
    partialResponse = true,
  ): Promise<{answer: Answer; counts: Record<string, number>}> => {
    const time = (blockStart(harm) + BLOCK_MS - 1) / 1000;
    const params = {query: "count_over_time(m[2h])", time: `${time}`, partial_response: `${partialResponse}`};
    const answer = (await (await fetch(`${url}/api/v1/query?${new URLSearchParams(params)}`)).json()) as Answer;
    const rows = (answer.data?.result ?? []).map((row) => [row.metric.n as string, Number(row.value[1])]);
    return {answer, counts: Object.fromEntries(rows)};
  };
  const all = {a: PER_BLOCK, b: PER_BLOCK, c: PER_BLOCK};
  const logged = (id: string): string =>
    store
      .logs()
      .split("\n")
      .filter((line) => line.includes(id))
      .join("\n");

  test("sound blocks between damaged ones are served whole, without a warning", async () => {
    for (const harm of ["sound", "soundAgain", "soundLast"] as const) {
      const {answer, counts: got} = await counts(harm);
      assert.deepEqual(
        {status: answer.status, warnings: answer.warnings ?? [], got},
        {status: "success", warnings: [], got: all},
      );
    }
  });

  test("a flipped bit costs one chunk, which a warning names with block and file", async () => {
    const {answer, counts: got} = await counts("corruptChunk");
    assert.deepEqual(got, {...all, a: PER_BLOCK - PER_CHUNK}, JSON.stringify(answer));
    assert.equal(answer.warnings?.length, 1);
    assert.ok(answer.warnings?.[0]?.includes(`${ids.corruptChunk}/chunks/000001`), JSON.stringify(answer));
    assert.match(answer.warnings?.[0] ?? "", /checksum/);
    assert.ok((await metricsOf(store.url))('strata_bucket_store_read_failures_total{part="chunk"}') > 0);
  });

  test("without partial response the flipped bit fails the query, and the error names block and file", async () => {
    const {answer} = await counts("corruptChunk", false);
    assert.equal(answer.status, "error");
    assert.ok(answer.error?.includes(`${ids.corruptChunk}/chunks/000001`), JSON.stringify(answer));
    assert.equal((await counts("sound", false)).answer.status, "success");
  });

  test("a block whose index is cut is not loaded, said with block and file, and counted", async () => {
    assert.deepEqual((await counts("shortIndex")).counts, {});
    assert.match(logged(ids.shortIndex), /level=(warn|error).*index/);
    const metrics = await metricsOf(store.url);
    assert.equal(metrics("thanos_bucket_store_block_load_failures_total"), 1);
    // Served: the four that are sound, and those two whose chunks cannot all be read.
    assert.equal(metrics("thanos_bucket_store_blocks_loaded"), 6);
  });

  test("blocks without meta.json, or with a damaged one, are not served, said and counted", async () => {
    const metrics = await metricsOf(store.url);
    for (const [harm, state] of [
      ["noMeta", "no-meta-json"],
      ["corruptMeta", "corrupted-meta-json"],
    ] as const) {
      assert.deepEqual((await counts(harm)).counts, {}, harm);
      assert.match(logged(ids[harm]), /level=(warn|error).*meta\.json/);
      assert.equal(metrics(`thanos_blocks_meta_synced{state="${state}"}`), 1);
    }
  });

  test("a folder without permission is said with its block and file, and counted as failed", async () => {
    assert.deepEqual((await counts("noPermission")).counts, {});
    assert.match(logged(ids.noPermission), /level=(warn|error).*meta\.json.*EACCES/);
    const metrics = await metricsOf(store.url);
    assert.equal(metrics('thanos_blocks_meta_synced{state="failed"}'), 1);
    assert.ok(metrics("thanos_blocks_meta_sync_failures_total") >= 1);
  });

  test("chunks without permission are left out with a warning that names block and file", async () => {
    const {answer, counts: got} = await counts("noSegmentPermission");
    assert.equal(answer.status, "success");
    assert.deepEqual(got, {});
    assert.ok(answer.warnings?.[0]?.includes(`${ids.noSegmentPermission}/chunks/000001`), JSON.stringify(answer));
    assert.match(answer.warnings?.[0] ?? "", /EACCES/);
    assert.equal((await counts("noSegmentPermission", false)).answer.status, "error");
  });

  test("an index that is cut under a running store gives a warning that names it", async () => {
    const index = join(bucket, ids.cutLater, "index");
    const whole = readFileSync(index);
    truncateSync(index, 60);
    const {answer, counts: got} = await counts("cutLater");
    assert.equal(answer.status, "success");
    assert.deepEqual(got, {});
    assert.ok(answer.warnings?.[0]?.includes(`${ids.cutLater}/index`), JSON.stringify(answer));
    assert.ok((await metricsOf(store.url))('strata_bucket_store_read_failures_total{part="index"}') > 0);
    assert.equal((await counts("cutLater", false)).answer.status, "error");
    writeFileSync(index, whole);
  });

  test("a query over all blocks gives all that can be read, once, with the warnings of what cannot", async () => {
    const params = {
      query: `sum(count_over_time(m[${2 * names.length}h]))`,
      time: `${(start + names.length * BLOCK_MS - 1) / 1000}`,
    };
    const answer = (await (await fetch(`${url}/api/v1/query?${new URLSearchParams(params)}`)).json()) as Answer;
    const readable = 5 * SERIES.length * PER_BLOCK - PER_CHUNK;
    assert.equal(Number(answer.data?.result[0]?.value[1]), readable, JSON.stringify(answer));
    const text = (answer.warnings ?? []).join("\n");
    for (const harm of ["corruptChunk", "noSegmentPermission"] as const) assert.ok(text.includes(ids[harm]), text);
  });

  test("nothing is deleted from the bucket, and nothing added", () => {
    assert.deepEqual(listing(bucket), files);
  });

  test("a block that is mended is served after the next start", async () => {
    chmodSync(join(bucket, ids.noPermission), 0o755);
    const grpc = `127.0.0.1:${await freePort()}`;
    await store.stop();
    await strata(
      scope,
      "store",
      [
        `--data-dir=${join(dir, "store")}`,
        `--objstore.config=type: FILESYSTEM\nconfig:\n  directory: ${bucket}\n`,
        `--grpc-address=${grpc}`,
      ],
      {through: withoutOverride},
    );
    const querier = await strata(scope, "query", [
      `--endpoint=${grpc}`,
      `--grpc-address=127.0.0.1:${await freePort()}`,
    ]);
    url = querier.url;
    await endpointSeen(url, "store");
    assert.deepEqual((await counts("noPermission")).counts, all);
  });
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] as number) ^ 0x10;
  writeFileSync(path, bytes);
}

/** Sizes of all files below `dir`; folders have none. */
function listing(dir: string): Map<string, number> {
  const paths = readdirSync(dir, {recursive: true, withFileTypes: true}).map((e) => join(e.parentPath, e.name));
  return new Map(paths.sort().map((path) => [path, statSync(path).isFile() ? statSync(path).size : 0]));
}
