import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {cpSync} from "node:fs";
import {test} from "node:test";
import {requireTool, tempDir} from "@strata/base/testing";
import {appendFloatChunk, newFloatColumns} from "@strata/chunkenc";
import {Labels} from "@strata/model";
import {Db} from "./db.ts";
import {selectAll} from "./testing/read-all.ts";

const promtool = requireTool("promtool");
const T0 = 1_700_006_400_000;
const MINUTE = 60_000;

/** What `promtool tsdb dump` prints for the database, sorted. */
async function lines(db: Db): Promise<string[]> {
  const out: string[] = [];
  for await (const batch of db.select(selectAll(), new AbortController().signal)) {
    batch.labels.forEach((labels, row) => {
      const seen = new Set<number>();
      for (let i = batch.firstChunk[row] as number; i < (batch.firstChunk[row + 1] as number); i++) {
        const columns = newFloatColumns(0);
        appendFloatChunk(
          batch.encoding[i] as number,
          batch.bytes,
          batch.offset[i] as number,
          batch.length[i] as number,
          columns,
        );
        for (let s = 0; s < columns.n; s++) {
          const t = columns.t[s] as number;
          if (seen.has(t)) continue;
          seen.add(t);
          out.push(`${labels} ${columns.v[s]} ${t}`);
        }
      }
    });
  }
  return out.sort();
}

for (const compression of ["none", "snappy"] as const) {
  test(`promtool reads a killed data directory with log, checkpoint, chunk files and blocks (${compression})`, {
    skip: promtool.skip,
  }, async (t) => {
    const dir = tempDir(t);
    const db = await Db.open(dir, {wal: {compression, segmentBytes: 32 * 1024}});
    t.after(() => db.close());
    for (let n = 0; n < 9 * 60; n++) {
      const app = db.head.appender();
      for (let i = 0; i < 12; i++) {
        const labels = Labels.fromObject({__name__: "m", i: String(i), job: `j${i % 3}`});
        app.float(app.seriesOf(labels), T0 + n * MINUTE + i, (n * i) % 37);
      }
      await app.commit();
      if (n === 7 * 60) await db.maintain();
    }
    assert.ok(db.blocks.length > 0);
    assert.notEqual(db.head.store.newest[0], 0);
    const copy = tempDir(t);
    cpSync(dir, copy, {recursive: true});
    const dump = execFileSync(promtool.path, ["tsdb", "dump", copy], {encoding: "utf8", maxBuffer: 2 ** 28});
    assert.deepEqual(
      dump
        .split("\n")
        .filter((line) => line !== "")
        .sort(),
      await lines(db),
    );
  });
}
