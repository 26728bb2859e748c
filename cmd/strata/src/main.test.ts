import assert from "node:assert/strict";
import {spawn} from "node:child_process";
import {join} from "node:path";
import {test} from "node:test";
import {everyCommand} from "./help.ts";

const BIN = join(import.meta.dirname, "../bin/strata.js");

type Result = {readonly code: number | null; readonly out: string; readonly err: string};

function strata(...args: readonly string[]): Promise<Result> {
  const child = spawn(process.execPath, [BIN, ...args], {stdio: ["ignore", "pipe", "pipe"]});
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (s: string) => (out += s));
  child.stderr.setEncoding("utf8").on("data", (s: string) => (err += s));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({code, out, err}));
  });
}

test("no command prints the commands and ends with 0", async () => {
  const {code, out, err} = await strata();
  assert.equal(code, 0);
  assert.equal(err, "");
  for (const name of [
    "sidecar",
    "store",
    "query",
    "rule",
    "compact",
    "receive",
    "query-frontend",
    "standalone",
    "tools",
  ]) {
    assert.match(out, new RegExp(`strata ${name} `), name);
  }
});

test("a group of commands without one of them ends with 2", async () => {
  for (const group of [["tools"], ["tools", "bucket"]]) {
    const {code, err} = await strata(...group);
    assert.equal(code, 2);
    assert.match(err, /^usage: strata tools/);
  }
});

test("unknown flags and commands end with 1 and one line", async () => {
  const f = async (args: readonly string[], want: string) => {
    const {code, out, err} = await strata(...args);
    assert.deepEqual({code, out, err}, {code: 1, out: "", err: want});
  };
  await f(["query", "--nope"], "strata: error: unknown long flag '--nope'\n");
  await f(["nope"], 'strata: error: expected command but got "nope"\n');
  await f(["store", "--web.disable-cors=true"], "strata: error: unexpected true\n");
});

test("bad values end with 2, usage and a reason; configuration text is not repeated", async () => {
  const {code, out, err} = await strata("store", "--objstore.config", "secret_key: abc", "--sync-block-duration=1y");
  assert.equal(code, 2);
  assert.equal(out, "");
  assert.match(err, /^usage: strata store \[<flags>\]\n/);
  assert.match(
    err,
    /\nerror parsing commandline arguments: \[strata store .*\]: flag --sync-block-duration: .* in duration "1y"/,
  );
  assert.doesNotMatch(err, /abc/);
});

test("help shows a command's flags, its defaults and examples, but no hidden flag", async () => {
  const {code, out} = await strata("query", "--help");
  assert.equal(code, 0);
  assert.match(out, /--query\.timeout .*\n.*default: 2m/);
  assert.match(out, /Examples:/);
  assert.doesNotMatch(out, /inject-test-addresses/);
});

test("version, help of help and the manual page end with 0", async () => {
  const version = await strata("--version");
  assert.equal(version.code, 0);
  assert.match(version.out, /^strata, version \d+\.\d+\.\d+ /);
  const man = await strata("--help-man");
  assert.equal(man.code, 0);
  assert.match(man.out, /^\.TH strata 1\n/);
  assert.match((await strata("help", "tools", "bucket", "ls")).out, /^usage: strata tools bucket ls/);
});

test("every command has help for each of its flags, and a default that its own type accepts", async () => {
  const {parseFlags} = await import("./flags/parse.ts");
  for await (const {path, module} of everyCommand()) {
    const name = path.map((c) => c.name).join(" ");
    assert.equal(module === undefined, path.at(-1)?.commands !== undefined, name);
    if (module === undefined) continue;
    assert.ok((path.at(-1)?.examples?.length ?? 0) > 0, `${name} has no example`);
    const optional = Object.fromEntries(
      Object.entries(module.flags).map(([flag, spec]) => {
        assert.match(spec.help, /^[A-Za-z].*[.][)]?$/, `${name} --${flag}`);
        return [flag, {...spec, required: false, default: spec.required === true ? undefined : spec.default}];
      }),
    );
    const needed = Object.keys(module.flags).filter((f) => module.flags[f]?.required === true);
    for (const flag of needed) delete optional[flag];
    parseFlags(optional, []);
  }
});
