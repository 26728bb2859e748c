import assert from "node:assert/strict";
import {mkdirSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {freePort, httpReady, requireTool, spawnServer, type TestScope, tempDir} from "@strata/base/testing";
import {HttpClient} from "@strata/http-client";
import {httpReload, signalReload} from "./reload-trigger.ts";

const prometheus = requireTool("prometheus");

async function startPrometheus(t: TestScope, ...flags: string[]) {
  const dir = tempDir(t);
  const config = join(dir, "prometheus.yml");
  writeFileSync(config, "global: {external_labels: {a: '1'}}\n");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = await spawnServer(t, {
    command: prometheus.path,
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(dir, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      ...flags,
    ],
    ready: httpReady(`${url}/-/ready`),
  });
  const client = new HttpClient(new URL(url), {});
  t.after(() => client.close());
  const loaded = async (): Promise<string> => {
    const body = await client.body(
      {method: "GET", path: "/api/v1/status/config"},
      1 << 20,
      new AbortController().signal,
    );
    return (JSON.parse(body.toString()) as {data: {yaml: string}}).data.yaml;
  };
  return {dir, config, server, client, loaded};
}

const never = new AbortController().signal;

test("http: a real Prometheus has the new configuration afterwards", {skip: prometheus.skip}, async (t) => {
  const {config, client, loaded} = await startPrometheus(t, "--web.enable-lifecycle");
  writeFileSync(config, "global: {external_labels: {a: '2'}}\n");
  await httpReload(client).reload(never);
  assert.match(await loaded(), /a: "2"/);
  writeFileSync(config, "nonsense: true\n");
  await assert.rejects(httpReload(client).reload(never), /status 500: failed to reload config/);
});

test("http: a Prometheus without its lifecycle API is told apart", {skip: prometheus.skip}, async (t) => {
  const {client} = await startPrometheus(t);
  await assert.rejects(httpReload(client).reload(never), /start it with --web\.enable-lifecycle/);
});

test("signal: the named process gets SIGHUP, success and refusal are told apart", {
  skip: prometheus.skip,
}, async (t) => {
  const {dir, config, server, client, loaded} = await startPrometheus(t);
  // Other processes of that name are none of this test's.
  const proc = join(dir, "proc");
  mkdirSync(join(proc, String(server.pid)), {recursive: true});
  writeFileSync(join(proc, String(server.pid), "comm"), "prometheus\n");
  const trigger = signalReload("prometheus", client, proc);
  writeFileSync(config, "global: {external_labels: {a: '2'}}\n");
  await trigger.reload(never);
  assert.match(await loaded(), /a: "2"/);
  writeFileSync(config, "nonsense: true\n");
  await assert.rejects(trigger.reload(never), /it refuses the new configuration/);
  await assert.rejects(signalReload("absent", client, proc).reload(never), /there is no process "absent"/);
});
