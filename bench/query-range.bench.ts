// npm run bench -- query-range [--reps=5] [--series=10000]: queries over a day of a fleet's metrics through store gateway
// and querier, both as processes of their own. Where a thanos is on PATH it answers the same queries in turn, as does a
// prometheus of version 3 over the same blocks; the answers have to be the same, and the ratios are printed.
import assert from "node:assert/strict";
import {fleetBucket} from "./support/fleet.ts";
import {prometheusOver} from "./support/others.ts";
import {ask, QUERIES, type Query} from "./support/queries.ts";
import {bySystem, record} from "./support/record.ts";
import {cpuSeconds, residentMb, type System, startSystems, withScope} from "./support/systems.ts";
import {flag, median, ms, printTable, ratio} from "./support/table.ts";

const REPS = flag("reps", 5);
/** 144 instances: 1,440 series of http_requests_total among them. */
const SERIES = flag("series", 10_000);
const HOURS = 24;

type Measured = {readonly wall: number[]; cpu: number};

await withScope(async (scope) => {
  const bucket = await fleetBucket(scope, {series: SERIES, hours: HOURS, stepMs: 15_000});
  const systems = [...(await startSystems(scope, bucket)), ...(await prometheusOver(scope, bucket))];
  const results: Measured[][] = [];
  for (const query of QUERIES) results.push(await measure(query, systems));
  printQueries(systems, results);
  printMemory(systems);
});

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

type Point = readonly [time: number, value: string];
/** Points by labels. */
type Answer = ReadonlyMap<string, readonly Point[]>;

function parseAnswer(body: string): Answer {
  const {data} = JSON.parse(body) as {
    data: {result: {metric: Record<string, string>; value?: Point; values?: Point[]}[]};
  };
  return new Map(
    data.result.map(({metric, value, values}) => [
      // A Prometheus knows no external labels.
      JSON.stringify(Object.entries({...metric, cluster: ""}).sort(([a], [b]) => (a < b ? -1 : 1))),
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
  for (const [q, measured] of results.entries()) {
    const name = QUERIES[q]?.name ?? "";
    record(
      name,
      "ms",
      bySystem(systems, measured, ({wall}) => median(wall)),
    );
    record(
      name,
      "ms",
      bySystem(systems, measured, ({cpu}) => (cpu / REPS) * 1000),
      {measure: "CPU"},
    );
  }
  const head = ["query", ...systems.flatMap(({name}) => [`${name} ms`, "spread", "CPU ms"])];
  if (systems.length > 1) head.push("time", "CPU");
  console.log();
  printTable(head, rows);
  if (systems.length < 2) return;
  const logs = results.map(([own, other]) => Math.log(median(own?.wall ?? []) / median(other?.wall ?? [])));
  const mean = Math.exp(logs.reduce((a, b) => a + b) / logs.length);
  record("geometric mean of the queries", "× thanos", {strata: mean}, {measure: "time beside Thanos", ratio: mean});
  console.log(`geometric mean of the times' ratios: ${ratio(mean, 1)}`);
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
  record(
    "store and querier",
    "MB",
    bySystem(systems, peaks, (mb) => mb),
    {measure: "peak memory"},
  );
  const [own, other] = peaks;
  if (own !== undefined && other !== undefined) console.log(`peaks together: ${ratio(own, other)}`);
}
