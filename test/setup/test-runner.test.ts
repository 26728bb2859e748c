import assert from "node:assert/strict";
import {spawnSync} from "node:child_process";
import {readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {pathToFileURL} from "node:url";
import {repoRoot, tempDir} from "@strata/base/testing";

type Result = {
  readonly tests: readonly {
    readonly name: string;
    readonly state: string;
    readonly reason?: string;
    readonly error?: string;
  }[];
  readonly output: string;
  readonly problem?: string;
};
type Runner = {runTestFile: (file: string, options: {env: NodeJS.ProcessEnv; timeoutMs: number}) => Promise<Result>};
type Files = {findTests: (kind: string, filters: readonly string[]) => string[]};

const load = async (name: string): Promise<unknown> => import(pathToFileURL(join(repoRoot, "scripts/lib", name)).href);
const {runTestFile} = (await load("test-process.mjs")) as Runner;
const {findTests} = (await load("test-files.mjs")) as Files;

/** Runs a test file with this body as `npm test` would. */
function runSource(t: TestContext, body: string, timeoutMs = 60_000): Promise<Result> {
  const file = join(tempDir(t), "case.test.mjs");
  writeFileSync(file, `import {describe, test} from "node:test";\n${body}`);
  const env = {...process.env};
  delete env.NODE_TEST_CONTEXT;
  return runTestFile(file, {env, timeoutMs});
}

test("passed, failed and skipped tests are told apart, with full names and reasons", async (t) => {
  const {tests, problem} = await runSource(
    t,
    `test("good", () => {});
     test("absent", {skip: "optional: no helm"}, () => {});
     test("later", {todo: "when there is time"}, () => { throw new Error("no"); });
     describe("suite", () => { test("bad", () => { throw new Error("broken"); }); });
     describe("whole", {skip: "missing: x"}, () => { test("never", () => {}); });
     test("parent", async (t) => { await t.test("child", () => { throw new Error("deep"); }); });`,
  );
  assert.equal(problem, undefined);
  const short = tests.map(({name, state, reason}) => [name, state, reason].join(" | "));
  assert.deepEqual(short.sort(), [
    "absent | skip | optional: no helm",
    "good | pass | ",
    "later | skip | todo: when there is time",
    "parent › child | fail | ",
    "suite › bad | fail | ",
    "whole | skip | missing: x",
  ]);
  assert.match(tests.find(({name}) => name === "suite › bad")?.error ?? "", /Error: broken/);
});

test("a failing hook is a failure", async (t) => {
  const {tests} = await runSource(
    t,
    `import {before} from "node:test"; describe("s", () => { before(() => { throw new Error("hook"); }); test("x", () => {}); });`,
  );
  assert.ok(tests.some(({state, error}) => state === "fail" && /hook/.test(error ?? "")));
});

test("a file that keeps a handle open is ended at its deadline", async (t) => {
  const result = await runSource(t, `test("fine", () => {}); setInterval(() => {}, 1000);`, 1500);
  assert.match(result.problem ?? "", /did not end within 1\.5 s; its last finished test: fine/);
});

test("a file that never leaves a loop is ended at its deadline", async (t) => {
  const result = await runSource(t, `test("loop", () => { for (;;); });`, 1500);
  assert.match(result.problem ?? "", /did not end/);
});

test("a file without tests and a file that cannot be loaded are failures", async (t) => {
  assert.match((await runSource(t, "")).problem ?? "", /has no tests/);
  const broken = await runSource(t, `throw new Error("at load");`);
  assert.match(broken.problem ?? "", /ended with 1/);
  assert.match(broken.output, /at load/);
});

test("processes that a file leaves behind end with it", async (t) => {
  const {output, problem} = await runSource(
    t,
    `import {spawn} from "node:child_process";
     test("leaks", () => {
       const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {stdio: "inherit"});
       child.unref();
       console.log("pid=" + child.pid);
     });`,
  );
  assert.equal(problem, undefined);
  assert.match(output, /still running and have been killed/);
  const pid = Number(/pid=(\d+)/.exec(output)?.[1]);
  // The kill may take a moment; a zombie that nobody has collected yet has no command line either.
  const deadline = performance.now() + 10_000;
  while (commandLine(pid) !== "" && performance.now() < deadline) await new Promise(setImmediate);
  assert.equal(commandLine(pid), "");
});

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

test("kinds and filters choose files by name", () => {
  const all = findTests("all", []);
  assert.ok(all.includes("test/setup/test-runner.test.ts"));
  const golden = findTests("golden", []);
  assert.ok(golden.length > 0 && golden.every((path) => path.endsWith(".golden.test.ts")));
  const unit = findTests("unit", []);
  assert.deepEqual([...unit, ...findTests("e2e", [])].sort(), [...all].sort());
  assert.ok(golden.every((path) => unit.includes(path) || path.startsWith("test/e2e/")));
  assert.deepEqual(findTests("unit", ["test/setup/test-run"]), ["test/setup/test-runner.test.ts"]);
  assert.deepEqual(findTests("unit", ["no-such-file"]), []);
});

test("an option that is not known runs nothing, help neither", () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [join(repoRoot, "scripts/test.mjs"), ...args]);
  const wrong = run("soak", "--nosuch");
  assert.equal(wrong.status, 2);
  assert.match(String(wrong.stderr), /unknown option --nosuch/);
  const help = run("soak", "--help");
  assert.equal(help.status, 0);
  assert.match(String(help.stdout), /^usage: /);
});
