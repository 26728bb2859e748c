// npm run bench -- store-start [--blocks=1000]: how long a store gateway takes until it is ready, and the memory it has
// then, over buckets of few and of many small blocks; with index-headers to be made (cold) and there already (warm).
// Where a thanos is on PATH it does the same.
import assert from "node:assert/strict";
import {cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {newUlid} from "@strata/model";
import {FLEET_END, writeFleet} from "./support/fleet.ts";
import {bySystem, record, recordCurve} from "./support/record.ts";
import {cpuSeconds, type Program, programs, residentMb, settle, startStore, withScope} from "./support/systems.ts";
import {flag, median, ms, printTable, ratio} from "./support/table.ts";

const MANY = flag("blocks", 1000);
const SERIES = 500;
const REPS = flag("reps", 3);
const BLOCK_MS = 2 * 3_600_000;

type Start = {readonly wall: number; readonly cpu: number; readonly peak: number; readonly now: number};

await withScope(async (scope) => {
  const dir = mkdtempSync(join(tmpdir(), "strata-bench-"));
  scope.after(() => rmSync(dir, {recursive: true}));
  const one = join(dir, "one");
  await writeFleet(one, {series: SERIES, hours: 2, stepMs: 60_000});
  mkdirSync(join(dir, "blocks-0"));
  for (const count of [12, MANY]) multiply(one, join(dir, `blocks-${count}`), count);
  await settle();
  const systems = programs();
  const rows: string[][] = [];
  const memory: Record<string, [number, number][]> = {};
  for (const blocks of [0, 12, MANY]) {
    const bucket = join(dir, `blocks-${blocks}`);
    for (const state of blocks === 0 ? ["cold"] : ["cold", "warm"]) {
      const starts: Start[][] = systems.map(() => []);
      for (let rep = 0; rep < REPS; rep++) {
        for (const [i, program] of systems.entries()) {
          const data = join(dir, `data-${program.name}-${blocks}`);
          if (state === "cold") rmSync(data, {recursive: true, force: true});
          starts[i]?.push(await measure(program, bucket, data));
        }
      }
      rows.push(rowOf(`${blocks} blocks, ${state}`, starts));
      const of = (key: keyof Start) => bySystem(systems, starts, (list) => median(list.map((start) => start[key])));
      record(`${blocks} blocks, ${state}`, "ms", of("wall"), {measure: "time until ready"});
      record(`${blocks} blocks, ${state}`, "MB", of("now"), {measure: "memory when ready"});
      if (state === "warm" || blocks === 0) {
        for (const [name, mb] of Object.entries(of("now"))) {
          memory[name] ??= [];
          memory[name].push([blocks, mb]);
        }
      }
    }
  }
  const head = ["start", ...systems.flatMap(({name}) => [`${name} ms`, "CPU ms", "MB", "peak MB"])];
  if (systems.length > 1) head.push("time", "MB");
  console.log(`\nblocks of ${SERIES} series; medians of ${REPS}`);
  printTable(head, rows);
  recordCurve("memory when ready", "MB", "blocks", memory);
});

/** One real block, and hard links to its files under other ids and times: for a start only the metas count as different. */
function multiply(from: string, to: string, count: number): void {
  const [block] = readdirSync(from);
  assert.ok(block !== undefined);
  const meta = JSON.parse(readFileSync(join(from, block, "meta.json"), "utf8"));
  for (let b = 0; b < count; b++) {
    const minTime = FLEET_END - (b + 1) * BLOCK_MS;
    const ulid = newUlid(minTime);
    mkdirSync(join(to, ulid, "chunks"), {recursive: true});
    for (const file of ["index", "chunks/000001"]) link(join(from, block, file), join(to, ulid, file));
    const compaction = {...meta.compaction, sources: [ulid]};
    const own = {...meta, ulid, minTime, maxTime: minTime + BLOCK_MS, compaction};
    writeFileSync(join(to, ulid, "meta.json"), JSON.stringify(own));
  }
}

function link(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    // A file system without hard links, or a file that has as many as it can.
    cpSync(from, to);
  }
}

async function measure(program: Program, bucket: string, data: string): Promise<Start> {
  return withScope(async (scope) => {
    const begun = performance.now();
    const {pid} = await startStore(scope, program, bucket, data);
    return {wall: performance.now() - begun, cpu: cpuSeconds(pid) * 1000, ...residentMb(pid)};
  });
}

function rowOf(name: string, starts: readonly Start[][]): string[] {
  const middle = starts.map((of) => ({
    wall: median(of.map((s) => s.wall)),
    cpu: median(of.map((s) => s.cpu)),
    peak: median(of.map((s) => s.peak)),
    now: median(of.map((s) => s.now)),
  }));
  const row = [name, ...middle.flatMap((m) => [ms(m.wall), ms(m.cpu), m.now.toFixed(0), m.peak.toFixed(0)])];
  const [own, other] = middle;
  if (own !== undefined && other !== undefined) row.push(ratio(own.wall, other.wall), ratio(own.now, other.now));
  return row;
}
