// npm run bench -- frontend [--reps=7] [--series=10000] [--week-series=1000]: a dashboard of twelve panels over a day through the query-frontend,
// refreshed every 30 s; one panel out of the cache; what the front end adds to a small query; a week split and sharded over
// two queriers against one querier alone. Where a thanos is on PATH its front end stands before the same queriers.
import assert from "node:assert/strict";
import {mkdtempSync, rmSync} from "node:fs";
import http from "node:http";
import type {AddressInfo} from "node:net";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {freePort, httpReady, type Server, spawnServer, type TestScope} from "@strata/base/testing";
import {FLEET_END, fleetBucket, REPLICA_LABEL} from "./support/fleet.ts";
import {bySystem, record} from "./support/record.ts";
import {
  cpuSeconds,
  type Program,
  programs,
  residentMb,
  startQuerier,
  startStore,
  withScope,
} from "./support/systems.ts";
import {flag, median, ms, printTable, ratio} from "./support/table.ts";

const REPS = flag("reps", 7);
const SERIES = flag("series", 10_000);
const WEEK_SERIES = flag("week-series", Math.ceil(SERIES / 10));
const DAY_S = 86_400;
const CACHE = "{type: IN-MEMORY, config: {max_size: 512MB}}";

const PANELS = [
  "sum by (job) (rate(http_requests_total[5m]))",
  "sum by (code) (rate(http_requests_total[5m]))",
  'sum by (job) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (job) (rate(http_requests_total[5m]))',
  "histogram_quantile(0.99, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m])))",
  "histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
  "max by (namespace) (node_memory_MemAvailable_bytes)",
  "avg by (namespace) (node_load1)",
  "sum by (mode) (rate(node_cpu_seconds_total[5m]))",
  "count by (job) (up)",
  "topk(5, sum by (pod) (rate(http_requests_total[5m])))",
  "node_load1",
  "max_over_time(node_load1[30m])",
];

type Frontend = {readonly name: string; readonly url: string; readonly server: Server};

async function startFrontend(
  t: TestScope,
  p: Program,
  downstream: string,
  flags: readonly string[],
): Promise<Frontend> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = await spawnServer(t, {
    command: p.command,
    args: [
      ...[...p.args, "query-frontend", ...p.flags],
      `--http-address=127.0.0.1:${port}`,
      `--query-frontend.downstream-url=${downstream}`,
      ...flags,
    ],
    name: `${p.name} query-frontend`,
    ready: httpReady(`${url}/-/ready`),
    deadlineMs: 60_000,
  });
  return {name: p.name, url, server};
}

async function range(url: string, query: string, start: number, end: number, step: number): Promise<string> {
  const form = new URLSearchParams({query, start: String(start), end: String(end), step: String(step)});
  const answer = await fetch(`${url}/api/v1/query_range`, {method: "POST", body: form});
  const text = await answer.text();
  assert.equal(answer.status, 200, `${query}: ${text.slice(0, 300)}`);
  return text;
}

const agent = new http.Agent({keepAlive: true});

