import assert from "node:assert/strict";
import {test} from "node:test";
import fc from "fast-check";
import type {Block} from "./block.ts";
import {bars, lanes} from "./lanes.ts";

const block = (minTime: number, maxTime: number, level = 1): Block => ({
  ulid: `${minTime}-${maxTime}`,
  minTime,
  maxTime,
  stats: {},
  compaction: {level},
});
const spans = fc.array(fc.tuple(fc.nat(1000), fc.integer({min: 1, max: 300})), {maxLength: 60});

test("no two blocks of a row overlap, none is lost, and one row is enough for blocks that do not overlap", () => {
  fc.assert(
    fc.property(spans, (list) => {
      const blocks = list.map(([from, length]) => block(from, from + length));
      const rows = lanes(blocks);
      assert.deepEqual(
        rows
          .flat()
          .map(({ulid}) => ulid)
          .sort(),
        blocks.map(({ulid}) => ulid).sort(),
      );
      for (const row of rows) {
        row.forEach((one, i) => {
          assert.ok(i === 0 || (row[i - 1] as Block).maxTime <= one.minTime);
        });
      }
    }),
  );
  assert.equal(lanes([block(20, 30), block(0, 10), block(10, 20)]).length, 1);
  assert.equal(lanes([block(0, 10), block(5, 15), block(10, 20)]).length, 2);
});

test("short neighbours of one level become one bar; long ones, others and those beyond a gap stay apart", () => {
  const row = [block(0, 2), block(2, 4), block(4, 6, 2), block(6, 8, 2), block(30, 32), block(32, 60), block(60, 62)];
  const drawn = (from: number, to: number) =>
    bars(row, from, to, 5, () => "").map((bar) => [bar.from, bar.to, bar.level, bar.blocks.length]);
  assert.deepEqual(drawn(0, 100), [
    [0, 4, 1, 2],
    [4, 8, 2, 2],
    [30, 32, 1, 1],
    [32, 60, 1, 1],
    [60, 62, 1, 1],
  ]);
  assert.deepEqual(drawn(4, 31), [
    [4, 8, 2, 2],
    [30, 32, 1, 1],
  ]);
  const marked = bars(row.slice(0, 2), 0, 100, 5, ({ulid}) => ulid);
  assert.equal(marked.length, 2);
});
