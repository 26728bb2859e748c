import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {after, before, test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {Labels} from "@strata/model";
import {parseExpr} from "@strata/promql";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {type HttpServer, listen} from "../http-server.ts";
import {addCommonRoutes, newProbes} from "../probes.ts";
import {Router} from "../router.ts";
import {DEFAULT_TENANT_CONFIG} from "../tenant.ts";
import {Api} from "./envelope.ts";
import type {QueryAnswer, QueryBackend, QueryParams} from "./query-backend.ts";
import {addQueryRoutes} from "./query-routes.ts";
import {addStatusRoutes} from "./status-routes.ts";

type Capture = {
  readonly id: string;
  readonly server: string;
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly body?: string;
  readonly request_headers?: Record<string, string>;
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly response: string;
};

const captures = gunzipSync(readFileSync(goldenDir("query", "api", "captures.jsonl.gz")))
  .toString()
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Capture)
  .filter((c) => c.server.startsWith("thanos_query"));

/** Parses queries as an engine would, and answers all with the same empty result. */
function fakeBackend(): QueryBackend {
  const answer = async (params: QueryParams, range: boolean): Promise<QueryAnswer> => {
    const expr = parseExpr(params.query);
    void expr;
    return {
      resultType: range ? "matrix" : "vector",
      result: [Buffer.from("[]")],
      annotations: [],
      warnings: [],
    };
  };
  return {
    instant: (params) => answer(params, false),
    range: (params) => answer(params, true),
    series: async () => ({series: [Labels.fromObject({a: "1"}), Labels.fromObject({a: "2"})], warnings: []}),
    labelNames: async () => ({values: ["a", "b"], warnings: []}),
    labelValues: async () => ({values: ["a", "b"], warnings: []}),
    stores: () => [],
    federate: async () => ({text: [], warnings: []}),
    explainInstant: () => ({name: "x"}),
    explainRange: () => ({name: "x"}),
  };
}

let server: HttpServer;

before(async () => {
  const router = new Router();
  const registry = newRegistry();
  const probes = newProbes("query", registry, nullLogger());
  probes.setHealthy();
  probes.setReady();
  addCommonRoutes(router, registry, probes);
  const api = new Api(router, {routePrefix: "", cors: true, log: nullLogger()});
  addQueryRoutes(api, fakeBackend(), {
    replicaLabels: ["replica"],
    partialResponse: true,
    engine: "prometheus",
    autoDownsampling: true,
    instantResolution: 0,
    step: 1000,
    metadataRange: 0,
    lookbackDelta: undefined,
    tenants: DEFAULT_TENANT_CONFIG,
    language: {},
    now: Date.now,
  });
  addStatusRoutes(api, {flags: {}, build: {version: "", revision: "", branch: "", buildUser: "", buildDate: ""}});
  server = await listen({address: "127.0.0.1:0", router, log: nullLogger()});
});
after(() => server.close(0));

const ROUTES =
  /^\/(api\/v1\/(query|query_range|query_explain|series|labels|label\/.*|stores|nosuch|status\/(flags|runtimeinfo|buildinfo|config))|-\/(healthy|ready))$/;

/** Errors of evaluation and of stores are the backend's; range queries' types are the engine's to judge. */
const isBackendError = (error: string): boolean =>
  /^found duplicate series|^expanding series|^proxy Label|^invalid expression type/.test(error);

async function send(c: Capture): Promise<{status: number; headers: Headers; text: string}> {
  const target = `${server.url}${c.path}${c.query ? `?${c.query}` : ""}`;
  const hasBody = c.method === "POST";
  const response = await fetch(target, {
    method: c.method,
    headers: c.request_headers ?? {},
    ...(hasBody ? {body: c.body ?? ""} : {}),
  });
  return {status: response.status, headers: response.headers, text: await response.text()};
}

test("parameters, errors and headers are those of the captured querier", async (t) => {
  let seen = 0;
  for (const c of captures) {
    if (!ROUTES.test(c.path)) continue;
    const error =
      c.status >= 400 && c.response.startsWith("{") ? (JSON.parse(c.response) as {error: string}).error : "";
    if (isBackendError(error)) continue;
    seen++;
    await t.test(`${c.id} ${c.method} ${c.path}?${c.query ?? ""} ${c.body ?? ""}`, async () => {
      const got = await send(c);
      assert.equal(got.status, c.status, got.text);
      for (const [name, value] of Object.entries(c.headers)) {
        // Whether an answer is partial is the backend's.
        if (name === "cache-control" && c.status === 200) continue;
        assert.equal(got.headers.get(name), value, name);
      }
      if (c.status >= 400) assert.equal(got.text, c.response);
      if (c.path.startsWith("/-/")) assert.equal(got.text, c.response);
    });
  }
  assert.ok(seen > 100, `${seen} captures`);
});

test("status routes have the captured keys and kinds of values", async () => {
  for (const c of captures) {
    if (!/status\/(runtimeinfo|buildinfo)$/.test(c.path)) continue;
    const got = await send(c);
    const shape = (text: string) => {
      const {data} = JSON.parse(text) as {data: Record<string, unknown>};
      return Object.entries(data)
        .map(([key, value]) => `${key}: ${typeof value}`)
        .sort();
    };
    assert.deepEqual(shape(got.text), shape(c.response));
  }
});
