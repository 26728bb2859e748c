// npm run bench -- series-call [--series=50000] [--stores=8] [--reps=5]: `/api/v1/series` of everything over several
// store gateways that have the same series. Where a thanos is on PATH, its querier asks the same stores; with `--go-stores`
// both also ask as many of Thanos' own.
import assert from "node:assert/strict";
import {mkdtempSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {FLEET_END, fleetBucket, REPLICA_LABEL} from "./support/fleet.ts";
import {bySystem, record} from "./support/record.ts";
import {
  cpuSeconds,
  type Program,
  programs,
  type RunningQuerier,
  type RunningStore,
  residentMb,
  startQuerier,
  startStore,
  withScope,
} from "./support/systems.ts";
import {flag, median, ms, printTable, ratio} from "./support/table.ts";

const SERIES = flag("series", 50_000);
const STORES = flag("stores", 8);
const REPS = flag("reps", 5);
const HOURS = 2;

await withScope(async (scope) => {
  const bucket = await fleetBucket(scope, {series: SERIES, hours: HOURS, stepMs: 300_000});
  const dir = mkdtempSync(join(tmpdir(), "strata-bench-"));
  scope.after(() => rmSync(dir, {recursive: true}));
  const all = programs();
  const rows: string[][] = [];
  for (const owner of process.argv.includes("--go-stores") ? all : all.slice(0, 1)) {
    const stores: RunningStore[] = [];
    for (let i = 0; i < STORES; i++) {
      stores.push(await startStore(scope, owner, bucket, join(dir, `${owner.name}-${i}`)));
    }
    const queriers: [Program, RunningQuerier][] = [];
    for (const program of all) queriers.push([program, await startQuerier(scope, program, stores, REPLICA_LABEL)]);
    rows.push(...(await measure(owner, queriers)));
  }
  console.log();
  printTable(["querier over stores", "ms", "spread", "querier's CPU ms", "peak MB", "time"], rows);
});

/** The queriers in turn; the first round only warms up. */
async function measure(owner: Program, queriers: readonly [Program, RunningQuerier][]): Promise<string[][]> {
  const waits = queriers.map((): number[] => []);
  const cpu = queriers.map(() => 0);
  for (let rep = 0; rep <= REPS; rep++) {
    for (const [i, [program, querier]] of queriers.entries()) {
      const cpu0 = cpuSeconds(querier.pid);
      const from = performance.now();
      const count = await countSeries(querier.url);
      const wait = performance.now() - from;
      assert.equal(count, SERIES, program.name);
      if (rep === 0) continue;
      waits[i]?.push(wait);
      cpu[i] = (cpu[i] ?? 0) + cpuSeconds(querier.pid) - cpu0;
    }
  }
  const names = queriers.map(([{name}]) => ({name}));
  const what = `series of ${STORES} × ${owner.name} store`;
  record(what, "ms", bySystem(names, waits, median));
  record(
    what,
    "ms",
    bySystem(names, cpu, (s) => (s / REPS) * 1000),
    {measure: "querier's CPU"},
  );
  return queriers.map(([program, querier], i) => {
    const own = waits[i] ?? [];
    return [
      `${program.name} over ${STORES} × ${owner.name}`,
      ms(median(own)),
      `${ms(Math.min(...own))}–${ms(Math.max(...own))}`,
      ms(((cpu[i] ?? 0) / REPS) * 1000),
      residentMb(querier.pid).peak.toFixed(0),
      i === 0 && waits[1] !== undefined ? ratio(median(own), median(waits[1])) : "",
    ];
  });
}

async function countSeries(url: string): Promise<number> {
  const end = FLEET_END / 1000;
  const params = new URLSearchParams({
    "match[]": '{__name__=~".+"}',
    start: String(end - HOURS * 3600),
    end: String(end),
  });
  const response = await fetch(`${url}/api/v1/series?${params}`, {headers: {"accept-encoding": "identity"}});
  const body = await response.text();
  assert.equal(response.status, 200, body.slice(0, 500));
  return (JSON.parse(body) as {data: unknown[]}).data.length;
}
