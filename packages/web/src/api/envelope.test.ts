import assert from "node:assert/strict";
import {type TestContext, test} from "node:test";
import {StrataError} from "@strata/base";
import {Labels} from "@strata/model";
import {nullLogger, nullTracer, type SpanOptions, type Tracer} from "@strata/telemetry";
import {DEFAULT_TENANT_CONFIG} from "../tenant.ts";
import {startTestServer} from "../testing.ts";
import {Api, type ApiAnswer} from "./envelope.ts";
import {goJson, int64Json} from "./go-json.ts";
import {MAX_TIME, MIN_TIME} from "./param-values.ts";
import type {InstantParams, QueryBackend, RangeParams, SeriesParams} from "./query-backend.ts";
import type {QueryDefaults} from "./query-params.ts";
import {addQueryRoutes} from "./query-routes.ts";

async function answering(t: TestContext, answer: () => ApiAnswer, cors = true) {
  const {url, router} = await startTestServer(t);
  new Api(router, {routePrefix: "/p", cors, log: nullLogger()}).add(["GET"], "/x", "x", answer);
  return fetch(`${url}/p/api/v1/x`);
}

test("warnings follow the data; only what is missing keeps an answer from being stored", async (t) => {
  const annotated = await answering(t, () => ({data: [1], annotations: ["PromQL info: a"]}));
  assert.equal(annotated.headers.get("cache-control"), null);
  assert.equal(await annotated.text(), '{"status":"success","data":[1],"warnings":["PromQL info: a"]}');
  const partial = await answering(t, () => ({data: {}, warnings: ["store <x> & y"]}));
  assert.equal(partial.headers.get("cache-control"), "no-store");
  assert.equal(await partial.text(), '{"status":"success","data":{},"warnings":["store \\u003cx\\u003e \\u0026 y"]}');
});

test("no data is 204, an error has its type and is not stored, CORS can be left out", async (t) => {
  assert.equal((await answering(t, () => ({}))).status, 204);
  const failed = await answering(
    t,
    () => {
      throw new StrataError("timeout", "too slow");
    },
    false,
  );
  assert.equal(failed.status, 503);
  assert.equal(failed.headers.get("cache-control"), "no-store");
  assert.equal(failed.headers.get("access-control-allow-origin"), null);
  assert.deepEqual(await failed.json(), {status: "error", errorType: "timeout", error: "too slow"});
});

test("big integers are written as int64", () => {
  assert.equal(
    goJson({a: int64Json(2 ** 63), b: int64Json(-(2 ** 63)), c: int64Json(5), d: 7n}),
    '{"a":9223372036854775807,"b":-9223372036854775808,"c":5,"d":7}',
  );
});

const DEFAULTS: QueryDefaults = {
  replicaLabels: ["replica"],
  partialResponse: true,
  engine: "prometheus",
  autoDownsampling: false,
  instantResolution: 0,
  step: 1000,
  metadataRange: 0,
  lookbackDelta: undefined,
  tenants: DEFAULT_TENANT_CONFIG,
  language: {},
  now: () => 1_700_000_000_500,
};

