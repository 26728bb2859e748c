import assert from "node:assert/strict";
import {readdirSync, readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {goldenDir} from "@strata/base/testing";
import {KnownFailures} from "./testing/known-failures.ts";
import {runScript} from "./testing/script-runner.ts";

const dir = goldenDir("query", "promqltest");

test("the scripts of the PromQL test corpus pass", async () => {
  const known = new KnownFailures(new URL("../test/known-scripts.txt", import.meta.url));
  const files = readdirSync(dir).filter((name) => name.endsWith(".test"));
  assert.ok(files.length > 0);
  for (const file of files) {
    const outcomes = await runScript(readFileSync(join(dir, file), "utf8"), file);
    assert.ok(outcomes.length > 0, file);
    for (const {line, expr, failure} of outcomes) known.record(`${file}:${line}`, failure && `${expr}: ${failure}`);
  }
  const report = process.env.STRATA_GOLDEN_REPORT;
  if (report !== undefined) writeFileSync(report, [...known.failed].map(([id, t]) => `${id}: ${t}\n`).join(""));
  assert.equal(known.complaint(), undefined);
});
