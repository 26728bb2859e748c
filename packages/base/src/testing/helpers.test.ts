import assert from "node:assert/strict";
import {chmodSync, existsSync, mkdirSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {goldenDir, repoRoot, tempDir} from "./paths.ts";
import {random, repeat} from "./repeat.ts";
import {anySkip, requireTool} from "./tools.ts";

/** Sets a variable for one test. */
function setEnv(t: TestContext, name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  t.after(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

test("repoRoot is the folder of the workspaces", () => {
  assert.ok(existsSync(join(repoRoot, "packages/base/package.json")));
});

test("goldenDir follows STRATA_GOLDEN and refuses a folder that is not there", (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, "query/api"), {recursive: true});
  setEnv(t, "STRATA_GOLDEN", dir);
  assert.equal(goldenDir("query", "api"), join(dir, "query/api"));
  assert.throws(() => goldenDir("query", "absent"), {code: "not_found"});
});

test("tempDir is removed with its content when the scope ends", async () => {
  const hooks: (() => void | Promise<void>)[] = [];
  const dir = tempDir({after: (fn) => void hooks.push(fn)});
  writeFileSync(join(dir, "file"), "x");
  for (const hook of hooks) await hook();
  assert.equal(existsSync(dir), false);
});

test("repeat scales by STRATA_REPEAT, is at least 1 and refuses nonsense", (t) => {
  const f = (factor: string, n: number, want: number) => {
    setEnv(t, "STRATA_REPEAT", factor);
    assert.equal(repeat(n), want);
  };
  f("1", 200, 200);
  f("0.1", 200, 20);
  f("0.1", 3, 1);
  setEnv(t, "STRATA_REPEAT", "often");
  assert.throws(() => repeat(1), /STRATA_REPEAT=often/);
});

test("random gives equal sequences for equal seeds, spread over [0, 1)", () => {
  const [a, b, other] = [random(7), random(7), random(8)];
  const first = Array.from({length: 1000}, a);
  assert.deepEqual(Array.from({length: 1000}, b), first);
  assert.notDeepEqual(Array.from({length: 1000}, other), first);
  assert.ok(first.every((x) => x >= 0 && x < 1));
  const mean = first.reduce((sum, x) => sum + x, 0) / first.length;
  assert.ok(mean > 0.45 && mean < 0.55, `mean ${mean}`);
});

test("requireTool finds programs on PATH and says which absent ones are optional", (t) => {
  const dir = tempDir(t);
  const install = (name: string, version: string) => {
    writeFileSync(join(dir, name), `#!/bin/sh\necho "${name}, version ${version}"\n`);
    chmodSync(join(dir, name), 0o755);
  };
  install("thanos", "0.41.0");
  install("prometheus", "2.42.0");
  install("promtool", "3.14.0");
  setEnv(t, "PATH", dir);
  assert.deepEqual(requireTool("thanos"), {path: join(dir, "thanos"), skip: false});
  assert.match(String(requireTool("helm").skip), /^optional: no helm/);
  assert.match(String(requireTool("prometheus3").skip), /^optional: no prometheus of version 3/);
  assert.deepEqual(requireTool("promtool3"), {path: join(dir, "promtool"), skip: false});
  assert.match(String(requireTool("pushgateway").skip), /^missing: pushgateway .*setup:test/);
  assert.equal(anySkip(requireTool("thanos")), false);
  assert.match(String(anySkip(requireTool("thanos"), requireTool("helm"))), /helm/);
});
