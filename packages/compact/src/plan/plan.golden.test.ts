import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {DuplicateFilter, type MetaFilter, replicaLabelRemover} from "@strata/block";
import {type BlockMeta, EMPTY_STATS, EMPTY_THANOS_META} from "@strata/tsdb";
import {groupBlocks} from "./groups.ts";
import {planWithin} from "./limited-plan.ts";
import {planCompaction} from "./planner.ts";
import {afterMerge} from "./simulate.ts";

type Block = {
  readonly ulid: string;
  readonly min_time: number;
  readonly max_time: number;
  readonly level: number;
  readonly sources: readonly string[];
  readonly series?: number;
  readonly tombstones?: number;
  readonly failed?: boolean;
  readonly no_compact?: boolean;
  readonly resolution?: number;
  readonly index_size?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly extensions?: unknown;
};

const root = goldenDir("storage", "compaction");
const read = <T>(name: string): T => JSON.parse(gunzipSync(readFileSync(join(root, name))).toString("utf8")) as T;

const metaOf = (b: Block): BlockMeta => ({
  ulid: b.ulid,
  minTime: b.min_time,
  maxTime: b.max_time,
  stats: {...EMPTY_STATS, numSeries: b.series ?? 0, numTombstones: b.tombstones ?? 0},
  compaction: {
    level: b.level,
    sources: b.sources,
    deletable: false,
    parents: [],
    failed: b.failed ?? false,
    hints: [],
  },
  version: 1,
  thanos: {
    ...EMPTY_THANOS_META,
    labels: b.labels ?? {},
    resolution: b.resolution ?? 0,
    extensions: b.extensions,
    files: b.index_size === undefined ? [] : [{relPath: "index", sizeBytes: b.index_size}],
  },
});

const byMinTime = (metas: readonly BlockMeta[]): BlockMeta[] =>
  [...metas].sort((a, b) => a.minTime - b.minTime || (a.ulid < b.ulid ? -1 : 1));

/** Blocks of equal times come in no fixed order. */
const timesOf = (metas: readonly BlockMeta[]): string[] =>
  metas.map(({minTime, maxTime}) => `${minTime}-${maxTime}`).sort();

type PlanCase = {
  readonly name: string;
  readonly planner: "default" | "index_size" | "vertical_downsample";
  readonly ranges: readonly number[];
  readonly total_index_size_limit?: number;
  readonly blocks: readonly Block[];
  readonly result: {
    readonly plan: readonly string[];
    readonly marked_no_compact?: readonly string[];
    readonly mark_reasons?: readonly string[];
  };
};

for (const {name, planner, ranges, total_index_size_limit, blocks, result} of read<PlanCase[]>("plans.json.gz")) {
  test(`plan: ${name} (${planner})`, async () => {
    const metas = byMinTime(blocks.map(metaOf));
    const excluded = new Set(blocks.filter((b) => b.no_compact).map((b) => b.ulid));
    const {plan, exclusions} =
      planner === "default"
        ? {plan: planCompaction(metas, excluded, ranges), exclusions: []}
        : await planWithin(metas, excluded, {
            levels: ranges,
            maxIndexBytes: total_index_size_limit ?? 0,
            vertical: planner === "vertical_downsample",
            indexBytes: () => assert.fail("the size is in meta.json"),
          });
    const want = metas.filter(({ulid}) => result.plan.includes(ulid));
    assert.deepEqual(timesOf(plan), timesOf(want));
    const marked = exclusions.map(({ulid, reason}) => `${ulid} ${reason}`).sort();
    const wanted = (result.marked_no_compact ?? []).map((ulid, i) => `${ulid} ${result.mark_reasons?.[i]}`).sort();
    assert.deepEqual(marked, wanted);
  });
}

type Sequence = {
  readonly ranges: readonly number[];
  readonly blocks: readonly Block[];
  readonly steps: readonly (readonly string[])[];
  readonly final: readonly Block[];
};

test("plans of one group, one after the other, are those of the reference", () => {
  for (const {ranges, blocks, steps, final} of read<Sequence[]>("plan-sequences.json.gz")) {
    let metas = byMinTime(blocks.map(metaOf));
    const given = new Set(blocks.map(({ulid}) => ulid));
    const excluded = new Set(blocks.filter((b) => b.no_compact).map(({ulid}) => ulid));
    const levelOne = (ulids: readonly string[]) => ulids.filter((ulid) => given.has(ulid)).sort();
    for (const step of steps) {
      const plan = planCompaction(metas, excluded, ranges);
      // Merged blocks have ids of their own there, and that of their first block here.
      assert.equal(plan.length, step.length);
      assert.deepEqual(
        levelOne(plan.filter(({compaction}) => compaction.level === 1).map(({ulid}) => ulid)),
        levelOne(step),
      );
      metas = afterMerge(metas, plan);
    }
    assert.deepEqual(planCompaction(metas, excluded, ranges), []);
    assert.deepEqual(
      metas.map(({minTime, maxTime, compaction}) => [minTime, maxTime, compaction.level, compaction.sources]),
      byMinTime(final.map(metaOf)).map((m) => [m.minTime, m.maxTime, m.compaction.level, m.compaction.sources]),
    );
  }
});

type GroupList = readonly {
  readonly key_slicelabels: string;
  readonly ids: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly resolution: number;
  readonly extensions: unknown;
}[];
type GroupCase = {
  readonly blocks: readonly Block[];
  readonly plain: {readonly groups: GroupList};
  readonly deduplicated: {readonly groups: GroupList};
  readonly replica_removed: {readonly groups: GroupList};
  readonly replica_removed_deduplicated: {readonly groups: GroupList};
};

test("blocks fall into the groups of the reference, extensions included", async () => {
  const never = new AbortController().signal;
  const counts = {states: new Map(), replicaLabelsRemoved: 0, add: () => {}};
  for (const c of read<GroupCase[]>("groups.json.gz")) {
    const check = async (filters: readonly MetaFilter[], want: GroupList) => {
      const metas = new Map(c.blocks.map((b) => [b.ulid, metaOf(b)]));
      for (const filter of filters) await filter.apply(metas, counts, never);
      const got = groupBlocks(metas.values()).map((group) => ({
        key_slicelabels: group.key,
        ids: group.metas.map(({ulid}) => ulid).sort(),
        labels: group.labels.toObject(),
        resolution: group.resolution,
        extensions: group.extensions ?? null,
      }));
      const wanted = want.map((group) => ({
        key_slicelabels: group.key_slicelabels,
        ids: [...group.ids].sort(),
        labels: group.labels,
        resolution: group.resolution,
        extensions: group.extensions ?? null,
      }));
      const byKey = (a: {key_slicelabels: string}, b: {key_slicelabels: string}) =>
        a.key_slicelabels < b.key_slicelabels ? -1 : 1;
      assert.deepEqual(got, wanted.sort(byKey));
    };
    await check([], c.plain.groups);
    await check([new DuplicateFilter()], c.deduplicated.groups);
    await check([replicaLabelRemover(["replica"])], c.replica_removed.groups);
    await check([replicaLabelRemover(["replica"]), new DuplicateFilter()], c.replica_removed_deduplicated.groups);
  }
});
