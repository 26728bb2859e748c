import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {dedupPenaltyTwin} from "@strata/kernels";
import {type DedupFunc, dedupLanes, type Lane} from "./dedup.ts";

type Sample = readonly [number, unknown];
type Case = {id: string; replicas: Sample[][]; penalty?: Sample[]; penalty_counter?: Sample[]; chain?: Sample[]};

function lane(samples: readonly Sample[]): Lane {
  const ts = Float64Array.from(samples, ([t]) => t);
  const bits = BigUint64Array.from(samples, ([, v]) => (typeof v === "string" ? BigInt(`0x${v}`) : 0n));
  const other = samples.map(([, v]) => (typeof v === "string" ? undefined : v));
  return {ts, vs: new Float64Array(bits.buffer), n: ts.length, other};
}

function samples(of: Lane): Sample[] {
  const bits = new BigUint64Array(of.vs.buffer);
  return Array.from({length: of.n}, (_, i) => [of.ts[i]!, of.other?.[i] ?? bits[i]!.toString(16).padStart(16, "0")]);
}

const cases = gunzipSync(readFileSync(join(goldenDir("query", "dedup"), "cases.jsonl.gz")))
  .toString()
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Case);

for (const [key, func, counter] of [
  ["penalty", "penalty", false],
  ["penalty_counter", "penalty", true],
  ["chain", "chain", false],
] as [keyof Case & ("penalty" | "penalty_counter" | "chain"), DedupFunc, boolean][]) {
  test(`${key} gives the samples of the original`, () => {
    let compared = 0;
    for (const c of cases) {
      const want = c[key];
      if (want === undefined) continue;
      assert.deepEqual(samples(dedupLanes(c.replicas.map(lane), func, counter)), want, c.id);
      compared++;
    }
    assert.ok(compared > 0);
  });
}

test("the columns' merge of two replicas of floats gives the samples of the original", () => {
  let compared = 0;
  for (const c of cases) {
    const [a, b] = c.replicas.map(lane);
    if (c.replicas.length !== 2 || a === undefined || b === undefined) continue;
    if (c.replicas.some((samples) => samples.some(([, v]) => typeof v !== "string"))) continue;
    for (const key of ["penalty", "penalty_counter"] as const) {
      const want = c[key];
      if (want === undefined) continue;
      // A counter's stale marker loses its signalling bit, which only the kernel does bit by bit.
      if (key === "penalty_counter" && c.replicas.some((of) => of.some(([, v]) => v === "7ff0000000000002"))) continue;
      const merged = dedupPenaltyTwin(a.ts, a.vs, a.n, b.ts, b.vs, b.n, key === "penalty_counter");
      assert.deepEqual(samples({...merged, other: undefined}), want, `${c.id} ${key}`);
      compared++;
    }
  }
  assert.ok(compared > 0);
});
