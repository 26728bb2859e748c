import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import type {BlockMeta} from "@strata/tsdb";
import {groupKey} from "../external-labels.ts";
import {fakeMeta} from "../testing/fake-blocks.ts";
import {DuplicateFilter, replicaLabelRemover} from "./filters.ts";
import {SyncCounts} from "./sync-state.ts";

type Grouping = {
  readonly duplicates?: readonly string[];
  readonly groups: readonly {readonly ids: readonly string[]; readonly key_slicelabels: string}[];
};
type Case = {
  readonly blocks: readonly {
    ulid: string;
    sources?: readonly string[];
    resolution?: number;
    labels?: Record<string, string>;
    level: number;
  }[];
  readonly plain: Grouping;
  readonly deduplicated: Grouping;
  readonly replica_removed: Grouping;
};

const never = new AbortController().signal;
const cases = JSON.parse(
  gunzipSync(readFileSync(goldenDir("storage", "compaction", "groups.json.gz"))).toString(),
) as Case[];

test("groups, duplicates and replica label removal are those of the original", async () => {
  assert.ok(cases.length > 0);
  for (const [i, {blocks, plain, deduplicated, replica_removed: removed}] of cases.entries()) {
    const metas = () => new Map(blocks.map((block) => [block.ulid, fakeMeta({...block, labels: block.labels ?? {}})]));
    assert.deepEqual(keys(metas()), want(plain), `case ${i}`);

    const unique = metas();
    const filter = new DuplicateFilter();
    await filter.apply(unique, new SyncCounts());
    assert.deepEqual(filter.duplicates, deduplicated.duplicates ?? [], `case ${i}`);
    assert.deepEqual(keys(unique), want(deduplicated), `case ${i}`);

    const reduced = metas();
    await replicaLabelRemover(["replica"]).apply(reduced, new SyncCounts(), never);
    assert.deepEqual(keys(reduced), want(removed), `case ${i}`);
  }
});

const keys = (metas: ReadonlyMap<string, BlockMeta>) =>
  [...metas.values()].map((meta) => `${meta.ulid} ${groupKey(meta)}`).sort();

const want = (grouping: Grouping) =>
  grouping.groups.flatMap(({ids, key_slicelabels: key}) => ids.map((ulid) => `${ulid} ${key}`)).sort();
