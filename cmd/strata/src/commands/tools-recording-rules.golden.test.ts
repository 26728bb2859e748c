import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {goldenDir} from "@strata/base/testing";
import {firstEvaluation} from "./tools-recording-rules.ts";

type Case = {
  readonly file: string;
  readonly name: string;
  readonly interval_ns: string;
  readonly slicelabels: {readonly offset_ns: string};
};

test("groups are evaluated at the offsets of the reference", () => {
  const cases = JSON.parse(readFileSync(goldenDir("storage", "hash", "rule-group-offsets.json"), "utf8")) as Case[];
  assert.ok(cases.length > 0);
  for (const {file, name, interval_ns, slicelabels} of cases) {
    const interval = BigInt(interval_ns);
    // The first slot after a multiple of the interval lies at the offset.
    const from = (1_700_000_000_000_000_000n / interval) * interval;
    if (from % 1_000_000_000n !== 0n) continue;
    const first = firstEvaluation(
      {file, name, intervalMs: Number(interval / 1_000_000n), rules: []},
      Number(from / 1_000_000n),
    );
    const want = Number((from + BigInt(slicelabels.offset_ns) + 500_000n) / 1_000_000n);
    // A slot less than a second before `from` counts as at it.
    assert.ok(first === want || want - first === Number(interval / 1_000_000n), `${file} ${name} ${interval_ns}`);
  }
});
