import assert from "node:assert/strict";
import {once} from "node:events";
import {readFileSync, writeFileSync} from "node:fs";
import type {IncomingMessage} from "node:http";
import {get} from "node:https";
import {join} from "node:path";
import {before, describe, test} from "node:test";
import {freePort, makeCertificates, tempDir} from "@strata/base/testing";
import {serveReadApis} from "@strata/storeapi";
import {SampleStore, startStore, storeInfo} from "@strata/storeapi/testing";
import {endpointSeen, strata, suiteScope} from "./strata.ts";

const T = 1_700_000_000;

/** The same series of two tenants; whatever shows `secret` has read those of the other one. */
const seriesOf = (tenant: string, value: number, mark: string) =>
  [
    {__name__: "up", instance: "i:1", job: "j", mark},
    {__name__: "target_info", instance: "i:1", job: "j", version: mark},
  ].map((labels) => ({
    labels: {...labels, tenant_id: tenant},
    samples: Array.from({length: 20}, (_, i) => [(T - 300 + i * 15) * 1000, value] as const),
  }));

describe("tenancy enforced on a querier", () => {
  const scope = suiteScope();
  let address = "";

  before(async () => {
    const store = new SampleStore([
      ...seriesOf("a", 1, "own"),
      ...seriesOf("b", 777, "secret"),
      ...seriesOf("c", 3, "third"),
    ]);
    const info = () => ({...storeInfo(), componentType: "sidecar", exemplars: {}});
    const {address: at, server} = await startStore(scope, store, {info});
    serveReadApis(server, {
      // Says what it was asked for: a leaf that gives its exemplars to whoever names a tenant.
      async *exemplars({query}) {
        const secret = /tenant_id="b"|tenant_id=~|^\{__name__="up"\}/.test(query) && !query.includes('tenant_id="a"');
        yield {
          value: {seriesLabels: {labels: [{name: "mark", value: secret ? "secret" : "own"}]}, exemplars: [{ts: 1}]},
        };
      },
    });
    address = at;
  });

  const querier = async (...args: string[]) => {
    const flags = [`--endpoint=${address}`, `--grpc-address=127.0.0.1:${await freePort()}`, "--query.enforce-tenancy"];
    const server = await strata(scope, "query", [...flags, ...args]);
    await endpointSeen(server.url, "sidecar", server);
    return server;
  };

  const ask = async (url: string, path: string, params: string[][], headers: Record<string, string>) => {
    const response = await fetch(`${url}${path}?${new URLSearchParams(params)}`, {headers});
    return {status: response.status, text: await response.text()};
  };

  /** Ways to reach for the series of tenant b, each with what has to come of it: something of a's own, or nothing. */
  const QUERIES: readonly (readonly [query: string, own: boolean])[] = [
    ["up", true],
    ['up{tenant_id="b"}', true],
    ['up{tenant_id=~".*"}', true],
    ['{tenant_id="b"}', true],
    ['{tenant_id!="a",job="j"}', true],
    ['{__name__=~".+",tenant_id!~"a"}', true],
    ['up{"tenant_id"="b"}', true],
    ['up or up{tenant_id="b"}', true],
    ['up unless up{tenant_id="b"}', false],
    ['up * on () group_right () up{tenant_id="b"}', true],
    ['max_over_time(up{tenant_id="b"}[5m:15s])', true],
    ['last_over_time({tenant_id="b"}[5m])', true],
    ['max_over_time(max_over_time(up{tenant_id="b"}[1m])[5m:1m])', true],
    ['up{tenant_id="b"} @ end() offset 1s', true],
    ['label_replace(up{tenant_id="b"}, "tenant_id", "b", "", "")', true],
    ["info(up)", true],
    ['info(up, {version=~".+"})', true],
    ['info(up{tenant_id="b"}, {tenant_id="b"})', true],
    ['info(up, {__name__="target_info",tenant_id="b"})', true],
    ['count_values("mark", up{tenant_id="b"})', true],
    ['topk(5, {tenant_id="b"})', true],
    ['-up{tenant_id="b"}', true],
    ['scalar(up{tenant_id="b"})', true],
    ['absent(up{tenant_id="b"})', false],
    ['sum by (tenant_id, mark) (up{tenant_id="b"})', true],
  ];

  test("no query shows series of another tenant", async () => {
    const {url} = await querier("--enable-feature=promql-experimental-functions");
    const headers = {"THANOS-TENANT": "a"};
    for (const [query, own] of QUERIES) {
      for (const [path, params] of [
        ["/api/v1/query", [["time", `${T - 10}`]]],
        [
          "/api/v1/query_range",
          [
            ["start", `${T - 60}`],
            ["end", `${T - 10}`],
            ["step", "15"],
          ],
        ],
      ] as const) {
        const {status, text} = await ask(url, path, [["query", query], ...params.map((p) => [...p])], headers);
        assert.equal(status, 200, `${query}: ${text}`);
        assert.doesNotMatch(text, /secret|777/, query);
        const empty = /"result":\[\]/.test(text);
        assert.equal(empty, !own, `${query}: ${text}`);
      }
    }
  });

  test("no other route shows series of another tenant", async () => {
    const {url} = await querier();
    const headers = {"THANOS-TENANT": "a"};
    const range = [
      ["start", `${T - 300}`],
      ["end", `${T}`],
    ];
    const f = async (path: string, params: string[][], want: RegExp) => {
      const {text} = await ask(url, path, params, headers);
      assert.doesNotMatch(text, /secret|777|"b"/, `${path} ${params}`);
      assert.match(text, want, `${path} ${params}`);
    };
    for (const match of ["up", '{tenant_id="b"}', 'up{tenant_id=~"a|b"}', '{tenant_id!=""}']) {
      const params = [["match[]", match], ...range];
      await f("/api/v1/series", params, /own/);
      await f("/api/v1/series", [["match[]", "up"], ...params], /own/);
      await f("/api/v1/series", [...params, ["dedup", "true"], ["replicaLabels[]", "tenant_id"]], /own/);
      await f("/api/v1/labels", params, /mark/);
      await f("/api/v1/label/mark/values", params, /own/);
      await f("/api/v1/label/tenant_id/values", params, /\["a"\]/);
      await f("/api/v1/query_exemplars", [["query", match]], /own/);
    }
    await f("/api/v1/label/mark/values", [...range], /own/);
    await f("/api/v1/label/tenant_id/values", [], /\["a"\]/);
    const query = [
      ["query", "up"],
      ["time", `${T - 10}`],
    ];
    await f("/api/v1/query", [...query, ["replicaLabels[]", "tenant_id"]], /own/);
    await f("/api/v1/query", [...query, ["storeMatch[]", '{tenant_id="b"}']], /own/);
    const text = await (
      await fetch(`${url}/federate?match[]=${encodeURIComponent('{tenant_id="b"}')}`, {headers})
    ).text();
    assert.doesNotMatch(text, /secret|777/);
  });

  test("a name that is no name is refused, in the custom header too", async () => {
    const {url} = await querier("--query.tenant-header=X-Scope");
    for (const name of ["..", "a/b", "a\\b"]) {
      for (const header of ["X-Scope", "THANOS-TENANT"]) {
        const {status, text} = await ask(url, "/api/v1/query", [["query", "up"]], {[header]: name});
        assert.equal(status, 400, text);
        assert.match(text, /tenant name not valid/);
      }
    }
    // The custom header decides where both are there.
    const both = {"X-Scope": "a", "THANOS-TENANT": "b"};
    const {text} = await ask(
      url,
      "/api/v1/query",
      [
        ["query", "up"],
        ["time", `${T - 10}`],
      ],
      both,
    );
    assert.match(text, /own/);
    assert.doesNotMatch(text, /secret/);
  });

  test("several tenants need --query.tenant-federation", async () => {
    const plain = await querier();
    const federated = await querier("--query.tenant-federation");
    const of = async (url: string, tenant: string, query = "sum(up)") => {
      const {text} = await ask(
        url,
        "/api/v1/query",
        [
          ["query", query],
          ["time", `${T - 10}`],
        ],
        {"THANOS-TENANT": tenant},
      );
      return (JSON.parse(text) as {data?: {result: {value: [number, string]}[]}}).data?.result[0]?.value[1];
    };
    assert.equal(await of(plain.url, "a|c"), undefined);
    assert.equal(await of(plain.url, ".*"), undefined);
    assert.equal(await of(federated.url, "a|c"), "4");
    assert.equal(await of(federated.url, "a|c", 'sum(up{tenant_id=~".*"})'), "4");
    assert.equal(await of(federated.url, "a|c", 'sum(up{tenant_id="c"})'), "3");
    assert.equal(await of(federated.url, "a|c", 'sum(up{tenant_id="b"})'), undefined);
    assert.equal(await of(federated.url, "a|.*"), "1");
    assert.equal(await of(federated.url, "c"), "3");
    const {status} = await ask(federated.url, "/api/v1/query", [["query", "up"]], {"THANOS-TENANT": "a|.."});
    assert.equal(status, 400);
    const empty = await ask(federated.url, "/api/v1/query", [["query", "up"]], {"THANOS-TENANT": "a|"});
    assert.equal(empty.status, 400);
  });

  test("the client's certificate decides where its field is configured", async () => {
    const dir = tempDir(scope);
    const server = makeCertificates(dir, "localhost");
    const client = makeCertificates(dir, "a");
    const config = join(dir, "web.yml");
    writeFileSync(
      config,
      `tls_server_config: {cert_file: ${server.cert}, key_file: ${server.key}, client_auth_type: VerifyClientCertIfGiven, client_ca_file: ${server.ca}}\n`,
    );
    const tls = {ca: readFileSync(server.ca)};
    const own = {...tls, cert: readFileSync(client.cert), key: readFileSync(client.key)};
    const read = async (url: string, options: object): Promise<string> => {
      const [response] = (await once(get(url, {...options, agent: false}), "response")) as [IncomingMessage];
      return (await response.toArray()).join("");
    };
    const flags = [`--endpoint=${address}`, `--grpc-address=127.0.0.1:${await freePort()}`, "--query.enforce-tenancy"];
    const querying = await strata(
      scope,
      "query",
      [...flags, `--http.config=${config}`, "--query.tenant-certificate-field=commonName", "--query.tenant-federation"],
      {ready: async (port) => (await read(`https://127.0.0.1:${port}/-/ready`, tls)) === "OK"},
    );
    const url = `https://127.0.0.1:${querying.port}/api/v1/query?query=up&time=${T - 10}`;
    const answer = await read(url, {...own, headers: {"THANOS-TENANT": "b"}});
    assert.match(answer, /own/);
    assert.doesNotMatch(answer, /secret/);
    assert.match(await read(url, {...tls, headers: {"THANOS-TENANT": "b"}}), /bad_data.*certificate/);
  });
});
