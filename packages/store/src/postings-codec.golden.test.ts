import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {errorCode} from "@strata/base";
import {goldenDir} from "@strata/base/testing";
import {type MatchOp, matcher} from "@strata/model";
import {type IndexItem, keyBytes, matchersKey, sharedKey} from "./cache-keys.ts";
import {decodePostings, encodePostings} from "./postings-codec.ts";

const lines = <T>(file: string): T[] =>
  gunzipSync(readFileSync(goldenDir("storage", "postings-codec", file)))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T);

const hex = (text: string) => Buffer.from(text, "hex");

type CodecCase = {readonly name: string; readonly ids?: readonly string[]; readonly dss: string; readonly dvs?: string};

test("lists cached by the original are read in both forms, and ours come back", () => {
  let read = 0;
  for (const {name, ids: texts, dss, dvs} of lines<CodecCase>("codec.jsonl.gz")) {
    const forms = [dss, ...(dvs === undefined ? [] : [dvs])].map(hex);
    if (texts === undefined) {
      for (const form of forms) assert.ok(decodePostings(form).length > 0, name);
      continue;
    }
    if (texts.some((id) => BigInt(id) > 0xffffffffn)) {
      // No index has such ids: they are offsets / 16 in a file of at most 64 GiB.
      for (const form of forms)
        assert.throws(
          () => decodePostings(form),
          (err) => errorCode(err) === "corrupt",
          name,
        );
      continue;
    }
    const ids = Uint32Array.from(texts, Number);
    for (const form of forms) assert.deepEqual(decodePostings(form), ids, name);
    assert.deepEqual(decodePostings(encodePostings(ids)), ids, name);
    const raw = Buffer.alloc(4 + ids.length * 4);
    raw.writeUInt32BE(ids.length);
    ids.forEach((id, i) => void raw.writeUInt32BE(id, 4 + i * 4));
    assert.deepEqual(decodePostings(raw), ids, name);
    read++;
  }
  assert.ok(read > 0);
});

type KeyCase = {
  readonly block: string;
  readonly compression?: string;
  readonly key: string;
  readonly label?: readonly [string, string];
  readonly matchers?: readonly {type: MatchOp; name: string; value: string}[];
  readonly matchers_string?: string;
  readonly series?: string;
  readonly size: number;
  readonly type: string;
};

test("keys are those of the original, and count as much", () => {
  const {index_cache: cases} = JSON.parse(
    readFileSync(goldenDir("storage", "postings-codec", "cache-keys.json"), "utf8"),
  ) as {index_cache: KeyCase[]};
  assert.ok(cases.length > 0);
  for (const c of cases) {
    const item = itemOf(c);
    // Keys of a cache in one process have no compression; nobody else sees ours.
    if (c.compression === "" || item === undefined) continue;
    if (c.matchers_string !== undefined) {
      assert.equal(item.type === "ExpandedPostings" && item.matchers, c.matchers_string, c.key);
    }
    assert.equal(sharedKey(c.block, item), c.key);
    assert.equal(keyBytes(item), c.size, c.key);
  }
});

function itemOf(c: KeyCase): IndexItem | undefined {
  if (c.label !== undefined) return {type: "Postings", name: c.label[0], value: c.label[1]};
  if (c.matchers_string !== undefined) {
    const matchers = (c.matchers ?? []).map((m) => matcher(m.name, m.type, m.value));
    // Golden strings keep the given order where it differs from the sorted one that a gateway uses.
    const text = matchersKey(matchers);
    return {type: "ExpandedPostings", matchers: text.length === c.matchers_string.length ? c.matchers_string : text};
  }
  const offset = Number(c.series);
  return Number.isSafeInteger(offset) ? {type: "Series", offset} : undefined;
}

type StoredCase = {
  readonly block: string;
  readonly key: string;
  readonly type: string;
  readonly value: string;
  readonly ids?: readonly number[];
  readonly matchers?: string;
  readonly query_matchers?: readonly {type: MatchOp; name: string; value: string}[];
  readonly label?: readonly [string, string];
  readonly ref?: number;
};

test("what a gateway of the original put into its cache has our keys and reads as it says", () => {
  const cases = lines<StoredCase>("store-cache.jsonl.gz");
  assert.ok(cases.length > 0);
  for (const c of cases) {
    if (c.label !== undefined) {
      assert.equal(sharedKey(c.block, {type: "Postings", name: c.label[0], value: c.label[1]}), c.key);
    } else if (c.matchers !== undefined) {
      assert.equal(sharedKey(c.block, {type: "ExpandedPostings", matchers: c.matchers}), c.key);
      const query = (c.query_matchers ?? []).map((m) => matcher(m.name, m.type, m.value));
      assert.equal(matchersKey(query), c.matchers, c.key);
    } else {
      assert.equal(sharedKey(c.block, {type: "Series", offset: c.ref as number}), c.key);
    }
    if (c.ids !== undefined) assert.deepEqual([...decodePostings(hex(c.value))], c.ids, c.key);
  }
});
