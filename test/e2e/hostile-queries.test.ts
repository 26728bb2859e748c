import assert from "node:assert/strict";
import {mkdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {before, describe, test} from "node:test";
import {freePort, type Server, tempDir} from "@strata/base/testing";
import {encodeXorChunks} from "@strata/chunkenc";
import {Labels, newUlid} from "@strata/model";
import {BlockWriter, EMPTY_THANOS_META} from "@strata/tsdb";
import {BLOCK_MS} from "./small-block.ts";
import {endpointSeen, metricsOf, strata, suiteScope, until} from "./strata.ts";

const SERIES = 400;
const SAMPLES = 480;
const STEP_MS = BLOCK_MS / SAMPLES;
const MAX_MEMORY = 16 * 2 ** 20;

type Answer = {
  readonly status: number;
  readonly errorType?: string;
  readonly error?: string;
  readonly data?: {readonly result: readonly {readonly value: readonly [number, string]}[]};
};
type Active = {id: string; query: string; ageSeconds: number; samples: number; memoryBytes: number};

/** Series whose every value is another, in a block of a bucket. */
async function writeBlock(bucket: string, start: number): Promise<void> {
  const writer = await BlockWriter.create(bucket, {ulid: newUlid(start + BLOCK_MS)});
  const t = Float64Array.from({length: SAMPLES}, (_, k) => start + k * STEP_MS);
  for (let i = 0; i < SERIES; i++) {
    const n = String(i).padStart(4, "0");
    writer.startSeries(Labels.fromObject({__name__: "m", a: "a".repeat(40), n}));
    const v = t.map((_, k) => k * SERIES + i);
    for (const c of encodeXorChunks({t, v, st: undefined, n: SAMPLES})) {
      await writer.addChunk(c.mint, c.maxt, c.encoding, c.data);
    }
    await writer.endSeries();
  }
  const thanos = {...EMPTY_THANOS_META, labels: {cluster: "c"}, source: "test", segmentFiles: ["000001"]};
  await writer.finish({minTime: start, maxTime: start + BLOCK_MS, thanos});
}

/** Queries that no one should send: each ends, with an answer or an error that says why, and the querier goes on. */
describe("hostile queries", () => {
  const scope = suiteScope();
  const dir = tempDir(scope);
  const start = Math.floor(Date.now() / BLOCK_MS - 1) * BLOCK_MS;
  const end = start + BLOCK_MS - 1;
  let querier: Server & {readonly url: string};

  before(async () => {
    const bucket = join(dir, "bucket");
    mkdirSync(bucket);
    await writeBlock(bucket, start);
    const grpc = `127.0.0.1:${await freePort()}`;
    const store = await strata(scope, "store", [
      `--data-dir=${join(dir, "store")}`,
      `--objstore.config={type: FILESYSTEM, config: {directory: ${JSON.stringify(bucket)}}}`,
      `--grpc-address=${grpc}`,
    ]);
    querier = await strata(scope, "query", [
      `--endpoint=${grpc}`,
      `--grpc-address=127.0.0.1:${await freePort()}`,
      "--query.max-memory=16MiB",
      "--query.max-samples=20000000",
      "--query.timeout=1h",
      "--query.log-queries-longer-than=1ms",
      `--query.active-query-path=${join(dir, "active")}`,
    ]);
    await endpointSeen(querier.url, "store", store);
  });

  async function ask(query: string, step = 0): Promise<Answer> {
    const times = step === 0 ? {time: end / 1000} : {start: start / 1000, end: end / 1000, step};
    const body = new URLSearchParams({
      query,
      ...Object.fromEntries(Object.entries(times).map(([k, v]) => [k, `${v}`])),
    });
    const path = step === 0 ? "query" : "query_range";
    const response = await fetch(`${querier.url}/api/v1/${path}`, {method: "POST", body});
    return {...((await response.json()) as Answer), status: response.status};
  }

  const active = async (): Promise<Active[]> => {
    const response = await fetch(`${querier.url}/api/v1/queries/active`);
    return ((await response.json()) as {data: Active[]}).data;
  };

  /** Queries with what their error has to say; undefined where an answer is expected. */
  const ENDING: readonly (readonly [what: string, query: string, step: number, says: RegExp | undefined])[] = [
    ["deep nesting", `${"(".repeat(20_000)}m${")".repeat(20_000)}`, 0, /nest|depth|deep/],
    ["deep negation", `${"-".repeat(20_000)}m`, 0, /nest|depth|deep/],
    ["a catastrophic expression in a matcher", 'm{a=~"(a+)+b"}', 0, undefined],
    ["a catastrophic expression in label_replace", 'label_replace(m, "x", "$1", "a", "(a|aa)+b")', 0, undefined],
    [
      "labels that double again and again",
      `${"label_replace(".repeat(30)}m${', "a", "$1$1", "a", "(.*)")'.repeat(30)}`,
      0,
      /label|bytes/,
    ],
    ["a million steps", "sum(rate(m[1m])[1d:1ms])", 0, /expected type|samples|bytes|memory/],
    ["a subquery of ten million steps", "max_over_time(m[115d:1s])", 0, /samples|bytes/],
    ["count_values over unique values", 'count_values("v", m)', 1, /bytes|samples/],
    ["a join of everything with everything", "m * on(cluster) m", 15, /many-to-many|duplicate/],
  ];

  for (const [what, query, step, says] of ENDING) {
    test(`${what} ends, and metrics are served`, async () => {
      const [answer] = await Promise.all([ask(query, step), metricsOf(querier.url)]);
      const told = JSON.stringify(answer).slice(0, 500);
      if (says === undefined) assert.equal(answer.status, 200, told);
      else {
        assert.ok(answer.status >= 400 && answer.status < 500, told);
        assert.match(answer.error ?? "", says);
      }
      const {data} = await ask("count(m)");
      const counted = data?.result.map((row) => row.value[1]);
      assert.deepEqual(counted, [String(SERIES)]);
    });
  }

  test("a query that would take too much memory is told the limit", async () => {
    const answer = await ask("sort(m) + on(n) group_right() m", 1);
    assert.equal(answer.status, 422, JSON.stringify(answer));
    assert.match(answer.error ?? "", new RegExp(`${MAX_MEMORY}|16 ?MiB`));
  });

  test("hopeless queries are listed, take turns with others, and are killed", async () => {
    // Hours of work within the limits: a window over a window for each of a million steps.
    const hopeless = [1, 2, 3, 4].map((i) => `sum(max_over_time(quantile_over_time(0.${i}, m[1h])[2h:50ms]))`);
    const ended: string[] = [];
    const answers = hopeless.map(async (query) => {
      const answer = await ask(query);
      ended.push(query);
      return answer;
    });
    await until(async () => (await active()).filter((q) => q.samples > 0).length === hopeless.length, "work", querier);
    const file = readFileSync(join(dir, "active", "queries.active"), "utf8");
    for (const query of hopeless) assert.ok(file.includes(query.slice(0, 40)), "queries.active");
    assert.equal((await ask("count(m)")).status, 200);
    assert.ok((await metricsOf(querier.url))("thanos_query_concurrent_gate_queries_in_flight") >= hopeless.length);
    const listed = await active();
    assert.deepEqual(ended, [], "nothing hopeless has ended so far");
    for (const {id, query, ageSeconds, memoryBytes} of listed) {
      assert.ok(hopeless.includes(query) && ageSeconds > 0 && memoryBytes > 0);
      assert.equal((await fetch(`${querier.url}/api/v1/queries/active/${id}`, {method: "DELETE"})).status, 200);
    }
    for (const answer of await Promise.all(answers)) {
      assert.deepEqual([answer.status, answer.errorType], [503, "canceled"]);
      assert.match(answer.error ?? "", /killed/);
    }
    assert.equal((await ask("count(m)")).status, 200);
    await until(async () => (await active()).length === 0, "the end of all queries", querier);
    await until(() => /slow query/.test(querier.logs()), "a line about a slow query", querier);
    assert.doesNotMatch(querier.logs(), /worker ended/);
  });
});
