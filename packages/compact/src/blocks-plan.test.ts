import assert from "node:assert/strict";
import {test} from "node:test";
import type {Mark} from "@strata/block";
import {type BlockMeta, EMPTY_STATS, EMPTY_THANOS_META} from "@strata/tsdb";
import {type BlocksPlanOptions, blocksPlan} from "./blocks-plan.ts";
import {RESOLUTION} from "./downsample/resolution.ts";
import {COMPACTION_LEVELS} from "./plan/planner.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const OPTIONS: BlocksPlanOptions = {
  levels: COMPACTION_LEVELS,
  vertical: false,
  replicaLabels: [],
  downsampling: true,
  retention: {raw: 0, fiveMinutes: 0, oneHour: 0},
  deleteDelayMs: 2 * DAY,
};

/** A block of hours [from, to) that holds itself. */
const block = (ulid: string, from: number, to: number, more: Partial<BlockMeta> = {}): BlockMeta => ({
  ulid,
  minTime: from * HOUR,
  maxTime: to * HOUR,
  stats: {...EMPTY_STATS, numSamples: to - from, numSeries: 1},
  compaction: {level: 1, sources: [ulid], deletable: false, parents: [], failed: false, hints: []},
  version: 1,
  thanos: {...EMPTY_THANOS_META, labels: {cluster: "a"}},
  ...more,
});
const downsampled = (ulid: string, of: BlockMeta, resolution: number): BlockMeta => ({
  ...of,
  ulid,
  thanos: {...EMPTY_THANOS_META, labels: {cluster: "a"}, resolution},
});

type Marks = {deletion?: Mark[]; noCompact?: Mark[]; noDownsample?: Mark[]};
const byUlid = (marks: readonly Mark[] = []) => new Map(marks.map((mark) => [mark.ulid, mark]));
/** What is planned for blocks with marks. */
function planOf(metas: readonly BlockMeta[], more: Partial<BlocksPlanOptions> = {}, marks: Marks = {}, now = 0) {
  const all = new Map(metas.map((meta) => [meta.ulid, meta]));
  const state = {
    all,
    metas: all,
    partial: new Map(),
    duplicates: [],
    deletionMarks: byUlid(marks.deletion),
    noCompact: byUlid(marks.noCompact),
    noDownsample: byUlid(marks.noDownsample),
  };
  return blocksPlan(state, {...OPTIONS, ...more}, now);
}

test("merges come in their order, later ones name the blocks of earlier ones, and what waits says for what", () => {
  // Hours 0 to 54 in blocks of two: six ranges of 8 h, which are one of 48 h; three blocks are left.
  const metas = Array.from({length: 27}, (_, i) => block(`B${String(i).padStart(2, "0")}`, 2 * i, 2 * i + 2));
  const [group, ...none] = planOf(metas).groups;
  assert.ok(group !== undefined && none.length === 0);
  assert.deepEqual([group.labels, group.blocks, group.samples], [{cluster: "a"}, 27, 54]);
  assert.deepEqual(
    group.compactions.map(({action, reason, blocks, minTime, maxTime, level}) => [
      ...[action, reason, blocks.length, minTime / HOUR, maxTime / HOUR, level],
    ]),
    [
      ...[0, 8, 16, 24, 32, 40].map((hour) => ["merge", "range", 4, hour, hour + 8, 2]),
      ["merge", "range", 24, 0, 48, 3],
    ],
  );
  assert.deepEqual(
    group.compactions.at(-1)?.blocks,
    metas.slice(0, 24).map(({ulid}) => ulid),
  );
  assert.equal(group.compactions[0]?.why, "The 8 h from 1970-01-01T00:00:00Z are complete.");
  assert.deepEqual(group.waiting?.blocks, ["B24", "B25", "B26"]);
  assert.match(group.waiting?.why ?? "", /^The 8 h up to 1970-01-03T08:00:00Z may still fill/);
});

test("overlapping blocks are merged, or set aside where that is off", () => {
  const metas = [block("A", 0, 2), block("B", 0, 2), block("C", 2, 4)];
  const first = (vertical: boolean) => planOf(metas, {vertical}).groups[0]?.compactions[0];
  assert.deepEqual([first(true)?.action, first(true)?.blocks], ["merge", ["A", "B"]]);
  assert.deepEqual([first(false)?.action, first(false)?.blocks], ["set-aside", ["A", "B"]]);
  const coarse = metas.map((meta) => downsampled(meta.ulid, meta, RESOLUTION.fiveMinutes));
  assert.equal(planOf(coarse, {vertical: true}).groups[0]?.compactions[0]?.action, "set-aside");
});

test("a block with a no-compact mark is planned nowhere, and its mark is shown", () => {
  const metas = [0, 1, 2, 3, 4].map((i) => block(`B${i}`, 2 * i, 2 * i + 2));
  const mark = {ulid: "B1", time: 7, details: "bad", reason: "manual"};
  const plan = planOf(metas, {}, {noCompact: [mark]});
  assert.deepEqual(plan.groups[0]?.compactions[0]?.blocks, ["B2", "B3"]);
  assert.deepEqual(plan.marks, [{block: "B1", kind: "no-compact", reason: "manual", details: "bad", time: 7000}]);
});

test("a long block is to be downsampled; one beyond its retention is held until it is", () => {
  const metas = [block("A", 0, 48), block("B", 48, 56)];
  assert.deepEqual(
    planOf(metas).groups[0]?.downsamplings.map(({block, to}) => [block, to]),
    [["A", RESOLUTION.fiveMinutes]],
  );
  assert.deepEqual(planOf(metas, {downsampling: false}).groups[0]?.downsamplings, []);
  const now = 400 * DAY;
  const keep = {retention: {raw: 30 * DAY, fiveMinutes: 0, oneHour: 0}};
  const fine = downsampled("C", metas[0] as BlockMeta, RESOLUTION.fiveMinutes);
  const plan = planOf([...metas, fine], keep, {}, now);
  assert.deepEqual(
    plan.deletions.map(({block, reason, at, why, held}) => [block, reason, at, why, held]),
    [
      ["A", "retention", now + 2 * DAY, "block exceeding retention of 720h0m0s", null],
      [
        ...["B", "retention", now + 2 * DAY, "block exceeding retention of 720h0m0s"],
        "no block of resolution 300000 ms holds source B",
      ],
    ],
  );
  // What is left of B is saved before it goes.
  assert.match(plan.groups[0]?.downsamplings[0]?.why ?? "", /beyond its retention/);
});

test("marked blocks go when the delay is over, but for the last copy of their data", () => {
  const details = "source of compacted block";
  const metas = [block("A", 0, 2), block("B", 2, 4)];
  const whole = block("C", 0, 2, {compaction: {...block("A", 0, 2).compaction, level: 2}});
  const marks = {
    deletion: [
      {ulid: "B", time: 10, details, reason: ""},
      {ulid: "A", time: 20, details, reason: ""},
    ],
  };
  const {deletions} = planOf([...metas, whole], {}, marks);
  assert.deepEqual(
    deletions.map(({block, reason, at, held}) => [block, reason, at, held === null]),
    [
      ["B", "marked", 10_000 + 2 * DAY, false],
      ["A", "marked", 20_000 + 2 * DAY, true],
    ],
  );
});
