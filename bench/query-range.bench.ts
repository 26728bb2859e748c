// npm run bench -- query-range [--reps=5] [--series=10000]: queries over a day of a fleet's metrics through store gateway
// and querier, both as processes of their own. Where a thanos is on PATH it answers the same queries in turn; its answers
// have to be the same, and the ratios are printed.
import assert from "node:assert/strict";
import {mkdtempSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import type {Server, TestScope} from "@strata/base/testing";
import {FLEET_END, REPLICA_LABEL, writeFleet} from "./support/fleet.ts";
import {
  cpuSeconds,
  type Program,
  programs,
  residentMb,
  settle,
  startQuerier,
  startStore,
  withScope,
} from "./support/systems.ts";
import {flag, median, ms, printTable, ratio} from "./support/table.ts";

const REPS = flag("reps", 5);
/** 144 instances: 1,440 series of http_requests_total among them. */
const SERIES = flag("series", 10_000);
const HOURS = 24;

type Query = {readonly name: string; readonly hours: number; readonly step: number; readonly expr: string};

const QUERIES: readonly Query[] = [
  {name: "sum of rates, 24 h", hours: 24, step: 60, expr: "sum by (job) (rate(http_requests_total[5m]))"},
  {name: "sum of rates, now", hours: 0, step: 0, expr: "sum by (job) (rate(http_requests_total[5m]))"},
  {name: "sum of rates, 1 h", hours: 1, step: 15, expr: "sum by (job) (rate(http_requests_total[5m]))"},
  {name: "sum of rates, 6 h", hours: 6, step: 30, expr: "sum by (job, code) (rate(http_requests_total[5m]))"},
  {
    name: "histogram quantile, 6 h",
    hours: 6,
    step: 60,
    expr: "histogram_quantile(0.99, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m])))",
  },
  {name: "raw gauges, 24 h", hours: 24, step: 120, expr: "node_load1"},
  {
    name: "max over time, 24 h",
    hours: 24,
    step: 300,
    expr: "max by (namespace) (max_over_time(node_memory_MemAvailable_bytes[1h]))",
  },
  {
    name: "error ratio, 24 h",
    hours: 24,
    step: 120,
    expr: 'sum by (job) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (job) (rate(http_requests_total[5m]))',
  },
  {
    name: "topk, 6 h",
    hours: 6,
    step: 60,
    expr: 'topk(5, sum by (pod) (rate(node_cpu_seconds_total{mode!="idle"}[5m])))',
  },
  {name: "count of everything, 24 h", hours: 24, step: 300, expr: 'count({__name__=~".+"})'},
];

type System = {readonly name: string; readonly url: string; readonly parts: readonly {name: string; server: Server}[]};
type Measured = {readonly wall: number[]; cpu: number};

await withScope(async (scope) => {
  const dir = mkdtempSync(join(tmpdir(), "strata-bench-"));
  scope.after(() => rmSync(dir, {recursive: true}));
  const bucket = join(dir, "bucket");
  const begun = performance.now();
  await writeFleet(bucket, {series: SERIES, hours: HOURS, stepMs: 15_000});
  console.log(`${SERIES} series × ${HOURS} h written in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  await settle();
  const systems: System[] = [];
  for (const program of programs()) systems.push(await start(scope, program, bucket, join(dir, program.name)));
  const results: Measured[][] = [];
  for (const query of QUERIES) results.push(await measure(query, systems));
  printQueries(systems, results);
  printMemory(systems);
});

async function start(scope: TestScope, program: Program, bucket: string, data: string): Promise<System> {
  const store = await startStore(scope, program, bucket, data);
  const querier = await startQuerier(scope, program, store, REPLICA_LABEL);
  return {
    name: program.name,
    url: querier.url,
    parts: [
      {name: "store", server: store},
      {name: "query", server: querier},
    ],
  };
}

/** Each system in turn, so that all suffer alike from what else the machine does. The first round only warms up. */
async function measure(query: Query, systems: readonly System[]): Promise<Measured[]> {
  const out = systems.map((): Measured => ({wall: [], cpu: 0}));
  const first: Answer[] = [];
  for (let rep = 0; rep <= REPS; rep++) {
    for (const [i, system] of systems.entries()) {
      const cpu0 = cpuOf(system);
      const wall0 = performance.now();
      const body = await ask(system.url, query);
      const wall = performance.now() - wall0;
      if (rep === 0) first.push(parseAnswer(body));
      else {
        out[i]?.wall.push(wall);
        (out[i] as Measured).cpu += cpuOf(system) - cpu0;
      }
      if (rep === REPS) assertSame(parseAnswer(body), first[0] as Answer, `${query.name}, ${system.name}`);
    }
  }
  return out;
}

function cpuOf(system: System): number {
  return system.parts.reduce((sum, {server}) => sum + cpuSeconds(server.pid), 0);
}

async function ask(url: string, {hours, step, expr}: Query): Promise<string> {
  const end = FLEET_END / 1000 - 1;
  const params =
    step === 0
      ? {query: expr, time: String(end)}
      : {query: expr, start: String(end + 1 - hours * 3600), end: String(end), step: String(step)};
  const path = step === 0 ? "query" : "query_range";
  const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(params)}`);
  const body = await response.text();
  assert.equal(response.status, 200, body);
  return body;
}

type Point = readonly [time: number, value: string];
/** Points by labels. */
type Answer = ReadonlyMap<string, readonly Point[]>;

function parseAnswer(body: string): Answer {
  const {data} = JSON.parse(body) as {
    data: {result: {metric: Record<string, string>; value?: Point; values?: Point[]}[]};
  };
  return new Map(
    data.result.map(({metric, value, values}) => [
      JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1))),
      values ?? [value as Point],
    ]),
  );
}

