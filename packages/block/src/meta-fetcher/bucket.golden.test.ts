import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {goldenDir} from "@strata/base/testing";
import {parseUlid} from "@strata/model";
import {FilesystemBucket} from "@strata/objstore";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {BaseFetcher} from "./base-fetcher.ts";
import {DeletionMarkFilter, DuplicateFilter} from "./filters.ts";
import {MetaFetcher} from "./meta-fetcher.ts";

const never = new AbortController().signal;

test("the golden bucket's blocks are told apart by what lies in their folders", async () => {
  const folder = goldenDir("storage", "bucket", "objects");
  const bucket = new FilesystemBucket(folder);
  const ulids = readdirSync(folder).filter((name) => parseUlid(name) === name);
  const whole = ulids.filter((ulid) => {
    try {
      return (JSON.parse(readFileSync(join(folder, ulid, "meta.json"), "utf8")) as {version?: number}).version === 1;
    } catch {
      return false;
    }
  });
  const marked = ulids.filter((ulid) => readdirSync(join(folder, ulid)).includes("deletion-mark.json"));
  assert.ok(whole.length > 0 && marked.length > 0);

  for (const strategy of ["concurrent", "recursive"] as const) {
    const base = new BaseFetcher({bucket, strategy, concurrency: 4, logger: nullLogger()});
    const marks = new DeletionMarkFilter(bucket, 0, nullLogger(), () => Number.MAX_SAFE_INTEGER);
    const fetcher = new MetaFetcher(base, [marks, new DuplicateFilter()], newRegistry());
    const {metas, partial, incomplete} = await fetcher.fetch(never);
    assert.equal(incomplete, undefined);
    assert.deepEqual(
      [...partial.keys()].sort(),
      ulids.filter((ulid) => !whole.includes(ulid)),
    );
    assert.deepEqual([...marks.marks.keys()].sort(), marked);
    for (const ulid of metas.keys()) assert.ok(whole.includes(ulid) && !marked.includes(ulid), ulid);
    assert.ok(metas.size > 0);
  }
});
