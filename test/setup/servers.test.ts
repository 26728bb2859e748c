// Each server that `npm run setup:test` installs starts and answers, so that a test that needs it fails for its own
// reasons only.
import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {freePort, httpReady, requireTool, spawnServer, type ToolName, tcpReady, tempDir} from "@strata/base/testing";

/** Arguments for an address of 127.0.0.1 and a folder to write to, and a path that answers over HTTP when there is one. */
type Case = {readonly args: (port: number, dir: string) => readonly string[]; readonly path?: string};

const cases: Partial<Record<ToolName, Case>> = {
  prometheus: {
    args: (port, dir) => [
      `--config.file=${emptyFile(dir, "prometheus.yml")}`,
      `--storage.tsdb.path=${dir}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    path: "/-/ready",
  },
  alertmanager: {
    args: (port, dir) => [
      `--config.file=${emptyFile(dir, "alertmanager.yml", "route: {receiver: none}\nreceivers: [{name: none}]\n")}`,
      `--storage.path=${dir}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--cluster.listen-address=",
    ],
    path: "/-/ready",
  },
  "node-exporter": {args: (port) => [`--web.listen-address=127.0.0.1:${port}`], path: "/"},
  pushgateway: {args: (port) => [`--web.listen-address=127.0.0.1:${port}`], path: "/-/ready"},
  "redis-server": {args: (port, dir) => ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir", dir]},
  memcached: {args: (port) => ["-p", `${port}`, "-l", "127.0.0.1", "-U", "0", "-u", "nobody"]},
  moto: {args: (port) => ["-H", "127.0.0.1", "-p", `${port}`], path: "/moto-api/"},
  "gcp-storage-emulator": {
    args: (port) => ["start", "--host=127.0.0.1", `--port=${port}`, "--in-memory"],
    path: "/storage/v1/b?project=test",
  },
};

for (const [name, {args, path}] of Object.entries(cases)) {
  const tool = requireTool(name as ToolName);
  test(`${name} starts and answers`, {skip: tool.skip}, async (t: TestContext) => {
    const port = await freePort();
    const ready = path === undefined ? tcpReady(port) : httpReady(`http://127.0.0.1:${port}${path}`);
    const server = await spawnServer(t, {command: tool.path, args: args(port, tempDir(t)), name, ready});
    assert.ok(server.pid > 0);
  });
}

const chromium = requireTool("chromium");
test("chromium renders a page", {skip: chromium.skip}, (t) => {
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${tempDir(t)}`];
  const script = 'data:text/html,<script>document.title = "t" + 6 * 7</script>';
  const dom = execFileSync(chromium.path, [...flags, "--dump-dom", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 60_000,
  });
  assert.match(dom, /<title>t42<\/title>/);
});

function emptyFile(dir: string, name: string, content = ""): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}
