import {spawnSync} from "node:child_process";
import {cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {freePort, httpReady, type Server, spawnServer, type TestScope} from "@strata/base/testing";
import {onPath, type System} from "./systems.ts";

/** A database that takes remote write and is neither Strata nor Thanos. */
export type Writer = Server & {
  readonly name: string;
  /** Where remote write 1.0 goes: host, port and path. */
  readonly write: string;
  /** Samples that it has taken. */
  readonly taken: () => Promise<number>;
};

/** How the databases of other makes are started that are on PATH: Prometheus and VictoriaMetrics. */
export function otherWriters(): readonly {name: string; start: (t: TestScope) => Promise<Writer>}[] {
  const found = [
    {name: "prometheus", command: onPath("prometheus"), start: prometheusWriter},
    {name: "victoria-metrics", command: onPath("victoria-metrics"), start: victoriaMetrics},
  ];
  return found.flatMap(({name, command, start}) =>
    command === undefined ? [] : [{name, start: (t: TestScope) => start(t, command)}],
  );
}

async function prometheusWriter(t: TestScope, command: string): Promise<Writer> {
  const {server, url, dir} = await startPrometheus(t, command, ["--web.enable-remote-write-receiver"]);
  const taken = () => counterOf(url, /^prometheus_tsdb_head_samples_appended_total\{[^}]*type="float"[^}]*\} (\S+)$/gm);
  t.after(() => rmSync(dir, {recursive: true, force: true}));
  return Object.assign(server, {name: "prometheus", write: `${new URL(url).host}/api/v1/write`, taken});
}

async function victoriaMetrics(t: TestScope, command: string): Promise<Writer> {
  const dir = mkdtempSync(join(tmpdir(), "victoria-bench-"));
  t.after(() => rmSync(dir, {recursive: true, force: true}));
  const address = `127.0.0.1:${await freePort()}`;
  const server = await spawnServer(t, {
    command,
    args: [`-storageDataPath=${dir}`, `-httpListenAddr=${address}`, "-retentionPeriod=100y", "-loggerLevel=ERROR"],
    name: "victoria-metrics",
    ready: httpReady(`http://${address}/health`),
  });
  const taken = () => counterOf(`http://${address}`, /^vm_rows_inserted_total\{type="promremotewrite"\} (\S+)$/gm);
  return Object.assign(server, {name: "victoria-metrics", write: `${address}/api/v1/write`, taken});
}

async function counterOf(url: string, line: RegExp): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return [...text.matchAll(line)].reduce((sum, [, value]) => sum + Number(value), 0);
}

/**
 * A Prometheus over the blocks of a bucket, where one of version 3 is on PATH: it has what a store gateway and a querier
 * have together. Version 2 has other ranges, and so other answers.
 */
export async function prometheusOver(t: TestScope, bucket: string): Promise<readonly System[]> {
  const command = onPath("prometheus");
  if (command === undefined || !isVersion3(command)) return [];
  const dir = mkdtempSync(join(tmpdir(), "prometheus-bench-"));
  t.after(() => rmSync(dir, {recursive: true, force: true}));
  linkTree(bucket, join(dir, "data"));
  const {server, url} = await startPrometheus(t, command, ["--storage.tsdb.retention.time=100y"], dir);
  return [{name: "prometheus", url, parts: [{name: "prometheus", server}]}];
}

/** A build by hand names no version: a flag that no Prometheus 2 has tells them apart. */
function isVersion3(command: string): boolean {
  const {stdout, stderr} = spawnSync(command, ["--help"], {encoding: "utf8", timeout: 10_000});
  return `${stdout}${stderr}`.includes("web.enable-otlp-receiver");
}

async function startPrometheus(
  t: TestScope,
  command: string,
  flags: readonly string[],
  dir: string = mkdtempSync(join(tmpdir(), "prometheus-bench-")),
): Promise<{server: Server; url: string; dir: string}> {
  const url = `http://127.0.0.1:${await freePort()}`;
  writeFileSync(join(dir, "prometheus.yml"), "global: {scrape_interval: 1h}\n");
  const server = await spawnServer(t, {
    command,
    args: [
      ...[`--config.file=${join(dir, "prometheus.yml")}`, `--storage.tsdb.path=${join(dir, "data")}`],
      ...[`--web.listen-address=${new URL(url).host}`, "--log.level=error", ...flags],
    ],
    name: "prometheus",
    ready: httpReady(`${url}/-/ready`),
    deadlineMs: 60_000,
  });
  return {server, url, dir};
}

/** The same files under another path: a database deletes and merges what it finds. */
function linkTree(from: string, to: string): void {
  mkdirSync(to, {recursive: true});
  for (const entry of readdirSync(from, {withFileTypes: true})) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkTree(source, target);
    else if (entry.name === "meta.json") cpSync(source, target);
    else linkSync(source, target);
  }
}
