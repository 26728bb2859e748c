// npm run bench -- compaction [--series=10000 --hours=24 --reps=3 --scale=100000 --scale-step=60]: wall time, CPU and peak memory of the
// compactor as a whole program over a filesystem bucket: merging two-hour blocks, merging two replicas by penalty,
// downsampling a block of two days; then how they grow with the number of series (up to --scale). Where a thanos is on
// PATH it does the same.
import assert from "node:assert/strict";
import {spawn} from "node:child_process";
import {cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {type FleetOptions, writeFleet} from "./support/fleet.ts";
import {bySystem, record, recordCurve} from "./support/record.ts";
import {cpuSeconds, type Program, programs, residentMb, settle, withScope} from "./support/systems.ts";
import {flag, median, ms, printTable, ratio} from "./support/table.ts";

const SERIES = flag("series", 10_000);
const HOURS = flag("hours", 24);
const REPS = flag("reps", 3);
/** Up to so many series, with a sample every so many seconds: a million at 300 s are 0.2 GB of samples a day. */
const SCALE = flag("scale", 100_000);
const SCALE_STEP = flag("scale-step", 60);
const STEP_MS = 15_000;
const QUIET = ["--log.level=error"];
/** How often the process is looked at; its last moments before the end are not seen. */
const POLL_MS = 10;

type Scenario = {
  readonly name: string;
  readonly fleets: readonly FleetOptions[];
  readonly flags: readonly string[];
  /** Blocks of level 2 and more, or downsampled ones, that must be there afterwards. */
  readonly made: number;
};
type Run = {readonly wall: number; readonly cpu: number; readonly peak: number};

const merging: Scenario = {
  name: `merge ${HOURS / 2} blocks, ${SERIES} series`,
  fleets: [{series: SERIES, hours: HOURS, stepMs: STEP_MS}],
  flags: ["--downsampling.disable"],
  made: 1,
};
const replicas: Scenario = {
  name: `two replicas by penalty, ${SERIES} series, ${HOURS} h`,
  fleets: [{series: SERIES, hours: HOURS, stepMs: STEP_MS, replicas: 2}],
  flags: [
    "--downsampling.disable",
    "--compact.enable-vertical-compaction",
    "--deduplication.func=penalty",
    "--deduplication.replica-label=replica",
  ],
  made: 1,
};
const downsampling: Scenario = {
  name: `raw to 5 m, ${SERIES / 2} series, 48 h`,
  fleets: [{series: SERIES / 2, hours: 48, stepMs: STEP_MS, blockHours: 48}],
  flags: [],
  made: 1,
};

await withScope(async (scope) => {
  const dir = mkdtempSync(join(tmpdir(), "strata-bench-"));
  scope.after(() => rmSync(dir, {recursive: true}));
  const systems = programs();
  const head = ["", ...systems.flatMap(({name}) => [`${name} ms`, "CPU ms", "peak MB"])];
  if (systems.length > 1) head.push("time", "memory");
  const rows: string[][] = [];
  for (const scenario of [merging, replicas, downsampling]) rows.push(await measure(dir, scenario, systems));
  printTable(head, rows);
  const scaled: string[][] = [];
  const lines: Record<string, Record<string, [number, number][]>> = {};
  for (let series = 1000; series <= SCALE; series *= 10) {
    for (const hours of [24, 72]) {
      const fleets = [{series, hours, stepMs: SCALE_STEP * 1000}];
      const name = `${series} series, ${hours} h at ${SCALE_STEP} s`;
      scaled.push(
        await measure(dir, {...merging, name, fleets}, systems, (system, {peak}) => {
          lines[hours] ??= {};
          lines[hours][system] ??= [];
          lines[hours][system].push([series, peak]);
        }),
      );
    }
  }
  printTable(head, scaled);
  for (const [hours, of] of Object.entries(lines)) {
    recordCurve(`peak memory of merging ${hours} h in 2 h blocks`, "MB", "series", of);
  }
});

async function measure(
  dir: string,
  scenario: Scenario,
  systems: readonly Program[],
  seen?: (system: string, run: Run) => void,
): Promise<string[]> {
  const source = join(dir, "source");
  for (const fleet of scenario.fleets) await writeFleet(source, fleet);
  await settle();
  const runs: Run[][] = systems.map(() => []);
  for (let rep = 0; rep < REPS; rep++) {
    for (const [i, program] of systems.entries()) runs[i]?.push(await compactOnce(dir, source, scenario, program));
  }
  rmSync(source, {recursive: true});
  const of = (list: readonly Run[] | undefined, key: keyof Run) => median((list ?? []).map((run) => run[key]));
  for (const [key, measure, unit] of [
    ["wall", "time", "ms"],
    ["cpu", "CPU", "ms"],
    ["peak", "peak memory", "MB"],
  ] as const) {
    const values = bySystem(systems, runs, (list) => of(list, key));
    record(scenario.name, unit, values, {measure});
  }
  for (const [i, {name}] of systems.entries()) {
    seen?.(name, {wall: of(runs[i], "wall"), cpu: of(runs[i], "cpu"), peak: of(runs[i], "peak")});
  }
  const row = [scenario.name];
  for (const list of runs) row.push(ms(of(list, "wall")), ms(of(list, "cpu")), ms(of(list, "peak")));
  if (systems.length > 1) {
    row.push(ratio(of(runs[0], "wall"), of(runs[1], "wall")), ratio(of(runs[0], "peak"), of(runs[1], "peak")));
  }
  return row;
}

/** One run of the program over a fresh copy of the bucket, held against what it should have made. */
async function compactOnce(dir: string, source: string, scenario: Scenario, program: Program): Promise<Run> {
  const bucket = join(dir, "bucket");
  cpSync(source, bucket, {recursive: true});
  await settle();
  const begun = performance.now();
  const child = spawn(
    program.command,
    [
      ...[...program.args, "compact", ...QUIET, "--http-address=127.0.0.1:0"],
      ...["--consistency-delay=0s", `--data-dir=${join(dir, "data")}`, ...scenario.flags],
      `--objstore.config={type: FILESYSTEM, config: {directory: ${JSON.stringify(bucket)}}}`,
    ],
    {stdio: ["ignore", "ignore", "inherit"]},
  );
  let cpu = 0;
  let peak = 0;
  const timer = setInterval(() => {
    const pid = child.pid ?? 0;
    const used = cpuSeconds(pid);
    const memory = residentMb(pid).peak;
    if (used > cpu) cpu = used;
    if (memory > peak) peak = memory;
  }, POLL_MS);
  const code = await new Promise((resolve) => child.on("exit", resolve));
  const wall = performance.now() - begun;
  clearInterval(timer);
  assert.equal(code, 0, `${program.name} ended with ${code}`);
  const made = readdirSync(bucket).filter((name) => isMade(join(bucket, name, "meta.json"))).length;
  assert.ok(made >= scenario.made, `${program.name} made ${made} blocks, ${scenario.made} expected`);
  for (const name of ["bucket", "data"]) rmSync(join(dir, name), {recursive: true, force: true});
  return {wall, cpu: cpu * 1000, peak};
}

function isMade(path: string): boolean {
  if (!existsSync(path)) return false;
  const meta = JSON.parse(readFileSync(path, "utf8")) as {
    compaction: {level: number};
    thanos: {downsample: {resolution: number}};
  };
  return meta.compaction.level > 1 || meta.thanos.downsample.resolution > 0;
}
