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

test("test-rules tells of each file, and fails when one does", (t) => {
  const dir = tempDir(t);
  const file = (name: string, value: number) => {
    const expected = `[{expr: 1 + 1, eval_time: 0m, exp_samples: [{value: ${value}}]}]`;
    writeFileSync(join(dir, name), `tests: [{name: sums, promql_expr_test: ${expected}}]\n`);
    return join(dir, name);
  };
  const [good, bad] = [file("good.yml", 2), file("bad.yml", 3)];
  const {status, stdout, stderr} = strata("tools", "test-rules", good, bad);
  assert.equal(status, 1);
  assert.match(stderr, /error: 1 of 2 files with failed tests/);
  assert.match(
    stdout,
    /good\.yml\n {2}SUCCESS\n[\s\S]*bad\.yml\n {2}FAILED:\n {4}expr: "1 \+ 1", time: 0s,\n {8}exp: \{\} 3E\+00\n {8}got: \{\} 2E\+00\n/,
  );
  assert.equal(strata("tools", "test-rules", "--run=nothing", good, bad).status, 0);
});