/** Sends requests to the querier's routes and returns what reached the backend. */
async function asked(t: TestContext, overrides: Partial<QueryDefaults> = {}) {
  const seen: {instant?: InstantParams; range?: RangeParams; series?: SeriesParams} = {};
  const empty = {resultType: "vector", result: [Buffer.from("[]")], annotations: [], warnings: []} as const;
  const backend: QueryBackend = {
    async instant(params) {
      seen.instant = params;
      if (params.query === "down") throw new StrataError("unavailable", "store is down");
      return {...empty, stats: {timings: {}}, analysis: {name: "x"}};
    },
    async range(params) {
      seen.range = params;
      return empty;
    },
    async series(params) {
      seen.series = params;
      return {series: ["1", "2", "3"].map((a) => Labels.fromObject({a})), warnings: ["w"]};
    },
    labelNames: async () => ({values: ["a", "b"], warnings: []}),
    labelValues: async (name) => ({values: [name], warnings: []}),
    federate: async () => ({text: [], warnings: []}),
    explainInstant: () => ({name: "x"}),
    explainRange: () => ({name: "x"}),
    stores: () => [
      {
        name: "b:1",
        component: "store",
        lastCheck: new Date(0),
        lastError: "x",
        labelSets: [Labels.fromObject({l: "1"})],
        minTime: 5,
        maxTime: 2 ** 63,
      },
    ],
  };
  const {url, router} = await startTestServer(t);
  addQueryRoutes(new Api(router, {routePrefix: "", cors: true, log: nullLogger()}), backend, {
    ...DEFAULTS,
    ...overrides,
  });
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}/api/v1${path}`, {headers});
    return {status: response.status, text: await response.text()};
  };
  return {seen, get};
}

test("parameters that are left out take their defaults", async (t) => {
  const {seen, get} = await asked(t);
  await get("/query?query=up", {"THANOS-TENANT": "a", "x-request-id": "r"});
  assert.deepEqual(seen.instant, {
    query: "up",
    t: 1_700_000_000_500,
    timeoutMs: undefined,
    dedup: true,
    replicaLabels: ["replica"],
    storeMatch: [],
    partialResponse: true,
    maxSourceResolution: 0,
    lookbackDelta: undefined,
    engine: "prometheus",
    shard: undefined,
    stats: "",
    analyze: false,
    tenant: "a",
    requestId: "r",
    traceparent: undefined,
  });
  await get("/series?match[]=up");
  assert.deepEqual([seen.series?.mint, seen.series?.maxt], [MIN_TIME, MAX_TIME]);
});

test("steps and resolutions are chosen as documented", async (t) => {
  const {seen, get} = await asked(t);
  const step = async (query: string) => {
    await get(`/query_range?query=1&${query}`);
    return [seen.range?.step, seen.range?.maxSourceResolution];
  };
  assert.deepEqual(await step("start=0&end=60"), [1000, 0]);
  assert.deepEqual(await step("start=0&end=25000"), [100_000, 0]);
  assert.deepEqual(await step("start=0&end=60&step=10&max_source_resolution=auto"), [10_000, 2000]);
  assert.deepEqual(await step("start=0.0005&end=60&step=1m&max_source_resolution=5m"), [60_000, 300_000]);
  const auto = await asked(t, {autoDownsampling: true, metadataRange: 3_600_000});
  await auto.get("/query_range?query=1&start=0&end=60&step=30");
  assert.equal(auto.seen.range?.maxSourceResolution, 6000);
  await auto.get("/series?match[]=up&end=1700000000.25");
  assert.deepEqual([auto.seen.series?.mint, auto.seen.series?.maxt], [1_699_996_400_500, 1_700_000_000_250]);
});

test("further parameters reach the backend", async (t) => {
  const {seen, get} = await asked(t);
  const shard = encodeURIComponent('{"shard_index":1,"total_shards":2,"by":true,"labels":["a"]}');
  await get(
    `/query?query=up&timeout=1.5&dedup=f&replicaLabels[]=x&replicaLabels[]=y&storeMatch[]={__address__="a"}&partial_response=0&engine=thanos&lookback_delta=10&shard_info=${shard}&analyze=1&stats=all`,
  );
  const p = seen.instant ?? assert.fail();
  assert.deepEqual([p.timeoutMs, p.dedup, p.replicaLabels, p.partialResponse], [1500, false, ["x", "y"], false]);
  assert.deepEqual([p.engine, p.lookbackDelta, p.analyze, p.stats], ["thanos", 10_000, true, "all"]);
  assert.deepEqual(p.shard, {index: 1, total: 2, by: true, labels: ["a"]});
  assert.deepEqual(
    p.storeMatch.map((set) => set.map((m) => `${m.name}${m.op}${m.value}`)),
    [["__address__=a"]],
  );
});

test("answers: statistics only when asked for, cut results with a warning, stores by component", async (t) => {
  const {get} = await asked(t);
  assert.equal(
    (await get("/query?query=up")).text,
    '{"status":"success","data":{"resultType":"vector","result":[],"analysis":{"name":"x"}}}',
  );
  assert.match((await get("/query?query=up&stats=x")).text, /"result":\[\],"stats":\{"timings":\{\}\},"analysis"/);
  assert.equal(
    (await get("/series?match[]=up&limit=2")).text,
    '{"status":"success","data":[{"a":"1"},{"a":"2"}],"warnings":["w","results truncated due to limit"]}',
  );
  assert.equal((await get("/labels?limit=2")).text, '{"status":"success","data":["a","b"]}');
  assert.equal((await get("/label/a%2Fb/values")).text, '{"status":"success","data":["a/b"]}');
  assert.equal(
    (await get("/stores")).text,
    '{"status":"success","data":{"store":[{"name":"b:1","lastCheck":"1970-01-01T00:00:00.000Z","lastError":"x","labelSets":[{"l":"1"}],"minTime":5,"maxTime":9223372036854775807}]}}',
  );
  assert.deepEqual(await get("/query?query=down"), {
    status: 422,
    text: '{"status":"error","errorType":"execution","error":"store is down"}',
  });
  assert.deepEqual(await get("/query?query=up", {"THANOS-TENANT": "../x"}), {
    status: 400,
    text: '{"status":"error","errorType":"bad_data","error":"tenant name not valid"}',
  });
});

test("a traced request continues the caller's trace and tells its own", async (t) => {
  const options: SpanOptions[] = [];
  const context = {traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7", sampled: true};
  const tracer: Tracer = {
    ...nullTracer(),
    span(_name, given, fn) {
      options.push(given);
      return fn({context, set() {}, fail() {}, end() {}});
    },
  };
  const {url, router} = await startTestServer(t, {tracer});
  new Api(router, {routePrefix: "", cors: true, log: nullLogger()}).add(["GET"], "/x", "x", () => ({data: 1}));
  const response = await fetch(`${url}/api/v1/x`, {
    headers: {traceparent: `00-${context.traceId}-${context.spanId}-01`, "X-Thanos-Force-Tracing": "1"},
  });
  assert.equal(response.headers.get("x-thanos-trace-id"), context.traceId);
  assert.deepEqual([options[0]?.parent, options[0]?.force, options[0]?.kind], [context, true, "server"]);
});
