import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import fc from "fast-check";
import {type BlockMeta, EMPTY_STATS, EMPTY_THANOS_META, encodeBlockMeta, parseBlockMeta} from "./block-meta.ts";

const FULL: BlockMeta = {
  ulid: "01HZGFK1803G62GEQRS5QXBBD5",
  minTime: -5,
  maxTime: 2 ** 53,
  stats: {...EMPTY_STATS, numSamples: 1, numTombstones: 2},
  compaction: {
    level: 2,
    sources: ["01HZGFK1803G62GEQRS5QXBBD5"],
    deletable: true,
    parents: [{ulid: "00000000000000000000000000", minTime: 0, maxTime: 0}],
    failed: true,
    hints: ["from-out-of-order"],
  },
  version: 1,
  thanos: {
    ...EMPTY_THANOS_META,
    labels: {"9": "nine", "10": "ten", é: "<&>\u2028", z: '"'},
    source: "test",
    files: [
      {relPath: "index", sizeBytes: 3, hash: {func: "SHA256", value: "ab"}},
      {relPath: "meta.json", sizeBytes: 0},
    ],
    rewrites: [
      {
        sources: [],
        deletionsApplied: [
          {matchers: [{type: 2, name: "a", value: "b.*"}], intervals: [{mint: 1, maxt: 2}], requestId: "r"},
        ],
        relabelsApplied: [{source_labels: ["a"], action: "drop"}],
      },
    ],
    extensions: {z: 1, a: [1.5, null, {"2": 1, "10": {}}], e: 1e-7},
  },
};

test("a meta with every field is printed as Go prints it and reads back", () => {
  const text = encodeBlockMeta(FULL);
  assert.deepEqual(parseBlockMeta(text, "meta.json"), {
    ...FULL,
    thanos: {...FULL.thanos, files: [FULL.thanos?.files[0], {relPath: "meta.json", sizeBytes: 0, hash: undefined}]},
  });
  assert.ok(text.endsWith("}\n") && !text.endsWith("\n\n"));
  assert.match(text, /"é": "\\u003c\\u0026\\u003e\\u2028"/);
  assert.match(text, /"10": "ten",\n\t\t\t"9": "nine"/);
  assert.match(text, /"10": \{\},\n\t+"2": 1/);
  assert.equal(encodeBlockMeta({...FULL, thanos: undefined}).at(-1), "}");
});

test("what is wrong with a meta is named by class", () => {
  const f = (text: string, errorClass: string) =>
    assert.throws(
      () => parseBlockMeta(text, "X/meta.json"),
      (err) =>
        err instanceof StrataError &&
        err.code === "corrupt" &&
        err.fields.class === errorClass &&
        err.message.includes("X/meta.json"),
      text,
    );
  const ulid = FULL.ulid;
  f("", "meta-invalid-json");
  f("[]", "meta-invalid-json");
  f('{"version":2}', "meta-bad-version");
  f('{"version":1,"ulid":"nope"}', "meta-invalid-json");
  f(`{"version":1,"ulid":"${ulid}","minTime":1e300}`, "meta-invalid-json");
  f(`{"version":1,"ulid":"${ulid}","stats":3}`, "meta-invalid-json");
  f(`{"version":1,"ulid":"${ulid}","thanos":{"version":2}}`, "meta-bad-thanos-version");
  f(`{"version":1,"ulid":"${ulid}","thanos":{"labels":{"a":1}}}`, "meta-invalid-json");
  assert.equal(
    parseBlockMeta(`{"version":1,"ulid":"${ulid}","thanos":{"version":2}}`, "m", {tsdbOnly: true}).thanos,
    undefined,
  );
});

test("any text gives a meta or a corrupt error", () => {
  const sound = encodeBlockMeta(FULL);
  const damaged = fc
    .tuple(fc.nat(sound.length), fc.nat(20), fc.string())
    .map(([at, drop, put]) => sound.slice(0, at) + put + sound.slice(at + drop));
  const typed = fc
    .json()
    .map((json) => `{"version":1,"ulid":"${FULL.ulid}","stats":${json},"compaction":${json},"thanos":${json}}`);
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), damaged, typed), (text) => {
      try {
        encodeBlockMeta(parseBlockMeta(text, "m"));
      } catch (err) {
        assert.ok(err instanceof StrataError && err.code === "corrupt", String(err));
      }
    }),
    {numRuns: 300},
  );
});
