import assert from "node:assert/strict";
import {chmodSync, cpSync, readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {goldenDir, tempDir} from "@strata/base/testing";
import {type DamageOp, damage} from "./testing/damage.ts";
import {goldenBlocks} from "./testing/golden-blocks.ts";
import {verifyBlock} from "./verify-block.ts";

type Case = {
  case: string;
  class: string;
  ops: DamageOp[];
  tsdb_3_14: {
    stage: string;
    series_read: number;
    chunks_read: number;
    samples_read: number;
    series_with_deletions: number;
    postings_read: number;
  };
};

const cases = JSON.parse(readFileSync(join(goldenDir("storage", "blocks", "corrupt"), "cases.json"), "utf8")) as Case[];
const [sound] = goldenBlocks("blocks", "corrupt");

for (const c of cases) {
  test(`${c.case}: class, stage and what could still be read`, async (t) => {
    const dir = join(tempDir(t), (sound?.name ?? "").split("/").at(-1) as string);
    cpSync(sound?.dir as string, dir, {recursive: true});
    for (const name of ["", ...readdirSync(dir, {recursive: true, encoding: "utf8"})])
      chmodSync(join(dir, name), 0o755);
    damage(dir, c.ops);
    const report = await verifyBlock(dir);
    assert.deepEqual(
      {
        class: report.class,
        stage: report.stage,
        series_read: report.series,
        chunks_read: report.chunks,
        samples_read: report.samples,
        series_with_deletions: report.seriesWithDeletions,
        postings_read: report.postings,
      },
      {
        class: c.class,
        stage: c.tsdb_3_14.stage,
        series_read: c.tsdb_3_14.series_read,
        chunks_read: c.tsdb_3_14.chunks_read,
        samples_read: c.tsdb_3_14.samples_read,
        series_with_deletions: c.tsdb_3_14.series_with_deletions,
        postings_read: c.tsdb_3_14.postings_read,
      },
      report.errors.map((e) => e.error.message).join("\n"),
    );
  });
}