/** Labels and times equal, values within 1e-9: sums may be added up in another order. */
function assertSame(got: Answer, want: Answer, what: string): void {
  assert.deepEqual([...got.keys()].sort(), [...want.keys()].sort(), what);
  assert.notEqual(want.size, 0, what);
  for (const [labels, points] of want) {
    const own = got.get(labels) ?? [];
    assert.equal(own.length, points.length, `${what} ${labels}`);
    for (const [i, [t, value]] of points.entries()) {
      const [ownT, ownValue] = own[i] as Point;
      const [a, b] = [Number(ownValue), Number(value)];
      const near = ownValue === value || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
      assert.ok(ownT === t && near, `${what} ${labels} at ${t}: ${ownValue} instead of ${value}`);
    }
  }
}

function printQueries(systems: readonly System[], results: readonly Measured[][]): void {
  const rows = results.map((measured, q) => {
    const row = [QUERIES[q]?.name ?? ""];
    for (const {wall, cpu} of measured) {
      row.push(ms(median(wall)), `${ms(Math.min(...wall))}–${ms(Math.max(...wall))}`, ms((cpu / REPS) * 1000));
    }
    const [own, other] = measured;
    if (own !== undefined && other !== undefined) {
      row.push(ratio(median(own.wall), median(other.wall)), ratio(own.cpu, other.cpu));
    }
    return row;
  });
  const head = ["query", ...systems.flatMap(({name}) => [`${name} ms`, "spread", "CPU ms"])];
  if (systems.length > 1) head.push("time", "CPU");
  console.log();
  printTable(head, rows);
  if (systems.length < 2) return;
  const logs = results.map(([own, other]) => Math.log(median(own?.wall ?? []) / median(other?.wall ?? [])));
  console.log(`geometric mean of the times' ratios: ${ratio(Math.exp(logs.reduce((a, b) => a + b) / logs.length), 1)}`);
}

function printMemory(systems: readonly System[]): void {
  const rows = systems.flatMap((system) =>
    system.parts.map(({name, server}) => {
      const {peak, now} = residentMb(server.pid);
      return [`${system.name} ${name}`, peak.toFixed(0), now.toFixed(0)];
    }),
  );
  console.log();
  printTable(["process", "peak MB", "after MB"], rows);
  const peaks = systems.map(({parts}) => parts.reduce((sum, {server}) => sum + residentMb(server.pid).peak, 0));
  const [own, other] = peaks;
  if (own !== undefined && other !== undefined) console.log(`peaks together: ${ratio(own, other)}`);
}
