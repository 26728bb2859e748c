import assert from "node:assert/strict";
import {spawn} from "node:child_process";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {health} from "@strata/proto";
import {GrpcClient, rpcMetrics} from "@strata/storeapi";
import {newRegistry} from "@strata/telemetry";

const FIXTURE = join(import.meta.dirname, "testing/runtime-fixture.ts");
const LISTEN = ["--http-address=127.0.0.1:0", "--grpc-address=127.0.0.1:0", "--log.format=json"];

type Line = Readonly<Record<string, unknown>>;

/** A fixture process; `line` resolves with the first log line whose message matches. */
function start(t: TestContext, mode = "", ...args: readonly string[]) {
  const child = spawn(process.execPath, [FIXTURE, ...LISTEN, ...args], {
    env: {...process.env, FIXTURE_MODE: mode},
    stdio: ["ignore", "inherit", "pipe"],
  });
  t.after(() => void child.kill("SIGKILL"));
  const lines: Line[] = [];
  const waiting: {match: RegExp; resolve: (line: Line) => void}[] = [];
  let partial = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    const parts = (partial + text).split("\n");
    partial = parts.pop() ?? "";
    for (const part of parts) {
      const line = JSON.parse(part) as Line;
      lines.push(line);
      for (const w of waiting) if (w.match.test(String(line.msg))) w.resolve(line);
    }
  });
  const exited = new Promise<number | string>((resolve) =>
    child.on("close", (code, signal) => resolve(signal ?? code ?? -1)),
  );
  const line = (match: RegExp): Promise<Line> => {
    const known = lines.find((l) => match.test(String(l.msg)));
    if (known !== undefined) return Promise.resolve(known);
    const found = Promise.withResolvers<Line>();
    waiting.push({match, resolve: found.resolve});
    void exited.then((code) => found.reject(new Error(`ended with ${code} before ${match}: ${JSON.stringify(lines)}`)));
    return found.promise;
  };
  const url = async () => String((await line(/^listening for requests/)).address);
  return {child, lines, line, exited, url};
}

test("a component serves probes, metrics and status, and ends with 0 on SIGTERM after its requests", async (t) => {
  const {child, line, lines, exited, url} = start(t);
  const base = await url();
  await line(/^listening for StoreAPI/);
  assert.equal(await (await fetch(`${base}/-/ready`)).text(), "OK");
  const metrics = await (await fetch(`${base}/metrics`)).text();
  assert.match(metrics, /^thanos_status\{check="ready",component="fixture"\} 1$/m);
  assert.match(metrics, /^thanos_build_info\{/m);
  assert.match(metrics, /^grpc_server_handled_total\{/m);
  const build = (await (await fetch(`${base}/api/v1/status/buildinfo`)).json()) as {data: {version: string}};
  assert.match(build.data.version, /^\d/);
  const slow = fetch(`${base}/slow`);
  await line(/^slow request started/);
  child.kill("SIGTERM");
  assert.equal(await (await slow).text(), "finished");
  assert.equal(await exited, 0);
  const order = ["caught signal, stopping", "closed", "exiting"].map((m) => lines.findIndex((l) => l.msg === m));
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );
  assert.ok(!order.includes(-1));
});

test("a request that does not finish is cut off after the grace period", async (t) => {
  const {child, line, exited, url} = start(t, "stuck", "--http-grace-period=50ms", "--grpc-grace-period=50ms");
  const slow = assert.rejects(fetch(`${await url()}/slow`), /fetch failed/);
  await line(/^slow request started/);
  child.kill("SIGINT");
  await slow;
  assert.equal(await exited, 0);
});

test("a second signal ends the process at once", async (t) => {
  const {child, line, exited, url} = start(t, "stuck");
  void fetch(`${await url()}/slow`).catch(() => {});
  await line(/^slow request started/);
  child.kill("SIGTERM");
  await line(/^caught signal/);
  const again = setInterval(() => child.kill("SIGTERM"), 50);
  t.after(() => clearInterval(again));
  assert.equal(await exited, 143);
});

test("gRPC health is served, and calls are logged as configured", async (t) => {
  const config =
    "grpc: {options: {level: INFO, decision: {log_start: true, log_end: true}}, config: [{service: grpc.health.v1.Health}]}";
  const {child, line, exited} = start(t, "", `--request.logging-config=${config}`);
  const address = `127.0.0.1:${(await line(/^listening for StoreAPI/)).port}`;
  const client = new GrpcClient({address, metrics: rpcMetrics(newRegistry(), "client")});
  const {status} = await client.unary(health.HealthService.Check, {service: ""}, {signal: AbortSignal.timeout(5000)});
  assert.equal(status, 1, "SERVING");
  const finished = await line(/^finished call/);
  assert.equal((await line(/^started call/))["grpc.method"], "Check");
  assert.deepEqual([finished["grpc.service"], finished["grpc.code"]], ["grpc.health.v1.Health", "OK"]);
  client.close();
  child.kill("SIGTERM");
  assert.equal(await exited, 0);
});

test("SIGHUP reloads and goes on", async (t) => {
  const {child, line, exited, url} = start(t);
  await url();
  await line(/^listening for StoreAPI/);
  child.kill("SIGHUP");
  await line(/^reloaded/);
  child.kill("SIGTERM");
  assert.equal(await exited, 0);
});

test("failures in set-up, at run and unhandled ones are logged and end with 1", async (t) => {
  for (const [mode, message, err] of [
    ["setup-fails", "preparing fixture command failed", "no such thing"],
    ["run-fails", "fixture command failed", "work went wrong"],
    ["unhandled", "unexpected fault, ending", "forgotten"],
  ] as const) {
    const {lines, exited} = start(t, mode);
    assert.equal(await exited, 1, mode);
    const line = lines.find((l) => l.level === "error");
    assert.deepEqual([line?.msg, line?.err], [message, err]);
  }
});

test("an unreadable configuration is a failure of set-up that names flag and file", async (t) => {
  const {lines, exited} = start(t, "", "--tracing.config-file=/nowhere.yml");
  assert.equal(await exited, 1);
  assert.match(
    String(lines.find((l) => l.level === "error")?.err),
    /cannot read the file of --tracing.config-file: ENOENT.*nowhere.yml/,
  );
});
