import assert from "node:assert/strict";
import {once} from "node:events";
import {mkdirSync, readFileSync, writeFileSync} from "node:fs";
import type {IncomingMessage} from "node:http";
import {get, type RequestOptions} from "node:https";
import {join} from "node:path";
import {before, describe, test} from "node:test";
import {freePort, httpReady, makeCertificates, type Server, tempDir} from "@strata/base/testing";
import {newUlid} from "@strata/model";
import {BLOCK_MS, PER_BLOCK, writeSmallBlock} from "./small-block.ts";
import {endpointSeen, strata, suiteScope, until} from "./strata.ts";

/** bcrypt of "hushhush". */
const HASH = "$2b$04$FrgIxaFzgAQR0jBi1jcmjuGk1KhAxVG5ll4qzCrTBNlH472qUnQ.K";

describe("encryption and passwords", () => {
  const scope = suiteScope();
  const dir = tempDir(scope);
  const certs = makeCertificates(dir, "server");
  const start = Math.floor(Date.now() / BLOCK_MS) * BLOCK_MS - BLOCK_MS;
  let storeAddress = "";

  before(async () => {
    const bucket = join(dir, "bucket");
    mkdirSync(bucket);
    await writeSmallBlock(bucket, newUlid(start + BLOCK_MS), start);
    storeAddress = `127.0.0.1:${await freePort()}`;
    await strata(scope, "store", [
      `--data-dir=${join(dir, "store")}`,
      `--objstore.config=type: FILESYSTEM\nconfig:\n  directory: ${bucket}\n`,
      `--grpc-address=${storeAddress}`,
      `--grpc-server-tls-cert=${certs.cert}`,
      `--grpc-server-tls-key=${certs.key}`,
      `--grpc-server-tls-client-ca=${certs.ca}`,
    ]);
  });

  const querier = async (...args: string[]): Promise<Server & {url: string}> =>
    strata(scope, "query", [`--endpoint=${storeAddress}`, `--grpc-address=127.0.0.1:${await freePort()}`, ...args]);

  /** Samples of each series that the querier at `url` finds in the block. */
  const counts = async (url: string): Promise<Record<string, number>> => {
    const params = {query: "count_over_time(m[2h])", time: `${(start + BLOCK_MS - 1) / 1000}`};
    const answer = await (await fetch(`${url}/api/v1/query?${new URLSearchParams(params)}`)).json();
    const {result} = (answer as {data: {result: {metric: {n: string}; value: [number, string]}[]}}).data;
    return Object.fromEntries(result.map((row) => [row.metric.n, Number(row.value[1])]));
  };
  const all = {a: PER_BLOCK, b: PER_BLOCK, c: PER_BLOCK};
  const own = [`--grpc-client-tls-cert=${certs.cert}`, `--grpc-client-tls-key=${certs.key}`];

  test("a querier with a certificate of the authority reads through TLS", async () => {
    const {url} = await querier("--grpc-client-tls-secure", `--grpc-client-tls-ca=${certs.ca}`, ...own);
    await endpointSeen(url, "store");
    assert.deepEqual(await counts(url), all);
  });

  test("the same settings work from the endpoint configuration", async () => {
    const config = `endpoints:
  - address: ${storeAddress}
    client_config:
      tls_config: {ca_file: ${certs.ca}, cert_file: ${certs.cert}, key_file: ${certs.key}}
`;
    const {url} = await strata(scope, "query", [
      `--endpoint.sd-config=${config}`,
      `--grpc-address=127.0.0.1:${await freePort()}`,
    ]);
    await endpointSeen(url, "store");
    assert.deepEqual(await counts(url), all);
  });

  for (const [name, args, reason] of [
    ["that speaks plaintext", [], "Failed to connect"],
    [
      "without a certificate of its own",
      ["--grpc-client-tls-secure", `--grpc-client-tls-ca=${certs.ca}`],
      "certificate required",
    ],
    ["that does not know the authority", ["--grpc-client-tls-secure", ...own], "certificate"],
  ] as const) {
    test(`a querier ${name} gets nothing, and says so`, async () => {
      const server = await querier("--endpoint.info-timeout=3s", ...args);
      const warned = new RegExp(`level=warn .*address=${storeAddress} err=.*latest balancer error: .*${reason}`);
      await until(() => warned.test(server.logs()), "a warning about the endpoint", server);
      assert.deepEqual(await counts(server.url), {});
      assert.equal(await server.stop(), 0);
    });
  }

  test("a ruler asks its queriers through TLS, and its head is counted like others", async () => {
    const [queryPort, rulePort] = [await freePort(), await freePort()];
    const rules = join(dir, "rules.yml");
    writeFileSync(rules, "groups: [{name: g, interval: 1s, rules: [{record: seven, expr: vector(7)}]}]\n");
    const {url} = await strata(scope, "query", [
      `--endpoint=127.0.0.1:${rulePort}`,
      `--grpc-address=127.0.0.1:${queryPort}`,
      `--grpc-server-tls-cert=${certs.cert}`,
      `--grpc-server-tls-key=${certs.key}`,
      `--grpc-server-tls-client-ca=${certs.ca}`,
    ]);
    const ruler = async (name: string, grpcPort: number, ...args: string[]) => {
      const server = await strata(scope, "rule", [
        `--data-dir=${join(dir, name)}`,
        `--rule-file=${rules}`,
        `--label=ruler="${name}"`,
        `--grpc-address=127.0.0.1:${grpcPort}`,
        `--grpc-query-endpoint=127.0.0.1:${queryPort}`,
        ...args,
      ]);
      const health = async () => {
        const answer = await (await fetch(`${server.url}/api/v1/rules`)).json();
        return (answer as {data: {groups: {rules: {health: string}[]}[]}}).data.groups[0]?.rules[0]?.health;
      };
      return {server, health};
    };
    const secure = ["--grpc-client-tls-secure", `--grpc-client-tls-ca=${certs.ca}`, ...own];
    const good = await ruler("good", rulePort, ...secure);
    await until(async () => (await good.health()) === "ok", "a rule that is evaluated", good.server);
    const bad = await ruler("bad", await freePort());
    await until(async () => (await bad.health()) === "err", "a rule that cannot be evaluated", bad.server);
    await endpointSeen(url, "rule");
    const {data} = (await (await fetch(`${url}/api/v1/status/tsdb`)).json()) as {
      data: {seriesCountByMetricName: {name: string; value: number}[]};
    };
    assert.deepEqual(data.seriesCountByMetricName, [{name: "seven", value: 1}]);
  });

  test("--http.config asks for TLS and a password", async () => {
    const config = join(dir, "web.yml");
    writeFileSync(
      config,
      `tls_server_config: {cert_file: ${certs.cert}, key_file: ${certs.key}}\nbasic_auth_users: {ada: ${HASH}}\n`,
    );
    const auth = {ca: readFileSync(certs.ca), auth: "ada:hushhush"};
    const server = await strata(
      scope,
      "query",
      [`--http.config=${config}`, `--grpc-address=127.0.0.1:${await freePort()}`],
      {ready: async (port) => (await status(`https://127.0.0.1:${port}/-/ready`, auth)) === 200},
    );
    const url = server.url.replace("http:", "https:");
    assert.equal(await status(`${url}/api/v1/query?query=1`, auth), 200);
    assert.equal(await status(`${url}/api/v1/query?query=1`, {...auth, auth: "ada:wrong"}), 401);
    assert.equal(await status(`${url}/metrics`, {...auth, auth: null}), 401);
    await assert.rejects(status(`${url}/-/ready`, {auth: auth.auth}), /certificate/);
    await assert.rejects(httpReady(`${server.url}/-/ready`)().then((ok) => assert.ok(ok)));
    assert.equal(await server.stop(), 0);
  });
});

async function status(url: string, options: RequestOptions): Promise<number> {
  // A connection of its own: one that is kept would not be asked for a certificate again.
  const request = get(url, {...options, agent: false});
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  return response.statusCode ?? 0;
}
