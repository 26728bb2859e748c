import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {Labels} from "./labels.ts";
import {labelsHash, shardOf} from "./labels-hash.ts";

type Case = {
  readonly labels: readonly (readonly [string, string])[];
  readonly stable_hash: string;
  readonly shard_info?: readonly {
    readonly by: boolean;
    readonly labels: readonly string[];
    readonly shard_index: number;
    readonly total_shards: number;
  }[];
};

const cases = gunzipSync(readFileSync(goldenDir("storage", "hash", "labels.jsonl.gz")))
  .toString("utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Case);

test("stable hashes and shards are those of the reference programs", () => {
  assert.ok(cases.length > 0);
  for (const c of cases) {
    const labels = Labels.fromPairs(c.labels);
    assert.equal(labelsHash(labels).toString(16).padStart(16, "0"), c.stable_hash, labels.toString());
    for (const s of c.shard_info ?? []) {
      const shard = {total: s.total_shards, by: s.by, labels: s.labels};
      assert.equal(shardOf(labels, shard), s.shard_index, `${labels} by ${JSON.stringify(s)}`);
    }
  }
});

test("the shard of a very large total is exact", () => {
  const labels = Labels.fromObject({__name__: "up", job: "a"});
  const total = 3_000_000_019;
  assert.equal(shardOf(labels, {total, by: false, labels: []}), Number(labelsHash(labels) % BigInt(total)));
});
