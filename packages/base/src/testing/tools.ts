import {spawnSync} from "node:child_process";
import {accessSync, constants} from "node:fs";
import {delimiter, join} from "node:path";
import {repoRoot} from "./paths.ts";

/**
 * A program that tests use. `skip` goes straight into the options of a test: `test("…", {skip: tool.skip}, …)`. It is
 * false when the program is there. A reason that begins with `missing:` names something that `npm run setup:test`
 * installs (with CI=true the runner counts such a skip as a failure); one that begins with `optional:` is always fine.
 */
export type Tool = {readonly path: string; readonly skip: string | false};

const venv = join(repoRoot, ".cache/venv/bin");

/** The names a tool may have on PATH, best first; `setup` are those that `npm run setup:test` installs. */
const setup = {
  prometheus: ["prometheus"],
  promtool: ["promtool"],
  alertmanager: ["prometheus-alertmanager", "alertmanager"],
  amtool: ["amtool"],
  "node-exporter": ["prometheus-node-exporter", "node_exporter"],
  pushgateway: ["prometheus-pushgateway", "pushgateway"],
  "redis-server": ["redis-server"],
  memcached: ["memcached"],
  chromium: ["chromium", "chromium-browser", "google-chrome"],
  // An S3 server.
  moto: ["moto_server"],
  // A GCS server.
  "gcp-storage-emulator": ["gcp-storage-emulator"],
} as const satisfies Record<string, readonly string[]>;

const optional = {
  thanos: ["thanos"],
  docker: ["docker"],
  helm: ["helm"],
  kubectl: ["kubectl"],
  "systemd-analyze": ["systemd-analyze"],
  /** A Prometheus of version 3, under its own name or as the `prometheus` on PATH. */
  prometheus3: ["prometheus3", "prometheus-3", "prometheus"],
  /** The promtool of a Prometheus 3. */
  promtool3: ["promtool3", "promtool-3", "promtool"],
} as const satisfies Record<string, readonly string[]>;

export type ToolName = keyof typeof setup | keyof typeof optional;

const found = new Map<ToolName, Tool>();

/** Looks a program up, once per process. Never throws: what is not there has a skip reason and an empty path. */
export function requireTool(name: ToolName): Tool {
  let tool = found.get(name);
  if (!tool) {
    tool = name in optional ? findOptional(name as keyof typeof optional) : findInstalled(name as keyof typeof setup);
    found.set(name, tool);
  }
  return tool;
}

/** The first reason among several tools, or false: `{skip: anySkip(redis, memcached)}`. */
export function anySkip(...tools: readonly Tool[]): string | false {
  for (const tool of tools) if (tool.skip) return tool.skip;
  return false;
}

function findInstalled(name: keyof typeof setup): Tool {
  for (const file of setup[name]) {
    const path = which(file);
    if (path) return {path, skip: false};
  }
  return {path: "", skip: `missing: ${name} is not installed; npm run setup:test installs it`};
}

function findOptional(name: keyof typeof optional): Tool {
  const three = name.endsWith("3");
  for (const file of optional[name]) {
    const path = which(file);
    if (path && (!three || isVersion3(path))) return {path, skip: false};
  }
  const want = three ? `${name.slice(0, -1)} of version 3` : name;
  return {path: "", skip: `optional: no ${want} on PATH`};
}

function isVersion3(path: string): boolean {
  const result = spawnSync(path, ["--version"], {encoding: "utf8", timeout: 10_000});
  return /version 3\./.test(`${result.stdout}${result.stderr}`);
}

function which(file: string): string | undefined {
  // Debian keeps some servers in sbin, which an ordinary user's PATH lacks.
  const dirs = [venv, ...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  for (const dir of dirs) {
    if (dir === "") continue;
    const path = join(dir, file);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here: the next folder.
    }
  }
  return undefined;
}
