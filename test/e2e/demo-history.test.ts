import assert from "node:assert/strict";
import {execFile, spawn} from "node:child_process";
import {once} from "node:events";
import {cpSync, mkdirSync, readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {before, describe, test} from "node:test";
import {promisify} from "node:util";
import {requireTool, tempDir} from "@strata/base/testing";
import {writeDemoHistory} from "@strata/standalone";
import {suiteScope} from "./strata.ts";

const promtool = requireTool("promtool");
const run = promisify(execFile);

describe("promtool reads the demo history", {skip: promtool.skip}, () => {
  const scope = suiteScope();
  const dir = tempDir(scope);
  let samples = 0;
  let ids: string[] = [];

  before(async () => {
    ({samples} = await writeDemoHistory(dir, Date.now()));
    ids = readdirSync(dir).filter((name) => /^[0-9A-Z]{26}$/.test(name));
    // promtool opens the directory as a database and wants a log beside the blocks.
    mkdirSync(join(dir, "wal"));
  });

  test("list shows every block", async () => {
    const {stdout} = await run(promtool.path, ["tsdb", "list", dir]);
    for (const id of ids) assert.ok(stdout.includes(id), `${id} in ${stdout}`);
    assert.ok(ids.length >= 24, `${ids.length} blocks`);
  });

  test("analyze --extended accepts every block", async () => {
    for (const id of ids) {
      const {stdout} = await run(promtool.path, ["tsdb", "analyze", "--extended", dir, id]);
      assert.match(stdout, /^Series: \d+$/m);
    }
  });

  test("dump prints as many samples as the metas count", async () => {
    // Three blocks are as good as all of them, and seconds quicker.
    const some = join(dir, "some");
    mkdirSync(join(some, "wal"), {recursive: true});
    let counted = 0;
    for (const id of ids.slice(0, 3)) {
      cpSync(join(dir, id), join(some, id), {recursive: true});
      const meta = JSON.parse(readFileSync(join(dir, id, "meta.json"), "utf8")) as {stats: {numSamples: number}};
      counted += meta.stats.numSamples;
    }
    assert.ok(counted > 0 && counted < samples);
    assert.equal(await countLines(promtool.path, ["tsdb", "dump", some]), counted);
  });
});

/** Runs a program that must succeed, and counts the lines it prints. */
async function countLines(program: string, args: readonly string[]): Promise<number> {
  const child = spawn(program, args, {stdio: ["ignore", "pipe", "inherit"]});
  const exited = once(child, "close");
  let lines = 0;
  for await (const piece of child.stdout) for (const byte of piece as Buffer) if (byte === 0x0a) lines++;
  assert.deepEqual(await exited, [0, null]);
  return lines;
}
