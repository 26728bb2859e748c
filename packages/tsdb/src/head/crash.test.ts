import assert from "node:assert/strict";
import {spawn} from "node:child_process";
import {once} from "node:events";
import {readdirSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {random, repeat, seed, tempDir} from "@strata/base/testing";
import {parseUlid} from "@strata/model";
import {BlockReader} from "../block-reader.ts";
import {listSegments, segmentName} from "../wal/segments.ts";
import {Head} from "./head.ts";
import {blocksEnd, SERIES, STEP, seriesLabels, T0, WINDOW} from "./testing/crash-child.ts";
import {numberText, readAll} from "./testing/read-all.ts";

const CHILD = join(import.meta.dirname, "testing", "crash-child.ts");

/**
 * Runs the child from commit `first` on and kills it after some acknowledged commits, half the time while it writes blocks
 * and shortens its log; returns the last acknowledged commit.
 */
async function runAndKill(
  dir: string,
  first: number,
  sync: string,
  commits: number,
  next: () => number,
): Promise<number> {
  const child = spawn(process.execPath, [CHILD, dir, String(first), sync], {stdio: ["ignore", "pipe", "inherit"]});
  let acked = first - 1;
  let rest = "";
  let sent = false;
  const whileBusy = next() < 0.5;
  for await (const data of child.stdout) {
    const lines = (rest + String(data)).split("\n");
    rest = lines.pop() as string;
    let busy = false;
    for (const line of lines) {
      if (line.startsWith("ack ")) acked = Number(line.slice(4));
      else busy = true;
    }
    if (!sent && acked - first >= commits && (busy || !whileBusy)) {
      sent = true;
      // Somewhere within the next few turns of the child's loop, whatever it is doing.
      const spins = next() * (whileBusy ? 3e7 : 3e6);
      for (let i = 0; i < spins; i++) Math.sqrt(i);
      child.kill("SIGKILL");
    }
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  assert.equal(child.signalCode, "SIGKILL");
  return acked;
}

for (const sync of ["periodic", "commit"] as const) {
  test(`a killed process loses nothing acknowledged and invents nothing (sync ${sync})`, {
    timeout: 600_000,
  }, async (t) => {
    const next = random(seed());
    for (let run = 0; run < repeat(20); run++) {
      const dir = tempDir(t);
      let first = 0;
      // Kills of one directory follow one another, so that what a restart leaves behind is killed, too.
      for (let kill = 0; kill < 3; kill++) {
        const acked = await runAndKill(dir, first, sync, 5 + Math.floor(next() * 60), next);
        await check(dir, acked, `run ${run} kill ${kill}`);
        // The commit that was not acknowledged is tried again, as a client would.
        first = acked + 1;
      }
    }
  });
}

/** What tells of damage in the last segment of a log. */
function lastSegments(dir: string): RegExp {
  const last = ["wal", "wbl"].map((log) => `${log}/${segmentName(listSegments(join(dir, log)).at(-2)?.index ?? 0)}`);
  return new RegExp(`cannot read .*/(${last.join("|")}) `);
}

/** Everything up to `acked` is there; at most the next commit, whole or without its late samples, is there as well. */
async function check(dir: string, acked: number, name: string): Promise<void> {
  const blocks: BlockReader[] = [];
  for (const file of readdirSync(dir)) {
    if (parseUlid(file) !== undefined) blocks.push(await BlockReader.open(join(dir, file)));
  }
  const head = await Head.open(dir, {minValidTime: await blocksEnd(dir), outOfOrderWindow: WINDOW, outOfOrderCap: 8});
  try {
    // A kill can come in the middle of a write: then the commit that nobody heard of ends the log it was written to.
    for (const text of head.report.repaired) assert.match(text, lastSegments(dir), name);
    const all = await readAll([head, ...blocks]);
    assert.equal(all.size, SERIES, name);
    let last = acked;
    for (let i = 0; i < SERIES; i++) {
      const samples = all.get(String(seriesLabels(i)));
      assert.ok(samples !== undefined, name);
      if (i === 0) while (samples.has(T0 + (last + 1) * STEP)) last++;
      assert.ok(last <= acked + 1, `${name}: ${last} is there, ${acked} was acknowledged`);
      let count = 0;
      for (let n = 0; n <= last; n++) {
        assert.equal(samples.get(T0 + n * STEP), numberText(n * 1000 + i), `${name}: commit ${n} of series ${i}`);
        count++;
        if (n % 3 !== 0 || n === 0) continue;
        const late = samples.get(T0 + n * STEP - STEP / 2);
        if (late !== undefined) count++;
        if (late !== undefined || n <= acked) assert.equal(late, numberText(-n), `${name}: late ${n} of series ${i}`);
      }
      assert.equal(samples.size, count, `${name}: series ${i} has more than was appended`);
    }
  } finally {
    await head.close();
    await Promise.all(blocks.map((b) => b.close()));
  }
}
