import assert from "node:assert/strict";
import {test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {Labels} from "@strata/model";
import {Db} from "../head/db.ts";
import {readAll} from "../head/testing/read-all.ts";
import {DataDir} from "./data-dir.ts";

const T0 = 1_700_000_000_000;
const MINUTE = 60_000;

test("samples in the log that are newer than the blocks in order are there, also beneath a later out-of-order block", async (t) => {
  const dir = tempDir(t);
  const db = await Db.open(dir, {outOfOrderWindow: 120 * MINUTE, outOfOrderCap: 4});
  const labels = Labels.fromObject({__name__: "m"});
  for (let i = 0; i < 300; i++) {
    const app = db.head.appender();
    const ref = app.seriesOf(labels);
    app.float(ref, T0 + i * MINUTE, i);
    if (i > 2) app.float(ref, T0 + i * MINUTE - 90_000, -i);
    await app.commit();
  }
  const metas = await db.maintain();
  const ends = metas.map((meta) => [meta.compaction.hints.length, meta.maxTime] as const);
  const lateEnd = Math.max(...ends.filter(([hints]) => hints > 0).map(([, end]) => end));
  assert.ok(lateEnd > Math.max(...ends.filter(([hints]) => hints === 0).map(([, end]) => end)));
  const want = await readAll([db]);
  await db.close();
  const whole = await DataDir.open(dir);
  t.after(() => whole.close());
  assert.deepEqual(await readAll([whole as never]), want);
  assert.equal(want.get(String(labels))?.size, 597);
  // A range that only blocks in order lie in may have late samples in the log.
  const part = await DataDir.open(dir, {mint: T0, maxt: T0 + MINUTE});
  t.after(() => part.close());
  assert.notEqual(part.head, undefined);
});
