import assert from "node:assert/strict";
import {execFile, execFileSync, spawn} from "node:child_process";
import {chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from "node:fs";
import {createServer} from "node:http";
import type {AddressInfo} from "node:net";
import {basename, join} from "node:path";
import {type TestContext, test} from "node:test";
import {promisify} from "node:util";
import {goldenDir, requireTool, tempDir} from "@strata/base/testing";
import {runStrata} from "../testing/run-strata.ts";

const promtool = requireTool("promtool");
const tsdb = (...args: readonly string[]) => runStrata("tools", "tsdb", ...args);
const theirs = (...args: readonly string[]): string =>
  execFileSync(promtool.path, ["tsdb", ...args], {encoding: "utf8", maxBuffer: 1 << 28});

/** A data directory with all float blocks of one golden case. */
function dataDir(dir: string, name: string): string {
  const from = goldenDir("storage", "blocks", name);
  for (const entry of readdirSync(from, {withFileTypes: true})) {
    if (entry.isDirectory()) cpSync(join(from, entry.name), join(dir, entry.name), {recursive: true});
  }
  mkdirSync(join(dir, "wal"), {recursive: true});
  return dir;
}

const sorted = (text: string): string[] => text.split("\n").sort();
/** Without native histograms, which the older promtool leaves out of its dumps. */
const floatLines = (text: string): string[] => text.split("\n").filter((line) => !line.includes("} {count:"));

test("list, analyze and dump print what promtool prints", {skip: promtool.skip}, async (t) => {
  for (const name of ["floats-2h", "overlap", "tombstones"]) {
    const dir = dataDir(tempDir(t), name);
    const f = async (args: readonly string[], normal: (text: string) => unknown) => {
      const {code, out, err} = await tsdb(...args);
      assert.deepEqual({code, err}, {code: 0, err: ""}, `${name} ${args[0]}`);
      assert.deepEqual(normal(out), normal(theirs(...args)), `${name} ${args.slice(0, -1).join(" ")}`);
    };
    const same = (text: string) => text.split("\n");
    await f(["list", dir], same);
    await f(["list", "-r", dir], same);
    // Equal counts come in no fixed order, so the lists have to be whole.
    await f(["analyze", "--limit=100000", dir], sorted);
    await f(["analyze", "--limit=100000", "--extended", dir], sorted);
    await f(["dump", dir], floatLines);
    // Where blocks differ about a sample, which one promtool takes hangs on what else it selects; and beside deletions
    // it forgets the range.
    if (name === "overlap" || name === "tombstones") continue;
    await f(["dump", "--min-time=1717461000000", "--max-time=1717462000000", dir], floatLines);
    await f(["dump", '--match={job!="api"}', dir], floatLines);
  }
});

test("dump prints every sample, histograms too", async (t) => {
  const root = goldenDir("storage", "blocks");
  for (const name of readdirSync(root).filter((entry) => entry.startsWith("hist-"))) {
    const dir = dataDir(tempDir(t), name);
    const samples = readdirSync(dir)
      .filter((entry) => entry !== "wal")
      .map((ulid) => JSON.parse(readFileSync(join(dir, ulid, "meta.json"), "utf8")).stats.numSamples as number);
    const {code, out, err} = await tsdb("dump", dir);
    assert.deepEqual({code, err}, {code: 0, err: ""});
    const lines = out.trimEnd().split("\n");
    assert.equal(
      lines.length,
      samples.reduce((a, b) => a + b),
      name,
    );
    assert.ok(lines.some((line) => /} {count:\d+, sum:\S+, [[(]\S+:\d+.*} -?\d+$/.test(line)));
  }
});

test("dump shows the head's samples, too, as promtool does", {skip: promtool.skip}, async (t) => {
  const dir = join(tempDir(t), "data");
  cpSync(goldenDir("storage", "wal", "uncompressed", "data"), dir, {recursive: true});
  chmodSync(dir, 0o755);
  const ours = await tsdb("dump", dir);
  assert.deepEqual({code: ours.code, err: ours.err}, {code: 0, err: ""});
  assert.ok(ours.out.length > 0);
  assert.deepEqual(floatLines(ours.out), floatLines(theirs("dump", dir)));
});

test("what is wrong with the arguments is said, with exit code 1 or 2", async (t) => {
  const dir = tempDir(t);
  const f = async (args: readonly string[], code: number, wanted: RegExp) => {
    const result = await tsdb(...args);
    assert.deepEqual({code: result.code, out: result.out}, {code, out: ""}, args.join(" "));
    assert.match(result.err, wanted);
  };
  const missing = join(dir, "missing");
  const named = new RegExp(`^strata: error: .*${basename(dir)}/missing.*no such file or directory\n$`);
  for (const command of ["list", "analyze", "dump", "dump-openmetrics"]) await f([command, missing], 1, named);
  await f(["dump", "--format=golden", missing], 1, /missing\/meta\.json: no such file or directory\n$/);
  const [block = ""] = readdirSync(dataDir(join(dir, "one"), "floats-2h")).filter((name) => name !== "wal");
  await f(["dump", join(dir, "one", block)], 1, /it is a block; name the directory above\n$/);
  await f(["analyze", dir], 1, /there is no block\n$/);
  await f(["analyze", dir, "01HZGFK1803G62GEQRS5QXBBD5"], 1, /block 01HZGFK1803G62GEQRS5QXBBD5 not found\n$/);
  await f(["dump", "--match={{", dir], 1, /parse error/);
  await f(["dump", "--min-time=soon", dir], 2, /--min-time: "soon" is not a time in ms/);
  const rules = ["create-blocks-from", "rules"];
  await f([...rules, "--start=soon", "x.yml"], 2, /--start: "soon" is neither RFC 3339 nor/);
  await f([...rules, "--start=5", "--end=5", "x.yml"], 1, /--start is not before --end\n$/);
  await f([...rules, "--start=5"], 2, /required argument 'rule-files' not provided\n$/);
  await f([...rules, "x.yml"], 2, /required flag\(s\) '--start' not provided/);
  await f(["dump", dir, "more"], 1, /unexpected more\n$/);
});

test("a reader that stops early ends dump quietly", async (t) => {
  const dir = dataDir(tempDir(t), "floats-12h");
  const bin = join(import.meta.dirname, "../../bin/strata.js");
  const child = spawn(process.execPath, [bin, "tools", "tsdb", "dump", dir], {stdio: ["ignore", "pipe", "pipe"]});
  let err = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  child.stdout.once("data", () => child.stdout.destroy());
  const code = await new Promise((resolve) => child.on("close", resolve));
  assert.deepEqual({code, err}, {code: 0, err: ""});
});

test("dump-openmetrics ends with EOF and has as many lines as dump", async (t) => {
  const dir = dataDir(tempDir(t), "floats-2h");
  const plain = (await tsdb("dump", dir)).out.trimEnd().split("\n");
  const lines = (await tsdb("dump-openmetrics", dir)).out.trimEnd().split("\n");
  assert.equal(lines.pop(), "# EOF");
  assert.equal(lines.length, plain.length);
  assert.match(lines[0] ?? "", /^[a-z_]+\{.*\} \S+ \d+\.\d{3}$/);
});

test("create-blocks-from openmetrics turns a dump back into blocks", async (t) => {
  const dir = tempDir(t);
  const file = join(dir, "dump.om");
  const from = dataDir(dir, "floats-2h");
  writeFileSync(file, (await tsdb("dump-openmetrics", from)).out);
  const created = await tsdb("create-blocks-from", "openmetrics", file, join(dir, "out"));
  assert.deepEqual({code: created.code, err: created.err}, {code: 0, err: ""});
  assert.equal((await tsdb("list", join(dir, "out"))).out, created.out);
  assert.equal((await tsdb("dump", join(dir, "out"))).out, (await tsdb("dump", from)).out);
  const quiet = await tsdb("create-blocks-from", "openmetrics", "--quiet", file, join(dir, "quiet"));
  assert.deepEqual(quiet, {code: 0, out: "", err: ""});
});

test("create-blocks-from openmetrics says where a text is wrong", async (t) => {
  const file = join(tempDir(t), "wrong.om");
  writeFileSync(file, "a 1 1\nb{ 2 1\n# EOF\n");
  const {code, out, err} = await tsdb("create-blocks-from", "openmetrics", file);
  assert.deepEqual({code, out}, {code: 1, out: ""});
  assert.equal(err, `strata: error: cannot read ${file}:2: want a label name, got " 2 1"\n`);
  assert.match((await tsdb("create-blocks-from", "openmetrics")).err, /required argument 'input file' not provided$/m);
});

test("bench write reports three stages over all samples and keeps to an empty directory", async (t) => {
  const dir = tempDir(t);
  const file = join(dir, "series.json");
  writeFileSync(file, '{"__name__":"a","x":"1"}\n{"__name__":"a","x":"1"}\n{"__name__":"b"}\n');
  const out = `--out=${join(dir, "out")}`;
  const {code, out: text, err} = await tsdb("bench", "write", out, "--scrapes=800", file);
  assert.deepEqual({code, err}, {code: 0, err: ""});
  assert.deepEqual(
    text.match(/stage=\w+|samples: \d+/g),
    ["ingestScrapes", "writeBlocks", "selectAll"].flatMap((name) => [`stage=${name}`, "samples: 1600"]),
  );
  assert.match((await tsdb("list", join(dir, "out"))).out, /\n[0-9A-Z]{26} .* 2 {8,}\d+\n$/);
  assert.match((await tsdb("bench", "write", out)).err, /cannot use .*out for a benchmark: it is not empty\n$/);
  writeFileSync(file, '{"__name__":"a"}\n{"x":1}\n');
  const wrong = await tsdb("bench", "write", `--out=${join(dir, "none")}`, file);
  assert.equal(wrong.err, `strata: error: cannot read ${file}:2: want an object of label names and values\n`);
});

/** A Prometheus that answers range queries with two series whose values follow from time and query. */
async function prometheus(t: TestContext): Promise<string> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const form = new URLSearchParams(body);
    // Whole ms, as Prometheus reads them.
    const [start = 0, end = 0, step = 1] = ["start", "end", "step"].map(
      (name) => Math.round(Number(form.get(name)) * 1000) / 1000,
    );
    response.setHeader("content-type", "application/json");
    if (form.get("query")?.includes("bad")) {
      response.statusCode = 422;
      response.end('{"status":"error","errorType":"execution","error":"no such thing"}');
      return;
    }
    const result = ["x", "y"].map((job) => {
      const values: [number, string][] = [];
      for (let at = start; at <= end; at += step)
        values.push([Math.round(at * 1000) / 1000, String(Math.trunc(at) % 977)]);
      values[0] = [start, "NaN"];
      return {metric: {__name__: "up", job, replica: "a"}, values};
    });
    response.end(JSON.stringify({status: "success", data: {resultType: "matrix", result}}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("create-blocks-from rules makes the samples that promtool makes", {skip: promtool.skip}, async (t) => {
  const dir = tempDir(t);
  const file = join(dir, "rules.yml");
  writeFileSync(
    file,
    `groups:
- {name: one, interval: 37s, rules: [{record: "job:a", expr: sum by (job) (up), labels: {replica: "", team: "t"}}]}
- {name: two, rules: [{record: "job:b", expr: up}]}
`,
  );
  const url = `--url=${await prometheus(t)}`;
  const range = ["--start=1700001234", "--end=2023-11-15T03:33:20Z", "--eval-interval=1m"];
  const args = (out: string) => ["create-blocks-from", "rules", url, ...range, `--output-dir=${join(dir, out)}`, file];
  const {code, err} = await tsdb(...args("ours"));
  assert.deepEqual({code, err}, {code: 0, err: ""});
  await promisify(execFile)(promtool.path, ["tsdb", ...args("theirs")]);
  for (const out of ["ours", "theirs"]) mkdirSync(join(dir, out, "wal"), {recursive: true});
  const want = sorted(theirs("dump", join(dir, "theirs")));
  assert.ok(want.length > 500);
  assert.deepEqual(sorted(theirs("dump", join(dir, "ours"))), want);
});

test("create-blocks-from rules says which rule could not be evaluated, and why", async (t) => {
  const dir = tempDir(t);
  const file = join(dir, "rules.yml");
  const f = async (rule: string, wanted: RegExp, url: string) => {
    writeFileSync(file, `groups: [{name: g, rules: [${rule}]}]`);
    const out = `--output-dir=${join(dir, "out")}`;
    const result = await tsdb("create-blocks-from", "rules", url, "--start=0", "--end=100", out, file);
    assert.equal(result.code, 1);
    assert.match(result.err, wanted);
  };
  const url = `--url=${await prometheus(t)}`;
  await f("{record: r, expr: bad}", /cannot evaluate rule r of group g at http:.*: no such thing\n$/, url);
  await f("{record: r, expr: 'sum('}", /rules\.yml: group g, rule 1 \(r\): .*parse error/, url);
  await f("{expr: up}", /group g, rule 1 .*neither record nor alert/, url);
  await f(
    "{record: r, expr: up}",
    /cannot evaluate rule r of group g at http:\/\/127\.0\.0\.1:1: /,
    "--url=http://127.0.0.1:1",
  );
});
