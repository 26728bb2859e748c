import assert from "node:assert/strict";
import {spawnSync} from "node:child_process";
import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {repoRoot, tempDir} from "@strata/base/testing";

function strata(...args: string[]) {
  const {status, stdout, stderr} = spawnSync(process.execPath, [join(repoRoot, "cmd/strata/bin/strata.js"), ...args], {
    encoding: "utf8",
  });
  return {status, stdout, stderr};
}

test("promql-test prints what does not hold, counts, and fails", (t) => {
  const file = join(tempDir(t), "a.test");
  writeFileSync(file, "load 1m\n  x 1 2 3\n\neval instant at 2m x\n  x 3\n\neval instant at 2m x + 1\n  {} 5\n");
  const {status, stdout} = strata("tools", "promql-test", file);
  const lines = stdout.trimEnd().split("\n");
  assert.match(lines[0] ?? "", /a\.test:7: x \+ 1: /);
  assert.equal(lines.at(-1), "1 passed, 1 failed");
  assert.equal(status, 1);
});

test("promql-test succeeds when everything holds", (t) => {
  const file = join(tempDir(t), "a.test");
  writeFileSync(file, "eval instant at 0 1 + 1\n  2\n");
  assert.deepEqual(strata("tools", "promql-test", file), {status: 0, stdout: "1 passed, 0 failed\n", stderr: ""});
});

test("promql format, parse and explain look at one expression", () => {
  assert.equal(strata("tools", "promql", "format", "sum(x)by(job)").stdout, "sum by (job) (x)\n");
  assert.equal(JSON.parse(strata("tools", "promql", "parse", "rate(x[5m])").stdout).type, "call");
  assert.match(strata("tools", "promql", "explain", "sum(rate(x[5m]))").stdout, /\n {2}\S/);
});

test("a faulty expression ends with its position", () => {
  const {status, stderr} = strata("tools", "promql", "format", "sum(");
  assert.equal(status, 1);
  assert.match(stderr, /1:5: parse error: unclosed left parenthesis/);
});
