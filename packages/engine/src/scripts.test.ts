import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {test} from "node:test";
import {runScript} from "./testing/script-runner.ts";

const dir = new URL("../test/scripts/", import.meta.url);

for (const file of readdirSync(dir)) {
  test(`${file} holds`, async () => {
    const outcomes = await runScript(readFileSync(new URL(file, dir), "utf8"), file);
    assert.ok(outcomes.length > 0);
    const failures = outcomes.filter((o) => o.failure !== undefined);
    assert.deepEqual(failures.map((o) => `${file}:${o.line}: ${o.expr}: ${o.failure}`).join("\n"), "");
  });
}
