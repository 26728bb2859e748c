import assert from "node:assert/strict";
import {createServer} from "node:http";
import type {AddressInfo} from "node:net";
import {type TestContext, test} from "node:test";
import {isDeepStrictEqual} from "node:util";
import {Labels} from "@strata/model";
import {parseExpr} from "@strata/promql";
import {thanos} from "@strata/proto";
import type {RuleQuery} from "@strata/rules";
import type {QueryClient} from "@strata/storeapi";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {Queriers, type QueriersOptions} from "./query-client.ts";
import type {ServerGroup} from "./server-config.ts";
import {ServerSet} from "./server-set.ts";

type Asked = {readonly method: string; readonly path: string; readonly params: URLSearchParams};
type Answer = {readonly status: number; readonly body: unknown} | "hangs";

async function querier(t: TestContext, answer: Answer): Promise<{address: string; asked: Asked[]}> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const url = new URL(request.url ?? "", "http://x");
      const text = request.method === "GET" ? url.search : Buffer.concat(parts).toString();
      asked.push({method: request.method ?? "", path: url.pathname, params: new URLSearchParams(text)});
      if (answer !== "hangs") response.writeHead(answer.status).end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {address: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked};
}

const vector = (value: string, warnings?: string[]): Answer => ({
  status: 200,
  body: {status: "success", warnings, data: {resultType: "vector", result: [{metric: {a: "1"}, value: [1, value]}]}},
});
const fault = (status: number, error: string): Answer => ({status, body: {status: "error", errorType: "x", error}});

async function newQueriers(t: TestContext, groups: string[][], changes: Partial<QueriersOptions> = {}) {
  const logger = nullLogger();
  const registry = newRegistry();
  const all = groups.map(
    (addresses): ServerGroup => ({addresses, files: [], scheme: "http", pathPrefix: "/p", http: {}}),
  );
  const http = await ServerSet.start({
    groups: all,
    metricPrefix: "thanos_rule_query_apis",
    dnsIntervalMs: 60_000,
    userAgent: "x",
    client: "query",
    registry,
    logger,
  });
  t.after(() => http.close());
  const warned: string[] = [];
  const queriers = new Queriers({
    http,
    grpc: () => [],
    method: "POST",
    onlyPrometheusParams: false,
    defaultStepMs: 1000,
    logger,
    onWarnings: (strategy) => void warned.push(strategy),
    ...changes,
  });
  return {queriers, warned, registry};
}

const query = (strategy: "abort" | "warn" = "abort"): RuleQuery => ({
  expr: parseExpr("up"),
  query: "up",
  t: 1_700_000_000_123,
  strategy,
});
const {signal} = new AbortController();

test("a query carries what Thanos sends, or only what Prometheus knows", async (t) => {
  const {address, asked} = await querier(t, vector("5"));
  const {queriers} = await newQueriers(t, [[address]]);
  const answer = await queriers.query(query("warn"), signal);
  assert.deepEqual([String(answer.labels[0]), answer.values[0]], ['{a="1"}', 5]);
  assert.deepEqual([asked[0]?.method, asked[0]?.path], ["POST", "/p/api/v1/query"]);
  assert.deepEqual(Object.fromEntries(asked[0]?.params ?? []), {
    analyze: "false",
    dedup: "true",
    engine: "",
    explain: "false",
    partial_response: "true",
    query: "up",
    time: "2023-11-14T22:13:20.123Z",
  });
  const plain = await newQueriers(t, [[address]], {method: "GET", onlyPrometheusParams: true});
  await plain.queriers.query(query(), signal);
  assert.equal(asked[1]?.method, "GET");
  assert.deepEqual([...(asked[1]?.params.keys() ?? [])], ["query", "time"]);
});

test("queriers take turns, and the next one answers for one that fails or hangs", async (t) => {
  const [a, b] = [await querier(t, vector("1")), await querier(t, vector("2"))];
  const {queriers} = await newQueriers(t, [[a.address, b.address]]);
  for (let i = 0; i < 6; i++) await queriers.query(query(), signal);
  assert.deepEqual([a.asked.length, b.asked.length], [3, 3]);
  const [down, hangs] = [await querier(t, fault(503, "down")), await querier(t, "hangs")];
  const mixed = await newQueriers(t, [[down.address], [hangs.address], [b.address]], {timeoutMs: 50});
  for (let i = 0; i < 3; i++) assert.equal((await mixed.queriers.query(query(), signal)).values[0], 2);
});

