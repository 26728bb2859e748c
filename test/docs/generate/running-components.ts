import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {createServer} from "node:http";
import type {AddressInfo} from "node:net";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {setTimeout as delay} from "node:timers/promises";
import {pathToFileURL} from "node:url";
import {freePort, httpReady, repoRoot, requireTool, spawnServer, type TestScope} from "@strata/base/testing";
import {snappyEncode} from "@strata/bytes";
import {startCacheServer} from "@strata/cache/testing";
import {prompb} from "@strata/proto";
import type {NotedMetric} from "./note-metrics.ts";

/** Metrics by component, sorted by name. */
export type MetricsOf = ReadonlyMap<string, readonly NotedMetric[]>;

/** What each component registers, and what its /metrics showed soon after it had started. */
export type RunningComponents = {readonly metrics: MetricsOf; readonly expositions: readonly string[]};

type Place = {readonly dir: string; readonly bucket: string};
/** What a component is started with, and what makes it register the rest once it is ready. */
type Start = {
  readonly args: readonly string[];
  readonly rouse?: ((url: string) => Promise<unknown>) | undefined;
  /** Metrics that come after readiness: they have to be on /metrics before the list is whole. */
  readonly last?: readonly string[] | undefined;
};

/** Nothing listens there: whom a component would call it need not reach to have its metrics. */
const NOBODY = "http://127.0.0.1:9";

/** Starts every component with all that adds metrics, a few at a time, and notes what each registers and shows. */
export async function metricsOfComponents(t: TestScope): Promise<RunningComponents> {
  const dir = mkdtempSync(join(tmpdir(), "strata-metrics-"));
  t.after(() => rmSync(dir, {recursive: true, force: true}));
  const bucket = join(dir, "bucket");
  mkdirSync(bucket);
  const out = new Map<string, readonly NotedMetric[]>();
  const expositions: string[] = [];
  const queue = Object.entries(COMPONENTS);
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [name, start] = next;
      const place = {dir: join(dir, name.replaceAll(" ", "-")), bucket};
      mkdirSync(place.dir);
      const {metrics, exposition} = await noted(t, name, place, await start(t, place));
      out.set(name, metrics);
      expositions.push(exposition);
    }
  };
  await Promise.all([worker(), worker(), worker()]);
  const metrics = new Map(Object.keys(COMPONENTS).map((name) => [name, out.get(name) ?? []]));
  return {metrics, expositions};
}

async function noted(
  t: TestScope,
  name: string,
  {dir}: Place,
  {args, rouse, last = []}: Start,
): Promise<{metrics: NotedMetric[]; exposition: string}> {
  const notes = join(dir, "notes");
  mkdirSync(notes);
  const port = await freePort();
  const [command = ""] = name.split(",");
  const hook = pathToFileURL(join(import.meta.dirname, "note-metrics.ts")).href;
  const server = await spawnServer(t, {
    command: process.execPath,
    args: [
      join(repoRoot, "cmd/strata/bin/strata.js"),
      ...command.split(" "),
      `--http-address=127.0.0.1:${port}`,
      ...args,
    ],
    cwd: dir,
    env: {NODE_OPTIONS: `--import=${hook}`, STRATA_METRICS_DIR: notes},
    name,
    ready: httpReady(`http://127.0.0.1:${port}/-/ready`),
    deadlineMs: 60_000,
  });
  await rouse?.(`http://127.0.0.1:${port}`);
  const exposition = await untilShown(`http://127.0.0.1:${port}/metrics`, last);
  await server.stop();
  const [file] = readdirSync(notes);
  if (file === undefined) throw new Error(`${name} has left no list of metrics\n${server.logs()}`);
  const metrics = JSON.parse(readFileSync(join(notes, file), "utf8")) as NotedMetric[];
  return {metrics: metrics.sort((a, b) => (a.name < b.name ? -1 : 1)), exposition};
}

async function untilShown(url: string, names: readonly string[]): Promise<string> {
  for (const deadline = Date.now() + 60_000; ; await delay(50)) {
    const text = await (await fetch(url)).text();
    const missing = names.filter((name) => !new RegExp(`^${name}[ {]`, "m").test(text));
    if (missing.length === 0) return text;
    if (Date.now() > deadline) throw new Error(`waited a minute for ${missing.join(", ")} at ${url}`);
  }
}

const objstore = ({bucket}: Place): string =>
  `--objstore.config={type: FILESYSTEM, config: {directory: ${JSON.stringify(bucket)}}}`;

const grpc = async (): Promise<string> => `--grpc-address=127.0.0.1:${await freePort()}`;

