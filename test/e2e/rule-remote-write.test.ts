import assert from "node:assert/strict";
import {writeFileSync} from "node:fs";
import {type IncomingMessage, request, type ServerResponse} from "node:http";
import {join} from "node:path";
import {test} from "node:test";
import {freePort, tempDir} from "@strata/base/testing";
import {serve} from "./rule/fleet.ts";
import {endpointSeen, strata, until} from "./strata.ts";

const RULES = `groups:
- name: g
  interval: 1s
  rules:
  - {record: "one:is", expr: vector(1)}
  - {alert: Always, expr: "vector(1) > 0", labels: {severity: page}}
`;

type Vector = {data: {result: {metric: Record<string, string>; value: [number, string]}[]}};

/** A proxy in front of everything that is asked through it; a name is this machine. What it hands over lands in `seen`. */
const proxying = (seen: IncomingMessage[]) => (incoming: IncomingMessage, response: ServerResponse) => {
  seen.push(incoming);
  const {port, pathname} = new URL(incoming.url ?? "");
  const {method, headers} = incoming;
  const onward = request({host: "127.0.0.1", port, path: pathname, method, headers}, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  incoming.pipe(onward);
};

test("a ruler without blocks writes to a receiver by 2.0, with tokens and through a proxy", async (t) => {
  const dir = tempDir(t);
  const [grpc, write] = [await freePort(), await freePort()];
  await strata(t, "receive", [
    `--tsdb.path=${join(dir, "receive")}`,
    '--label=receive_replica="r0"',
    `--remote-write.address=127.0.0.1:${write}`,
    `--grpc-address=127.0.0.1:${grpc}`,
    "--grpc-grace-period=1s",
  ]);
  const query = await strata(t, "query", [
    `--endpoint=127.0.0.1:${grpc}`,
    `--grpc-address=127.0.0.1:${await freePort()}`,
    "--grpc-grace-period=1s",
  ]);
  await endpointSeen(query.url, "receive", query);
  const seen: IncomingMessage[] = [];
  const proxy = await serve(t, proxying(seen));
  const tokens = await serve(t, (_, response) => {
    response.setHeader("content-type", "application/json");
    response.end('{"access_token":"secret-token","expires_in":3600}');
  });
  writeFileSync(join(dir, "rules.yml"), RULES);
  writeFileSync(join(dir, "client-secret"), "s\n");
  const remote = {
    url: `http://receiver.test:${write}/api/v1/receive`,
    protobuf_message: "io.prometheus.write.v2.Request",
    proxy_url: proxy,
    oauth2: {client_id: "ruler", client_secret_file: join(dir, "client-secret"), token_url: tokens},
    queue_config: {batch_send_deadline: "100ms"},
  };
  const ruler = await strata(t, "rule", [
    `--data-dir=${join(dir, "rule")}`,
    `--rule-file=${join(dir, "rules.yml")}`,
    `--query=${query.url}`,
    '--label=ruler="r"',
    `--remote-write.config=${JSON.stringify({remote_write: [remote]})}`,
    `--grpc-address=127.0.0.1:${await freePort()}`,
  ]);
  const ask = async (expr: string): Promise<Vector["data"]["result"]> => {
    const answer = await fetch(`${query.url}/api/v1/query?${new URLSearchParams({query: expr})}`);
    return ((await answer.json()) as Vector).data.result;
  };
  await until(
    async () => (await ask('count_over_time({__name__="one:is", ruler="r"}[1m])'))[0] !== undefined,
    "samples",
    ruler,
  );
  await until(
    async () => (await ask('ALERTS{alertstate="firing", severity="page", ruler="r"}')).length === 1,
    "alerts",
    ruler,
  );
  const [sample] = await ask('{__name__="one:is"}');
  assert.deepEqual(sample?.value[1], "1");
  for (const {url, headers} of seen) {
    assert.equal(url, remote.url);
    assert.equal(headers.authorization, "Bearer secret-token");
    assert.equal(headers["content-type"], "application/x-protobuf;proto=io.prometheus.write.v2.Request");
  }
  const metrics = await (await fetch(`${ruler.url}/metrics`)).text();
  assert.match(metrics, /prometheus_remote_storage_samples_total\{[^}]*\} [1-9]/);
  assert.doesNotMatch(metrics, /prometheus_remote_storage_samples_failed_total\{[^}]*\} [1-9]/);
});