test("when nobody answers, what the query is guilty of is told before what queriers suffer from", async (t) => {
  const [bad, down] = [await querier(t, fault(422, "many-to-many")), await querier(t, fault(500, "oops"))];
  const both = await newQueriers(t, [[bad.address, down.address]]);
  await assert.rejects(both.queriers.query(query(), signal), /^StrataError: many-to-many$/);
  const one = await newQueriers(t, [[down.address]]);
  await assert.rejects(
    one.queriers.query(query(), signal),
    /no query API server reachable: expected 2xx response, got 500\. Body: .*oops/,
  );
  const none = await newQueriers(t, []);
  await assert.rejects(none.queriers.query(query(), signal), /^StrataError: no query API server reachable$/);
});

test("warnings are counted, annotations of PromQL are not", async (t) => {
  const [gap, note] = [
    await querier(t, vector("1", ["a store is down"])),
    await querier(t, vector("1", ["PromQL info: x"])),
  ];
  const {queriers, warned} = await newQueriers(t, [[gap.address]]);
  await queriers.query(query("warn"), signal);
  const other = await newQueriers(t, [[note.address]]);
  await other.queriers.query(query(), signal);
  assert.deepEqual([...warned, ...other.warned], ["warn"]);
});

test("queriers over gRPC come after those over HTTP, and keep histograms", async (t) => {
  const asked: unknown[] = [];
  const series = {
    labels: [{name: "h", value: "1"}],
    histograms: [
      {countInt: 3, sum: 2, schema: 1, positiveSpans: [{offset: 0, length: 2}], positiveDeltas: [1, 1], timestamp: 1},
    ],
  };
  const grpc = {
    address: "g:1",
    async *query(request: unknown) {
      asked.push(request);
      yield [thanos.QueryResponse.encode({timeseriesBatch: {series: [series]}})];
      yield [thanos.QueryResponse.encode({warnings: "half of it"})];
    },
  } as unknown as QueryClient;
  const down = await querier(t, fault(503, "down"));
  const {queriers, warned} = await newQueriers(t, [[down.address]], {grpc: () => [grpc]});
  const {labels, histograms} = await queriers.query(query("warn"), signal);
  assert.equal(String(labels[0]), '{h="1"}');
  assert.deepEqual(
    [histograms?.get(0)?.pi, histograms?.get(0)?.pv],
    [
      [0, 1],
      [1, 2],
    ],
  );
  assert.deepEqual(asked, [{query: "up", timeSeconds: 1_700_000_000, enableDedup: true, enablePartialResponse: true}]);
  assert.deepEqual(warned, ["warn"]);
});

test("the state of alerts is asked for as a range, and ignored labels are taken off", async (t) => {
  const result = [
    {
      metric: {__name__: "ALERTS_FOR_STATE", alertname: "A", receive: "x"},
      values: [
        [10, "3"],
        [20, "4"],
      ],
    },
  ];
  const {address, asked} = await querier(t, {
    status: 200,
    body: {status: "success", data: {resultType: "matrix", result}},
  });
  const {queriers} = await newQueriers(t, [[address]]);
  const labels = Labels.fromObject({__name__: "ALERTS_FOR_STATE", alertname: "A"});
  const states = await queriers.forState(labels, 1000, 61_000, ["receive"], signal);
  assert.deepEqual(
    states.map((state) => [String(state.labels), state.t, state.v]),
    [['{__name__="ALERTS_FOR_STATE", alertname="A"}', 20_000, 4]],
  );
  assert.deepEqual(Object.fromEntries(asked[0]?.params ?? []), {
    dedup: "true",
    end: "61",
    query: '{__name__="ALERTS_FOR_STATE", alertname="A"}',
    start: "1",
    step: "1",
  });
});

test("requests are counted by answer", async (t) => {
  const [good, bad] = [await querier(t, vector("1")), await querier(t, fault(503, "down"))];
  const {queriers, registry} = await newQueriers(t, [[bad.address], [good.address]]);
  for (let i = 0; i < 4; i++) await queriers.query(query(), signal);
  const samples = (await registry.gather()).flatMap((family) => family.samples);
  const value = (name: string, labels: Record<string, string>): number | undefined =>
    samples.find((sample) => sample.name === name && isDeepStrictEqual(Object.fromEntries(sample.labels), labels))
      ?.value;
  const ok = {client: "query", code: "200", method: "post"};
  assert.equal(value("http_client_request_total", ok), 4);
  assert.equal(value("http_client_request_total", {...ok, code: "503"}), 2);
  assert.equal(value("http_client_request_duration_seconds_count", ok), 4);
  assert.equal(value("http_client_in_flight_requests", {client: "query"}), 0);
});
