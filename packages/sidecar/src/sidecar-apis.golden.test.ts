import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import http from "node:http";
import type {AddressInfo} from "node:net";
import {after, before, describe, test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {HttpClient} from "@strata/http-client";
import type {Labels} from "@strata/model";
import {type MethodDef, thanos} from "@strata/proto";
import type {ApiSource, ReadApis} from "@strata/storeapi";
import {PrometheusApi} from "./prometheus-api.ts";
import {sidecarApis} from "./sidecar-apis.ts";

type Capture = {server: string; method: string; path: string; query?: string; status: number; response: string};
type Exchange = {
  id: string;
  method: string;
  request_base64: string;
  responses_base64: string[] | null;
  status: {code: string; message?: string};
};

const lines = <T>(...path: string[]): T[] =>
  gunzipSync(readFileSync(goldenDir("query", ...path)))
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);

/** The API methods of the sidecar, each with its source. */
const METHODS: Record<string, {readonly method: MethodDef<never, never>; readonly api: keyof ReadApis}> = {
  Rules: {method: thanos.RulesService.Rules as never, api: "rules"},
  Targets: {method: thanos.TargetsService.Targets as never, api: "targets"},
  MetricMetadata: {method: thanos.MetadataService.MetricMetadata as never, api: "metricMetadata"},
  Exemplars: {method: thanos.ExemplarsService.Exemplars as never, api: "exemplars"},
  TSDBStatistics: {method: thanos.StatusService.TSDBStatistics as never, api: "status"},
};

/** The sidecar's answers and those of its Prometheus were recorded one after the other: what time changes is left out. */
const MOMENTARY = new Set([
  "evaluationDurationSeconds",
  "lastEvaluation",
  "lastScrape",
  "lastScrapeDuration",
  "lastError",
  "health",
  "state",
  "alerts",
  "exemplars",
  "headStatistics",
  "value",
]);

describe("the APIs of a sidecar over a recorded Prometheus", () => {
  const prometheus = lines<Capture>("api", "captures.jsonl.gz").filter((c) => c.server === "prometheus_live");
  const server = http.createServer((req, res) => {
    const url = new URL(req.url ?? "", "http://x");
    const found = prometheus.find((c) => c.path === url.pathname && sameParams(c.query ?? "", url.search));
    res.writeHead(found?.status ?? 599, {"content-type": "application/json"}).end(found?.response);
  });
  let client: HttpClient;
  let apis: ReadApis;

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    client = new HttpClient(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
    const api = new PrometheusApi(client);
    const labels: Labels = await api.externalLabels(new AbortController().signal);
    apis = sidecarApis(api, () => labels);
  });
  after(() => {
    client.close();
    server.close();
  });

  for (const e of lines<Exchange>("storeapi", "live-sidecar.jsonl.gz").filter((x) => x.method in METHODS)) {
    test(`${e.method} ${e.id}`, async () => {
      const {method, api} = METHODS[e.method] as (typeof METHODS)[string];
      const request = method.request.decode(Buffer.from(e.request_base64, "base64"));
      const source = apis[api] as ApiSource<unknown, unknown>;
      const got: unknown[] = [];
      const run = async () => {
        for await (const answer of source(request, {tenant: ""}, new AbortController().signal)) {
          if ("value" in answer) got.push(answer.value);
        }
      };
      if (e.status.code !== "OK") return assert.rejects(run());
      await run();
      const want = (e.responses_base64 ?? []).map((bytes) => {
        const response = method.response.decode(Buffer.from(bytes, "base64")) as Record<string, unknown>;
        return Object.values(response).find((v) => v !== undefined);
      });
      assert.deepEqual(lasting(wireOf(api, got)), lasting(want));
    });
  }
});

/** Exemplars are asked for at other times, statistics for another number of entries. */
function sameParams(recorded: string, sent: string): boolean {
  const of = (query: string) => {
    const params = new URLSearchParams(query);
    for (const name of ["start", "end", "limit"]) if (params.get(name) !== "0") params.delete(name);
    params.set("query", (params.get("query") ?? "").replace(/\{.*/, ""));
    params.sort();
    return params.toString();
  };
  return of(recorded) === of(sent);
}

/** As a caller reads it. */
function wireOf(api: keyof ReadApis, values: readonly unknown[]): unknown[] {
  const codec = {
    rules: thanos.RuleGroup,
    targets: thanos.TargetDiscovery,
    metricMetadata: thanos.MetricMetadata,
    exemplars: thanos.ExemplarData,
    status: thanos.TSDBStatistics,
  }[api];
  return values.map((v) => codec.decode(codec.encode(v as never)));
}

function lasting(value: unknown): unknown {
  if (value instanceof Map) return [...value].sort(([a], [b]) => (a < b ? -1 : 1)).map(lasting);
  if (Array.isArray(value)) return value.map(lasting);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !MOMENTARY.has(key))
      .map(([key, v]) => [key, key.includes("Count") || key.startsWith("memory") ? [] : lasting(v)]),
  );
}
