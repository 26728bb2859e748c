// npm run bench -- store-sync [--blocks=10000]: how long a store gateway takes until it is ready over a simulated bucket of
// very many blocks, and the memory it takes meanwhile and after: each block has a meta.json of its own, and the index of
// one small block. Cold, warm (index-headers and metas on disk), and a second round of a gateway that runs.
import assert from "node:assert/strict";
import {spawnSync} from "node:child_process";
import {mkdtempSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {Store} from "@strata/store";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {writeFleet} from "./support/fleet.ts";
import {record} from "./support/record.ts";
import {SimulatedBucket} from "./support/simulated-bucket.ts";
import {flag, ms, printTable, textFlag} from "./support/table.ts";

const BLOCKS = flag("blocks", 10_000);

type Round = {
  readonly name: string;
  readonly ms: number;
  readonly cpu: number;
  readonly now: number;
  readonly peak: number;
};

const one = textFlag("from", "");
if (one === "") await main();
else await child(one, textFlag("data", ""));

async function main(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "strata-bench-"));
  try {
    await writeFleet(join(dir, "one"), {series: 20, hours: 2, stepMs: 60_000});
    measure(dir);
  } finally {
    rmSync(dir, {recursive: true});
  }
}

function measure(dir: string): void {
  const rows: string[][] = [];
  for (const state of ["cold", "warm"]) {
    const args = [import.meta.filename, `--from=${join(dir, "one")}`, `--data=${join(dir, "data")}`];
    const {stdout, stderr, status} = spawnSync(process.execPath, [...args, `--blocks=${BLOCKS}`], {encoding: "utf8"});
    assert.equal(status, 0, stderr);
    for (const round of JSON.parse(stdout) as Round[]) {
      rows.push([`${state}, ${round.name}`, ms(round.ms), ms(round.cpu), round.now.toFixed(0), round.peak.toFixed(0)]);
      if (round.name !== "start") continue;
      record(`${BLOCKS} simulated blocks, ${state} start`, "ms", {strata: round.ms});
      record(`${BLOCKS} simulated blocks, ${state} start`, "MB", {strata: round.peak}, {measure: "peak memory"});
    }
  }
  console.log(`\n${BLOCKS} simulated blocks`);
  printTable(["round", "ms", "CPU ms", "MB", "peak MB"], rows);
}

/** One gateway: from nothing to ready, then a round in which nothing has changed. */
async function child(from: string, dataDir: string): Promise<void> {
  const bucket = new SimulatedBucket(from, BLOCKS);
  const store = new Store({bucket, dataDir, logger: nullLogger(), registry: newRegistry(), syncConcurrency: 20});
  const stopping = new AbortController();
  const rounds: Round[] = [];
  const timed = async (name: string, work: () => Promise<unknown>) => {
    const [begun, cpu0] = [performance.now(), process.cpuUsage()];
    await work();
    const {user, system} = process.cpuUsage(cpu0);
    const cpu = (user + system) / 1000;
    const now = process.memoryUsage.rss() / 1e6;
    rounds.push({name, ms: performance.now() - begun, cpu, now, peak: (process.resourceUsage().maxRSS * 1024) / 1e6});
  };
  await timed("start", () => new Promise<void>((done) => void store.run(stopping.signal, done)));
  assert.equal(store.queryable.blocks().length, BLOCKS);
  await timed("next round", () => store.queryable.sync(stopping.signal));
  stopping.abort();
  await store.close();
  console.log(JSON.stringify(rounds));
}
