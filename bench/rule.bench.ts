// npm run bench -- rule [--reps=2] [--series=10000] [--rules=1000] [--groups=1]: recording rules every 15 s over a fleet's metrics, the
// ruler, the querier and the store gateway each a process of its own. Where a thanos is on PATH it does the same after it.
import {mkdtempSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {setTimeout as delay} from "node:timers/promises";
import {freePort, httpReady, spawnServer, type TestScope} from "@strata/base/testing";
import {groupOffset} from "@strata/rules";
import {FLEET_END, fleetBucket} from "./support/fleet.ts";
import {bySystem, record} from "./support/record.ts";
import {
  cpuSeconds,
  type Program,
  programs,
  residentMb,
  type System,
  startSystems,
  withScope,
} from "./support/systems.ts";
import {flag, median, ms, printTable, quantile, ratio} from "./support/table.ts";

/** Passes over all groups that are measured, behind one that warms up. */
const REPS = flag("reps", 2);
const SERIES = flag("series", 10_000);
const RULES = flag("rules", 1000);
const GROUPS = flag("groups", 1);
const INTERVAL_MS = 15_000;

type Pass = {readonly seconds: number; readonly lateMs: readonly number[]};
type Measured = {
  readonly passes: readonly Pass[];
  /** Seconds of ruler, store and querier. */
  readonly cpu: readonly number[];
  readonly peakMb: number;
  readonly failed: number;
};

await withScope(async (scope) => {
  const bucket = await fleetBucket(scope, {series: SERIES, hours: 2, stepMs: 15_000});
  const systems = await startSystems(scope, bucket);
  const dir = mkdtempSync(join(tmpdir(), "strata-bench-"));
  scope.after(() => rmSync(dir, {recursive: true}));
  const rules = join(dir, "rules.yml");
  writeFileSync(rules, ruleFile());
  const results: Measured[] = [];
  for (const [i, program] of programs().entries()) {
    results.push(await measure(scope, program, systems[i] as System, rules, join(dir, program.name)));
  }
  print(systems, results);
});

/** Rules as dashboards have them, all different. Evaluated where the data is: some time ago. */
function ruleFile(): string {
  const offset = Math.round((Date.now() - FLEET_END) / 1000) + 900;
  const shapes = [
    (of: string) => `sum by (job, code) (rate(http_requests_total{${of}}[5m]))`,
    (of: string) => `sum by (job) (increase(http_requests_total{${of},code=~"5.."}[5m]))`,
    (of: string) => `sum by (mode) (rate(node_cpu_seconds_total{${of}}[5m]))`,
    (of: string) => `histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{${of}}[5m])))`,
    (of: string) => `avg by (job) (node_filesystem_avail_bytes{${of}})`,
    (of: string) => `max_over_time(node_load1{${of}}[5m])`,
    (of: string) => `sum by (device) (rate(node_disk_reads_completed_total{${of}}[5m]))`,
  ];
  // Each rule is about one instance: together they read about every series of the fleet once.
  const rule = (i: number): string => {
    const instance = Math.floor(i / shapes.length);
    const of = `instance="10.0.${Math.floor(instance / 250)}.${instance % 250}:9100"`;
    return `  - {record: "level:m${i}:op", expr: '${(shapes[i % shapes.length] as (of: string) => string)(of)}'}\n`;
  };
  const per = Math.ceil(RULES / GROUPS);
  const groups = Array.from({length: GROUPS}, (_, g) => {
    const own = Array.from({length: per}, (_, i) => rule(g * per + i)).join("");
    return `- name: g${g}\n  interval: ${INTERVAL_MS / 1000}s\n  query_offset: ${offset}s\n  rules:\n${own}`;
  });
  return `groups:\n${groups.join("")}`;
}

async function measure(
  scope: TestScope,
  p: Program,
  system: System,
  rules: string,
  dataDir: string,
): Promise<Measured> {
  const [http, grpc] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${http}`;
  const server = await spawnServer(scope, {
    command: p.command,
    args: [
      ...[...p.args, "rule", ...p.flags],
      `--http-address=127.0.0.1:${http}`,
      `--grpc-address=127.0.0.1:${grpc}`,
      `--data-dir=${dataDir}`,
      `--rule-file=${rules}`,
      `--query=${system.url}`,
      '--label=ruler="bench"',
    ],
    name: `${p.name} rule`,
    ready: httpReady(`${url}/-/ready`),
    deadlineMs: 60_000,
  });
  const parts = [server, ...system.parts.map((part) => part.server)];
  const before = parts.map(({pid}) => cpuSeconds(pid));
  const passes = await watch(url, rules);
  const cpu = parts.map(({pid}, i) => cpuSeconds(pid) - (before[i] as number));
  const {peak} = residentMb(server.pid);
  const failed = await failures(url);
  await server.stop();
  return {passes, cpu, peakMb: peak, failed};
}

type ApiGroup = {
  readonly name: string;
  readonly evaluationTime: number;
  readonly lastEvaluation: string;
  readonly rules: readonly {readonly health: string}[];
};

async function groupsOf(url: string): Promise<readonly ApiGroup[]> {
  const answer = (await (await fetch(`${url}/api/v1/rules`)).json()) as {data: {groups: ApiGroup[]}};
  return answer.data.groups;
}

async function failures(url: string): Promise<number> {
  return (await groupsOf(url)).flatMap((group) => group.rules).filter(({health}) => health !== "ok").length;
}

/** The evaluations of all groups, pass by pass; the first is left out. */
async function watch(url: string, rules: string): Promise<Pass[]> {
  const seen = new Map<string, {at: string; seconds: number; late: number}[]>();
  for (let done = 0; done < GROUPS; ) {
    await delay(500);
    for (const {name, evaluationTime, lastEvaluation} of await groupsOf(url)) {
      const known = seen.get(name) ?? [];
      seen.set(name, known);
      if (lastEvaluation.startsWith("0001") || known.at(-1)?.at === lastEvaluation) continue;
      known.push({at: lastEvaluation, seconds: evaluationTime, late: lateness(rules, name, lastEvaluation)});
    }
    done = [...seen.values()].filter((known) => known.length > REPS).length;
  }
  return Array.from({length: REPS}, (_, pass) => {
    const round = [...seen.values()].map((known) => known[pass + 1] as {seconds: number; late: number});
    return {
      seconds: round.reduce((sum, {seconds}) => sum + seconds, 0),
      lateMs: round.map(({late}) => late),
    };
  });
}

/** How far an evaluation began behind its slot, ms; means something for our own slots only. */
function lateness(file: string, group: string, at: string): number {
  const slot = Number(groupOffset(file, group, INTERVAL_MS)) / 1e6;
  const since = (Date.parse(at) - slot) % INTERVAL_MS;
  // The API's time is cut to milliseconds here: one that is just before its slot was in it.
  return since > INTERVAL_MS - 2 ? 0 : since;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function print(systems: readonly System[], results: readonly Measured[]): void {
  const rows = results.map(({passes, cpu, peakMb, failed}, i) => [
    systems[i]?.name ?? "",
    ms(median(passes.map(({seconds}) => seconds * 1000))),
    ...cpu.map((seconds) => ms((seconds / (REPS + 1)) * 1000)),
    peakMb.toFixed(0),
    String(failed),
    i === 0
      ? ms(
          quantile(
            passes.flatMap(({lateMs}) => lateMs),
            0.99,
          ),
        )
      : "",
  ]);
  const what = `${RULES} rules`;
  record(
    what,
    "ms",
    bySystem(systems, results, ({passes}) => median(passes.map(({seconds}) => seconds * 1000))),
  );
  record(
    what,
    "ms",
    bySystem(systems, results, ({cpu}) => (sum(cpu) / (REPS + 1)) * 1000),
    {measure: "CPU"},
  );
  record(
    what,
    "MB",
    bySystem(systems, results, ({peakMb}) => peakMb),
    {measure: "peak memory"},
  );
  console.log();
  printTable(
    ["ruler", "pass ms", "CPU ms: rule", "store", "query", "ruler peak MB", "failed rules", "p99 late ms"],
    rows,
  );
  const [own, other] = results;
  if (own === undefined || other === undefined) return;
  const time = (m: Measured): number => median(m.passes.map(({seconds}) => seconds));
  console.log(
    `time of a pass: ${ratio(time(own), time(other))}, CPU ${ratio(sum(own.cpu), sum(other.cpu))}, memory ${ratio(own.peakMb, other.peakMb)}`,
  );
}
