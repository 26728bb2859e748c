import assert from "node:assert/strict";
import {existsSync} from "node:fs";
import {type TestContext, test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {type Matcher, matcher, newUlid} from "@strata/model";
import {FilesystemBucket} from "@strata/objstore";
import {FaultyBucket} from "@strata/objstore/testing";
import {selectAll} from "@strata/storeapi/testing";
import {newRegistry} from "@strata/telemetry";
import type {BucketStoreOptions} from "./bucket-store.ts";
import {memoryIndexCache} from "./index-cache.ts";
import {writeBlock} from "./testing/make-blocks.ts";
import {openStore} from "./testing/open-store.ts";

const never = new AbortController().signal;
const SERIES = 5000;

/** A store over one block: 5000 series of one name, two jobs, and an instance each. */
async function open(t: TestContext, options: Partial<BucketStoreOptions>) {
  const dir = tempDir(t);
  const series = Array.from({length: SERIES}, (_, i) => ({
    labels: {__name__: "m", instance: `i${i}`, job: i % 2 === 0 ? "a" : "b"},
    times: [5],
  }));
  const ulid = newUlid(1_700_000_000_000, new Uint8Array(10));
  await writeBlock(dir, {ulid, minTime: 0, maxTime: 10, external: {r: "x"}, series});
  const bucket = new FaultyBucket(new FilesystemBucket(dir));
  // Nothing fits: each select reads what it needs.
  const indexCache = memoryIndexCache({registry: newRegistry(), maxBytes: 1, maxItemBytes: 1});
  const opened = await openStore(t, bucket, {indexCache, ...options});
  const select = async (...matchers: Matcher[]) => {
    const labels: string[] = [];
    const q = selectAll({matchers, mint: 0, maxt: 10, skipChunks: true, partialResponse: false});
    for await (const batch of opened.store.select(q, never)) labels.push(...batch.labels.map(String));
    return labels;
  };
  const metric = async (name: string, label = "") => {
    const families = await opened.registry.gather();
    const family = families.find((f) => f.name === `thanos_bucket_store_${name}`);
    const sample = family?.samples.find(({labels}) => label === "" || labels.some(([, value]) => value === label));
    return sample?.value;
  };
  return {...opened, bucket, select, metric, ulid};
}

const NAME = matcher("__name__", "=", "m");
const JOB = matcher("job", "=", "a");
const ONE = matcher("instance", "=", "i4");
const MANY = matcher("instance", "!=", "i7");

test("lists larger than the series they save are not fetched, with the same answer", async (t) => {
  const eager = await open(t, {});
  const lazy = await open(t, {lazyPostings: {maxKeySeriesRatio: 100}, sizes: {seriesBytes: 64}});
  const f = async (matchers: readonly Matcher[], putOff: number, bytes: number) => {
    const before = (await lazy.metric("lazy_expanded_posting_groups_total", "postings_size")) ?? 0;
    const sizeBefore = (await lazy.metric("lazy_expanded_posting_size_bytes_total")) ?? 0;
    const want = await eager.select(...matchers);
    assert.deepEqual(await lazy.select(...matchers), want);
    assert.equal((await lazy.metric("lazy_expanded_posting_groups_total", "postings_size")) ?? 0, before + putOff);
    assert.equal(await lazy.metric("lazy_expanded_posting_size_bytes_total"), sizeBefore + bytes);
    return want.length;
  };
  assert.equal(await f([NAME, JOB, ONE], 2, 4 * (SERIES + SERIES / 2)), 1);
  assert.equal(await f([NAME], 0, 0), SERIES);
  assert.equal(await f([JOB, MANY], 0, 0), SERIES / 2);
  assert.equal(await f([JOB, matcher("instance", "=", "nope")], 0, 0), 0);
  assert.equal(await lazy.metric("lazy_expanded_postings_total"), 1);
  assert.equal(await f([matcher("job", "!=", "a"), ONE], 1, 2 * SERIES), 0);
  assert.ok(((await lazy.metric("lazy_expanded_posting_series_overfetched_size_bytes_total")) ?? 0) > 0);
  assert.equal(await eager.metric("lazy_expanded_postings_total"), 0);
});

test("a matcher with more values than the ratio allows is left to the series", async (t) => {
  const wide = matcher("instance", "=~", "i.*4.*");
  const {select, metric} = await open(t, {lazyPostings: {maxKeySeriesRatio: 0.1}, sizes: {seriesBytes: 60_000}});
  const want = SERIES / 2 - Array.from({length: SERIES / 2}, (_, i) => `i${2 * i}`).filter((v) => !/4/.test(v)).length;
  assert.equal((await select(JOB, wide)).length, want);
  assert.equal(await metric("lazy_expanded_posting_groups_total", "keys_limit"), 1);
});

test("without index-headers on disk the data directory stays empty, and each is fetched once", async (t) => {
  const {store, bucket, select, dataDir, ulid} = await open(t, {headersInMemory: true});
  assert.equal(existsSync(`${dataDir}/${ulid}`), false);
  bucket.calls.length = 0;
  assert.equal((await select(NAME, ONE)).length, 1);
  await store.unloadIdle(-1);
  assert.equal((await select(NAME, ONE)).length, 1);
  const [first, second] = [bucket.calls.length / 2, bucket.calls.length];
  assert.deepEqual(
    bucket.calls.slice(0, first),
    bucket.calls.slice(first, second),
    "nothing more after the idle close",
  );
});
