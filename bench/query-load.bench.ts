// npm run bench -- query-load [--seconds=8] [--clients=10] [--series=10000] [--bucket=DIR]: many clients at once, each asking one query
// of the set after another, against store gateway and querier; beside them somebody reads the querier's /metrics. Where a
// thanos is on PATH it serves the same clients, as does a prometheus of version 3 over the same blocks.
import {writeFileSync} from "node:fs";
import {setTimeout as delay} from "node:timers/promises";
import {fleetBucket} from "./support/fleet.ts";
import {prometheusOver} from "./support/others.ts";
import {ask, QUERIES} from "./support/queries.ts";
import {recordCurve} from "./support/record.ts";
import {cpuSeconds, residentMb, type System, startSystems, withScope} from "./support/systems.ts";
import {flag, ms, printTable, quantile, ratio} from "./support/table.ts";

const SECONDS = flag("seconds", 8);
const SERIES = flag("series", 10_000);
const ONLY = flag("clients", 0);
const CLIENTS = ONLY > 0 ? [ONLY] : [1, 4, 10, 20];
/** Pause between two readings of /metrics. */
const PROBE_MS = 20;

/** What the report draws over the number of clients. */
const CURVES = [
  ["throughput", "queries/s"],
  ["99 of 100 queries within", "ms"],
  ["99 of 100 readings of /metrics within", "ms"],
  ["peak memory of store and querier", "MB"],
] as const;

type Load = {
  readonly perSecond: number;
  readonly waits: readonly number[];
  readonly probes: readonly number[];
  readonly cpu: number;
  readonly peaks: readonly number[];
};

await withScope(async (scope) => {
  const bucket = await fleetBucket(scope, {series: SERIES, hours: 24, stepMs: 15_000});
  const systems = [...(await startSystems(scope, bucket)), ...(await prometheusOver(scope, bucket))];
  for (const system of systems) for (const query of QUERIES) await ask(system.url, query);
  const rows: string[][] = [];
  const lines: Curves = {};
  for (const clients of CLIENTS) {
    const loads: Load[] = [];
    for (const system of systems) loads.push(await load(system, clients));
    for (const [i, system] of systems.entries()) rows.push(row(clients, system, loads[i] as Load, loads));
    for (const [i, {name}] of systems.entries()) addPoints(lines, name, clients, loads[i] as Load);
  }
  const head = [
    "clients",
    "queries/s",
    "p50 ms",
    "p99 ms",
    "CPU ms",
    "/metrics p50",
    "p99 ms",
    "store MB",
    "query MB",
    "",
  ];
  console.log();
  printTable(head, rows);
  for (const [what, unit] of CURVES) recordCurve(what, unit, "clients", lines[what] ?? {});
});

type Curves = Record<string, Record<string, [number, number][]>>;

function addPoints(lines: Curves, system: string, clients: number, load: Load): void {
  const values = [
    load.perSecond,
    quantile(load.waits, 0.99),
    quantile(load.probes, 0.99),
    load.peaks.reduce((sum, mb) => sum + mb, 0),
  ];
  for (const [i, [what]] of CURVES.entries()) {
    lines[what] ??= {};
    lines[what][system] ??= [];
    lines[what][system].push([clients, values[i] as number]);
  }
}

function row(clients: number, system: System, own: Load, all: readonly Load[]): string[] {
  const other = all[1];
  const faster = own === all[0] && other !== undefined ? ratio(own.perSecond, other.perSecond) : "";
  return [
    `${clients} ${system.name}`,
    own.perSecond.toFixed(2),
    ms(quantile(own.waits, 0.5)),
    ms(quantile(own.waits, 0.99)),
    ms((own.cpu / Math.max(own.waits.length, 1)) * 1000),
    ms(quantile(own.probes, 0.5)),
    ms(quantile(own.probes, 0.99)),
    ...[own.peaks[0], own.peaks[1]].map((mb) => mb?.toFixed(0) ?? ""),
    faster,
  ];
}

/** `clients` at once for some seconds; a query that was begun is waited for. */
async function load(system: System, clients: number): Promise<Load> {
  for (const {server} of system.parts) resetPeak(server.pid);
  const cpu0 = cpuOf(system);
  const begun = performance.now();
  const end = begun + SECONDS * 1000;
  const waits: number[] = [];
  const probes: number[] = [];
  let next = 0;
  let busy = true;
  const client = async (): Promise<void> => {
    while (performance.now() < end) {
      const query = QUERIES[next++ % QUERIES.length];
      if (query === undefined) return;
      const from = performance.now();
      await ask(system.url, query);
      waits.push(performance.now() - from);
    }
  };
  const probe = async (): Promise<void> => {
    while (busy) {
      const from = performance.now();
      await (await fetch(`${system.url}/metrics`)).arrayBuffer();
      probes.push(performance.now() - from);
      await delay(PROBE_MS);
    }
  };
  const probing = probe();
  await Promise.all(Array.from({length: clients}, client));
  const seconds = (performance.now() - begun) / 1000;
  busy = false;
  await probing;
  const peaks = system.parts.map(({server}) => residentMb(server.pid).peak);
  return {perSecond: waits.length / seconds, waits, probes, cpu: cpuOf(system) - cpu0, peaks};
}

function cpuOf(system: System): number {
  return system.parts.reduce((sum, {server}) => sum + cpuSeconds(server.pid), 0);
}

/** From now on the process' peak memory counts anew. */
function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
  } catch {
    // Elsewhere the peak is that since its start.
  }
}
