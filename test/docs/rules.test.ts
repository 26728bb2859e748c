import assert from "node:assert/strict";
import {spawnSync} from "node:child_process";
import {readdirSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {repoRoot, requireTool} from "@strata/base/testing";
import {RULE_TESTS, RULES, ruleFiles} from "./rule-series.ts";

const testFiles = readdirSync(join(repoRoot, RULE_TESTS)).map((name) => `${RULE_TESTS}/${name}`);
const strata = join(repoRoot, "cmd/strata/bin/strata.js");

function run(command: string, ...args: string[]): {code: number | null; out: string} {
  const {status, stdout, stderr} = spawnSync(command, args, {cwd: repoRoot, encoding: "utf8"});
  return {code: status, out: `${stdout}${stderr}`};
}

test("rule files pass rules-check --lint and their unit tests", () => {
  const lint = run(process.execPath, strata, "tools", "rules-check", "--lint", `--rules=${RULES}/*.yml`);
  assert.equal(lint.code, 0, lint.out);
  const unit = run(process.execPath, strata, "tools", "test-rules", ...testFiles);
  assert.equal(unit.code, 0, unit.out);
});

const promtool = requireTool("promtool");

test("rule files pass Debian's promtool", {skip: promtool.skip}, () => {
  const {code, out} = run(promtool.path, "check", "rules", ...ruleFiles);
  assert.equal(code, 0, out);
});

test("unit tests of rules pass Debian's promtool", {skip: promtool.skip}, () => {
  const {code, out} = run(promtool.path, "test", "rules", ...testFiles);
  assert.equal(code, 0, out);
});