/** Asks and counts the answer's bytes, which costs next to nothing: making a text of some MB takes longer than the answer. */
function rangeBytes(url: string, query: string, start: number, end: number, step: number): Promise<number> {
  const form = new URLSearchParams({query, start: String(start), end: String(end), step: String(step)});
  const headers = {"content-type": "application/x-www-form-urlencoded"};
  return new Promise((resolve, reject) => {
    const call = http.request(`${url}/api/v1/query_range`, {method: "POST", agent, headers}, (answer) => {
      let bytes = 0;
      answer.on("data", (piece: Buffer) => {
        bytes += piece.length;
      });
      answer.once("end", () => {
        if (answer.statusCode === 200) resolve(bytes);
        else reject(new Error(`${query}: status ${answer.statusCode}`));
      });
    });
    call.once("error", reject);
    call.end(form.toString());
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

const sortedResult = (text: string): string => {
  const {result} = (JSON.parse(text) as {data: {result: {metric: object}[]}}).data;
  return JSON.stringify(result.map((one) => JSON.stringify(one)).sort());
};

/** All panels at once, as a browser asks for them. */
const dashboard = (url: string, end: number): Promise<number> =>
  timed(() => Promise.all(PANELS.map((query) => range(url, query, end - DAY_S, end, 60))));

async function benchDashboard(frontends: readonly Frontend[], querier: string): Promise<void> {
  const end = FLEET_END / 1000 - 3600;
  for (const query of PANELS) {
    const [want, ...got] = await Promise.all(
      [querier, ...frontends.map(({url}) => url)].map((url) => range(url, query, end - DAY_S, end, 60)),
    );
    for (const text of got) assert.equal(sortedResult(text), sortedResult(want as string), query);
  }
  const rows: string[][] = [];
  const times = new Map<string, number[]>(frontends.map(({name}) => [name, []]));
  for (let rep = 1; rep <= REPS; rep++) {
    for (const {name, url} of frontends) times.get(name)?.push(await dashboard(url, end + rep * 60));
  }
  const panel = new Map<string, number[]>(frontends.map(({name}) => [name, []]));
  const wide = "max_over_time(node_load1[30m])";
  const {result} = (JSON.parse(await range(querier, wide, end - DAY_S, end, 60)) as {data: {result: unknown[]}}).data;
  for (let rep = 0; rep < REPS * 3; rep++) {
    for (const {name, url} of frontends)
      panel.get(name)?.push(await timed(() => rangeBytes(url, wide, end - DAY_S, end, 60)));
  }
  for (const [what, by] of [
    ["refresh of 12 panels", times],
    [`panel of ${result.length} series out of the cache`, panel],
  ] as const) {
    const medians = frontends.map(({name}) => median(by.get(name) ?? []));
    record(
      what,
      "ms",
      bySystem(frontends, medians, (m) => m),
    );
    rows.push([what, ...medians.map(ms), medians.length > 1 ? ratio(medians[0] as number, medians[1] as number) : ""]);
  }
  printTable(["dashboard over 24 h", ...frontends.map(({name}) => `${name} ms`), "time"], rows);
}

/** A small query, straight and through the front end; nothing of it is cached. */
async function benchOverhead(frontends: readonly Frontend[], querier: string): Promise<void> {
  const end = FLEET_END / 1000 - 3600;
  const queries = (url: string, i: number) => rangeBytes(url, `count(up) + ${i}`, end - 300, end, 60);
  const straight: number[] = [];
  const through = new Map<string, number[]>(frontends.map(({name}) => [name, []]));
  for (let i = 0; i < REPS * 10; i++) {
    straight.push(await timed(() => queries(querier, i)));
    for (const [k, {name, url}] of frontends.entries())
      through.get(name)?.push(await timed(() => queries(url, i + (k + 1) * 1000)));
  }
  const base = median(straight);
  record(
    "added to a small query",
    "ms",
    bySystem(frontends, frontends, ({name}) => median(through.get(name) ?? []) - base),
  );
  printTable(
    ["small query", "ms", "added ms"],
    [
      ["querier", ms(base), ""],
      ...frontends.map(({name}) => {
        const own = median(through.get(name) ?? []);
        return [`${name} front end`, ms(own), ms(own - base)];
      }),
    ],
  );
}

/** Deals connections out to several servers in turn. */
async function balancer(t: TestScope, urls: readonly string[]): Promise<string> {
  let next = 0;
  const server = http.createServer((req, res) => {
    const url = new URL(req.url ?? "/", urls[next++ % urls.length]);
    const call = http.request(url, {method: req.method, headers: req.headers}, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    req.pipe(call);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function benchWeek(
  scope: TestScope,
  strata: Program,
  store: Awaited<ReturnType<typeof startStore>>,
): Promise<void> {
  const queriers = [
    await startQuerier(scope, strata, [store], REPLICA_LABEL),
    await startQuerier(scope, strata, [store], REPLICA_LABEL),
  ];
  const shared = await balancer(
    scope,
    queriers.map(({url}) => url),
  );
  const front = await startFrontend(scope, strata, shared, [
    "--query-range.split-interval=24h",
    "--query-frontend.vertical-shards=2",
  ]);
  const end = FLEET_END / 1000 - 3600;
  const query = "sum by (job, code) (rate(http_requests_total[5m]))";
  const ask = (url: string) => () => range(url, query, end - 7 * DAY_S, end, 300);
  const pids = [store, ...queriers, front.server].map(({pid}) => pid);
  const cpu = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const one = {url: (queriers[0] as {url: string}).url, times: [] as number[], cpuMs: 0};
  const both = {url: front.url, times: [] as number[], cpuMs: 0};
  for (let rep = -REPS; rep < REPS; rep++) {
    for (const run of [one, both]) {
      const before = cpu();
      const time = await timed(ask(run.url));
      // Before that code was compiled, and rows were not known.
      if (rep < 0) continue;
      run.times.push(time);
      run.cpuMs += ((cpu() - before) / REPS) * 1000;
    }
  }
  record("7 days, split over two queriers", "ms", {strata: median(both.times), "one querier": median(one.times)});
  record(
    "7 days, split over two queriers, CPU",
    "ms",
    {strata: both.cpuMs, "one querier": one.cpuMs},
    {measure: "CPU"},
  );
  printTable(
    ["7 days", "ms", "CPU ms"],
    [
      ["one querier", ms(median(one.times)), ms(one.cpuMs)],
      ["front end, two queriers", ms(median(both.times)), ms(both.cpuMs)],
      ["of the one's", ratio(median(both.times), median(one.times)), ratio(both.cpuMs, one.cpuMs)],
    ],
  );
}

await withScope(async (scope) => {
  const bucket = await fleetBucket(scope, {series: SERIES, hours: 26, stepMs: 15_000});
  const dir = mkdtempSync(join(tmpdir(), "strata-bench-"));
  scope.after(() => rmSync(dir, {recursive: true}));
  const all = programs();
  const strata = all[0] as Program;
  const store = await startStore(scope, strata, bucket, join(dir, "store"));
  const querier = await startQuerier(scope, strata, [store], REPLICA_LABEL);
  const flags = [`--query-range.response-cache-config=${CACHE}`];
  const frontends: Frontend[] = [];
  for (const program of all) frontends.push(await startFrontend(scope, program, querier.url, flags));
  await benchDashboard(frontends, querier.url);
  console.log();
  await benchOverhead(frontends, querier.url);
  console.log();
  record(
    "query-frontend",
    "MB",
    bySystem(frontends, frontends, ({server}) => residentMb(server.pid).peak),
    {measure: "peak memory"},
  );
  for (const {name, server} of frontends)
    console.log(`${name} query-frontend: peak ${residentMb(server.pid).peak.toFixed(0)} MB`);
  const week = await fleetBucket(scope, {series: WEEK_SERIES, hours: 170, stepMs: 60_000});
  const weekStore = await startStore(scope, strata, week, join(dir, "week"));
  console.log();
  await benchWeek(scope, strata, weekStore);
});
