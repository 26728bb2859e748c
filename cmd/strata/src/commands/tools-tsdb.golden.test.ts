import assert from "node:assert/strict";
import {chmodSync, cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir, tempDir} from "@strata/base/testing";
import {runStrata} from "../testing/run-strata.ts";

const DUMP = ".dump.jsonl.gz";

/** Block directories with a dump beside them, found by listing. */
function dumpedBlocks(...parts: readonly string[]): string[] {
  const root = goldenDir(...parts);
  const names = readdirSync(root, {recursive: true, encoding: "utf8"}).filter((name) => name.endsWith(DUMP));
  assert.ok(names.length > 0, root);
  return names.sort().map((name) => join(root, name.slice(0, -DUMP.length)));
}

const blocks = dumpedBlocks("storage", "blocks");

test("dump --format=golden prints each block of the reference exactly as its dump file", async () => {
  for (const dir of blocks) {
    const {code, out, err} = await runStrata("tools", "tsdb", "dump", "--format=golden", dir);
    assert.deepEqual({code, err}, {code: 0, err: ""}, dir);
    assert.ok(out === gunzipSync(readFileSync(dir + DUMP)).toString(), `${dir}: the output differs from ${DUMP}`);
  }
});

test("a damaged block ends dump with 1 and a line that names the file", async (t) => {
  const sound = blocks.find((dir) => dir.includes("floats-2h")) as string;
  const f = async (damage: (dir: string) => void, wanted: RegExp) => {
    const dir = join(tempDir(t), "block");
    cpSync(sound, dir, {recursive: true});
    damage(dir);
    const {code, err} = await runStrata("tools", "tsdb", "dump", "--format=golden", dir);
    assert.equal(code, 1, String(wanted));
    assert.match(err, wanted);
    assert.match(err, /^strata: error: [^\n]+\n$/);
    assert.ok(err.includes(dir), err);
  };
  await f((dir) => truncateSync(join(dir, "index"), 100), /block\/index/);
  await f((dir) => truncateSync(join(dir, "chunks/000001"), 1000), /block\/chunks\/000001/);
  await f((dir) => writeFileSync(join(dir, "meta.json"), "{"), /block\/meta\.json/);
  await f((dir) => {
    const bytes = readFileSync(join(dir, "chunks/000001"));
    bytes[100] = (bytes[100] as number) ^ 0x10;
    writeFileSync(join(dir, "chunks/000001"), bytes);
  }, /block\/chunks\/000001/);
});

test("dump-wal --format=golden prints each data directory of the reference as expected, and leaves it as it is", async () => {
  const root = goldenDir("storage", "wal");
  for (const name of readdirSync(root)) {
    const data = join(root, name, "data");
    const files = (): string[] => readdirSync(data, {recursive: true, encoding: "utf8"}).sort();
    const before = files();
    for (const [file, ...flags] of [["expected"], ["expected-head", "--head"]] as const) {
      const want = gunzipSync(readFileSync(join(root, name, `${file}.jsonl.gz`))).toString();
      const {code, out, err} = await runStrata("tools", "tsdb", "dump-wal", "--format=golden", data, ...flags);
      assert.deepEqual({code, err}, {code: 0, err: ""}, name);
      assert.ok(out === want, `${name}: the output differs from ${file}.jsonl.gz`);
    }
    assert.deepEqual(files(), before, name);
  }
});

test("a log with a gap ends dump-wal with 1 and names the original's file; a torn one is read as far as it goes", async (t) => {
  const all = readdirSync(goldenDir("storage", "wal")).map((name) => goldenDir("storage", "wal", name, "data"));
  const root = all.find((dir) => readdirSync(join(dir, "wal")).length > 3) as string;
  const copy = (): string => {
    const dir = join(tempDir(t), "data");
    cpSync(root, dir, {recursive: true});
    for (const name of ["", ...readdirSync(dir, {recursive: true, encoding: "utf8"})]) {
      const path = join(dir, name);
      chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644);
    }
    return dir;
  };
  const segments = readdirSync(join(root, "wal")).filter((name) => /^\d+$/.test(name));
  const gap = copy();
  rmSync(join(gap, "wal", segments[2] as string));
  const {code, out, err} = await runStrata("tools", "tsdb", "dump-wal", gap);
  assert.deepEqual({code, out}, {code: 1, out: ""});
  assert.match(err, new RegExp(`^strata: error: cannot read ${gap}/wal: [^\n]*${segments[2]}[^\n]*\n$`));
  const torn = copy();
  const last = join(torn, "wal", segments.at(-1) as string);
  truncateSync(last, Math.floor(statSync(last).size / 2));
  const read = await runStrata("tools", "tsdb", "dump-wal", torn);
  assert.equal(read.code, 0);
  assert.match(read.err, new RegExp(`^strata: warning: .*${torn}/wal`));
  assert.ok(read.out.split("\n").length > 20);
});
