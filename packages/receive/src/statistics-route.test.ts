import assert from "node:assert/strict";
import {test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {Labels} from "@strata/model";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {Api, httpMetrics, listen, Router} from "@strata/web";
import {addStatisticsRoute} from "./statistics-route.ts";
import {NO_SERIES_LIMITS} from "./tenant-writer.ts";
import {Tenants} from "./tenants.ts";

type Answer = {
  readonly status: string;
  readonly error?: string;
  readonly data?: readonly {
    readonly tenant: string;
    readonly headStats: Record<string, number>;
    readonly seriesCountByMetricName: readonly {readonly name: string; readonly value: number}[];
  }[];
};

test("statistics are those of the request's tenant, or of all", async (t) => {
  const log = nullLogger();
  const tenants = new Tenants({
    dir: tempDir(t),
    labels: Labels.EMPTY,
    tenantLabel: "tenant_id",
    db: {},
    limits: () => NO_SERIES_LIMITS,
    tooFarInFutureMs: 0,
    startTimes: false,
    retentionMs: 0,
    logger: log,
  });
  t.after(() => tenants.close());
  for (const [name, series] of [
    ["b", 3],
    ["a", 1],
    ["empty", 0],
  ] as const) {
    const {db} = await tenants.open(name);
    const app = db.head.appender();
    for (let i = 0; i < series; i++)
      app.float(app.seriesOf(Labels.fromObject({__name__: `m${i % 2}`, i: String(i)})), 1000 + i, 1);
    await app.commit();
  }
  let reason: string | undefined;
  const router = new Router();
  const api = new Api(router, {routePrefix: "", cors: false, preflight: false, log});
  const tenancy = {header: "THANOS-TENANT", defaultTenant: "a", certificateField: ""} as const;
  addStatisticsRoute(api, {tenants: () => tenants.all, tenancy, notReady: () => reason});
  const server = await listen({address: "127.0.0.1:0", router, log, metrics: httpMetrics(newRegistry(), true)});
  t.after(() => server.close(0));
  const ask = async (query: string, tenant = ""): Promise<{status: number; text: string; answer: Answer}> => {
    const headers = tenant === "" ? {} : {"thanos-tenant": tenant};
    const response = await fetch(`${server.url}/api/v1/status/tsdb${query}`, {headers});
    const text = await response.text();
    return {status: response.status, text, answer: JSON.parse(text) as Answer};
  };
  const namesOf = async (query: string, tenant?: string) =>
    (await ask(query, tenant)).answer.data?.map((entry) => entry.tenant);

  assert.deepEqual(await namesOf(""), ["a"]);
  assert.deepEqual(await namesOf("", "b"), ["b"]);
  assert.deepEqual(await namesOf("", "nobody"), []);
  assert.deepEqual(await namesOf("?all_tenants=true"), ["a", "b", "empty"]);
  const {answer} = await ask("?limit=1", "b");
  assert.deepEqual(answer.data?.[0]?.seriesCountByMetricName, [{name: "m0", value: 2}]);
  assert.deepEqual(answer.data?.[0]?.headStats, {
    numSeries: 3,
    numLabelPairs: 5,
    chunkCount: 3,
    minTime: 1000,
    maxTime: 1002,
  });
  const empty = await ask("", "empty");
  assert.match(empty.text, /"minTime":9223372036854775807,"maxTime":-9223372036854775808/);

  const both = await ask("?all_tenants=true", "b");
  assert.deepEqual([both.status, both.answer.status], [400, "error"]);
  assert.equal(both.answer.error, "using both the all_tenants parameter and the THANOS-TENANT header is not supported");
  assert.equal((await ask("?limit=x")).status, 400);
  reason = "the databases are being opened";
  assert.equal((await ask("")).status, 503);
});
