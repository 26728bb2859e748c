import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {goldenDir} from "@strata/base/testing";
import {Labels} from "./labels.ts";
import {relabel, relabelConfigs} from "./relabel.ts";

type Case = {
  block_id: string;
  external_labels: Record<string, string>;
  keep: boolean;
  modulus: number;
  separator: string;
  shard: string;
  source_labels: string[];
};

test("hashmod shards blocks as the reference does", () => {
  const cases = JSON.parse(readFileSync(join(goldenDir("storage", "hash"), "relabel-hashmod.json"), "utf8")) as Case[];
  assert.ok(cases.length > 0);
  for (const c of cases) {
    const rules = relabelConfigs([
      {
        action: "hashmod",
        source_labels: c.source_labels,
        separator: c.separator,
        modulus: c.modulus,
        target_label: "shard",
      },
    ]);
    const got = relabel(Labels.fromObject({...c.external_labels, __block_id: c.block_id}), rules);
    assert.equal(got?.get("shard"), c.shard, c.block_id);
  }
});
