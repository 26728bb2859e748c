import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {describe, test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir, tempDir} from "@strata/base/testing";
import {compareUtf8} from "@strata/model";
import {FilesystemBucket} from "@strata/objstore";
import {FileAccess} from "@strata/tsdb";
import {BucketAccess} from "../bucket-access.ts";
import {buildIndexHeader} from "./build.ts";
import {NO_RANGE} from "./posting-offsets.ts";
import {IndexHeaderReader} from "./reader.ts";

type Lookups = {
  readonly block: string;
  readonly index_version: number;
  readonly label_names: readonly string[];
  readonly label_values: Readonly<Record<string, readonly string[]>>;
  readonly postings_offset: readonly {name: string; value: string; start: number; end: number}[];
  readonly postings_offsets: readonly {
    name: string;
    values: readonly string[] | null;
    ranges: readonly [number, number][] | null;
  }[];
  readonly symbols: readonly string[];
};

const folder = goldenDir("storage", "index-header");
const SUFFIX = ".lookups.json.gz";
const cases = readdirSync(folder).filter((name) => name.endsWith(SUFFIX));
const never = new AbortController().signal;

test("there are index-headers to compare with", () => assert.ok(cases.length > 0));

for (const name of cases) {
  const golden = join(folder, name.replace(SUFFIX, ".index-header"));
  const lookups = JSON.parse(gunzipSync(readFileSync(join(folder, name))).toString()) as Lookups;

  describe(`index-header of ${lookups.block}`, () => {
    test("built from the bucket or the local file it has the bytes of the original", async (t) => {
      const directory = tempDir(t);
      const fromBucket = join(directory, "a", "index-header");
      const bucket = new FilesystemBucket(goldenDir("storage"));
      await buildIndexHeader(await BucketAccess.open(bucket, `${lookups.block}/index`, never), fromBucket);
      assert.ok(readFileSync(fromBucket).equals(readFileSync(golden)));

      const fromFile = join(directory, "b", "index-header");
      const file = await FileAccess.open(goldenDir("storage", lookups.block, "index"));
      await buildIndexHeader(file, fromFile).finally(() => file.close());
      assert.ok(readFileSync(fromFile).equals(readFileSync(golden)));
    });

    test("every lookup gives what the original's reader gave", async () => {
      const reader = await IndexHeaderReader.open(golden);
      try {
        assert.equal(reader.indexVersion, lookups.index_version);
        assert.deepEqual(reader.labelNames(), lookups.label_names);
        for (const [label, values] of Object.entries(lookups.label_values)) {
          assert.deepEqual(await reader.labelValues(label), values, label);
          assert.equal(reader.postings.valueCount(label), values.length, label);
        }
        for (const {name, value, start, end} of lookups.postings_offset) {
          assert.deepEqual([...(await reader.postings.ranges(name, [value]))], [start, end], `${name}=${value}`);
        }
        // Compat: Go prints an empty list as null.
        for (const {name, values: valuesOrNull, ranges} of lookups.postings_offsets) {
          const values = valuesOrNull ?? [];
          const sorted = [...values].sort(compareUtf8);
          assert.deepEqual(sorted, values, "the original takes sorted values too");
          assert.deepEqual([...(await reader.postings.ranges(name, values))], (ranges ?? []).flat(), name);
        }
      } finally {
        await reader.close();
      }
    });

    test("symbols are found one by one, in leaps and all at once", async () => {
      const reader = await IndexHeaderReader.open(golden);
      try {
        const {symbols} = lookups;
        assert.equal(reader.symbols.count, symbols.length);
        const f = async (refs: number[]) =>
          assert.deepEqual(
            await reader.symbols.lookup(Uint32Array.from(refs)),
            refs.map((ref) => symbols[ref]),
          );
        await f(symbols.map((_, i) => i));
        for (const stride of [7, 31, 32, 33, 100, 1000])
          await f(symbols.map((_, i) => i).filter((i) => i % stride === 3));
        for (const ref of [0, symbols.length - 1, symbols.length >> 1]) await f([ref]);
        await assert.rejects(reader.symbols.lookup(Uint32Array.of(symbols.length)), /unknown symbol offset/);
      } finally {
        await reader.close();
      }
    });

    test("selecting values gives the same ranges as looking them up", async () => {
      const reader = await IndexHeaderReader.open(golden);
      try {
        for (const [label, values] of Object.entries(lookups.label_values)) {
          const all = await reader.select(label, "", () => true);
          assert.deepEqual([...all.ranges], [...(await reader.postings.ranges(label, values))], label);
          assert.ok(!all.ranges.includes(NO_RANGE));
          const third = await reader.select(label, "", (value) => values.indexOf(value) % 3 === 0);
          assert.deepEqual(
            third.values,
            values.filter((_, i) => i % 3 === 0),
          );
          assert.deepEqual([...third.ranges], [...(await reader.postings.ranges(label, third.values))], label);
          for (const value of values.slice(0, 50)) {
            const prefix = value.slice(0, 2).toWellFormed();
            const want = values.filter((v) => v.startsWith(prefix));
            assert.deepEqual((await reader.select(label, prefix, () => true)).values, want, `${label}=~${prefix}.*`);
          }
          assert.deepEqual((await reader.select(label, "\u{10ffff}", () => true)).values, []);
        }
        assert.deepEqual((await reader.select("no such name", "", () => true)).values, []);
      } finally {
        await reader.close();
      }
    });
  });
}