/** By what is typed after `strata`, with what makes a second entry of it behind a comma. */
const COMPONENTS: Readonly<Record<string, (t: TestScope, place: Place) => Promise<Start>>> = {
  sidecar: async (t, place) => ({
    args: [
      `--prometheus.url=${await prometheus(t, place.dir)}`,
      `--tsdb.path=${place.dir}`,
      objstore(place),
      await grpc(),
    ],
    last: ["thanos_shipper_uploads_total"],
  }),
  receive,
  store: async (_, place) => ({
    args: [`--data-dir=${place.dir}`, objstore(place), cachingBucket("IN-MEMORY"), await grpc()],
  }),
  "store, Redis": (t, place) => storeWith(t, place, "redis-server"),
  "store, memcached": (t, place) => storeWith(t, place, "memcached"),
  compact: async (_, place) => ({args: ["--wait", `--data-dir=${place.dir}`, objstore(place)]}),
  query: async () => ({args: [await grpc(), "--endpoint=dns+localhost:9"], rouse: askBoth}),
  "query-frontend": async (t) => ({
    args: [
      `--query-frontend.downstream-url=${await readyServer(t)}`,
      "--query-range.response-cache-config={type: IN-MEMORY, config: {max_size: 1MB}}",
      "--labels.response-cache-config={type: IN-MEMORY, config: {max_size: 1MB}}",
    ],
    rouse: askBoth,
  }),
  rule: async (_, place) => ({
    args: [`--data-dir=${place.dir}`, objstore(place), '--label=replica="a"', ...ruleFlags(place), await grpc()],
    last: ["thanos_shipper_uploads_total", "prometheus_tsdb_head_series", "prometheus_rule_evaluations_total"],
  }),
  "rule, remote write": async (_, place) => ({
    args: [
      ...[`--data-dir=${place.dir}`, '--label=replica="a"', ...ruleFlags(place), await grpc()],
      `--remote-write.config={remote_write: [{url: "${NOBODY}/api/v1/write"}]}`,
    ],
  }),
  "tools bucket replicate": async (_, place) => ({
    args: [
      objstore(place),
      `--objstore-to.config={type: FILESYSTEM, config: {directory: ${JSON.stringify(join(place.dir, "copy"))}}}`,
    ],
  }),
  "tools bucket web": async (_, place) => ({args: [objstore(place)]}),
};

/** One query of each kind, answered or not. */
async function askBoth(url: string): Promise<void> {
  const paths = ["query?query=1", "query_range?query=1&start=0&end=1&step=1"];
  for (const path of paths) await (await fetch(`${url}/api/v1/${path}`)).text();
}

/** Answers everything with 200: all that a front end wants of its querier before it is ready. */
async function readyServer(t: TestScope): Promise<string> {
  const server = createServer((_, response) => void response.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.closeAllConnections());
  t.after(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function prometheus(t: TestScope, dir: string): Promise<string> {
  const url = `http://127.0.0.1:${await freePort()}`;
  writeFileSync(join(dir, "prometheus.yml"), "global: {external_labels: {cluster: docs}}\n");
  await spawnServer(t, {
    command: requireTool("prometheus").path,
    args: [
      ...[`--config.file=${join(dir, "prometheus.yml")}`, `--storage.tsdb.path=${dir}`],
      ...["--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h"],
      `--web.listen-address=${new URL(url).host}`,
    ],
    ready: httpReady(`${url}/-/ready`),
  });
  return url;
}

async function receive(_: TestScope, place: Place): Promise<Start> {
  const [write, own] = [await freePort(), await freePort()];
  const body = snappyEncode(
    prompb.WriteRequest.encode({
      timeseries: [{labels: [{name: "__name__", value: "m"}], samples: [{value: 1, timestamp: Date.now()}]}],
    }),
  );
  return {
    args: [
      ...[`--tsdb.path=${place.dir}`, objstore(place), '--label=replica="a"'],
      ...[`--grpc-address=127.0.0.1:${own}`, `--remote-write.address=127.0.0.1:${write}`],
      `--receive.hashrings=[{"endpoints": ["127.0.0.1:${own}"]}]`,
      `--receive.local-endpoint=127.0.0.1:${own}`,
    ],
    last: ["thanos_shipper_uploads_total", "prometheus_tsdb_head_series"],
    // A tenant's database is opened with its first sample.
    rouse: async () => {
      const headers = {"content-encoding": "snappy", "content-type": "application/x-protobuf"};
      const answer = await fetch(`http://127.0.0.1:${write}/api/v1/receive`, {method: "POST", headers, body});
      if (!answer.ok) throw new Error(`remote write: ${answer.status} ${await answer.text()}`);
    },
  };
}

function ruleFlags({dir}: Place): string[] {
  writeFileSync(join(dir, "rules.yml"), "groups: [{name: g, interval: 1s, rules: [{record: r, expr: vector(1)}]}]\n");
  return [`--rule-file=${join(dir, "rules.yml")}`, `--query=${NOBODY}`, `--alertmanagers.url=${NOBODY}`];
}

const cachingBucket = (type: string, config = "{}"): string =>
  `--store.caching-bucket.config={type: ${type}, config: ${config}}`;

async function storeWith(t: TestScope, place: Place, kind: "redis-server" | "memcached"): Promise<Start> {
  const {address} = await startCacheServer(t, kind);
  const [type, config] =
    kind === "memcached" ? ["MEMCACHED", `{addresses: ["${address}"]}`] : ["REDIS", `{addr: "${address}"}`];
  return {
    args: [
      ...[`--data-dir=${place.dir}`, objstore(place), cachingBucket(type, config), await grpc()],
      `--index-cache.config={type: ${type}, config: ${config}}`,
    ],
  };
}
