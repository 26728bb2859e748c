import assert from "node:assert/strict";
import {test} from "node:test";
import {MemoryBucket} from "@strata/objstore/testing";
import {nullLogger} from "@strata/telemetry";
import {encodeMark, type Mark, readMark, writeMark} from "./markers.ts";

const never = new AbortController().signal;
const ULID = "01HZGFK1803G62GEQRS5QXBBD5";
const mark: Mark = {ulid: ULID, time: 1795378196, details: "why <b>", reason: "manual"};

test("a mark has the original's bytes", () => {
  const escaped = "why \\u003cb\\u003e";
  assert.equal(
    encodeMark("deletion", mark),
    `{"id":"${ULID}","version":1,"details":"${escaped}","deletion_time":1795378196}`,
  );
  assert.equal(
    encodeMark("no-compact", {...mark, details: ""}),
    `{"id":"${ULID}","version":1,"no_compact_time":1795378196,"reason":"manual"}`,
  );
});

test("the first mark stays", async () => {
  const bucket = new MemoryBucket();
  assert.equal(await readMark(bucket, ULID, "deletion", nullLogger(), never), undefined);
  assert.equal(await writeMark(bucket, "deletion", mark, nullLogger(), never), true);
  assert.equal(await writeMark(bucket, "deletion", {...mark, time: 9}, nullLogger(), never), false);
  assert.deepEqual(await readMark(bucket, ULID, "deletion", nullLogger(), never), {...mark, reason: ""});
});

test("garbage is no mark; a version from the future is an error", async () => {
  const bucket = new MemoryBucket();
  for (const text of ["", "{", '{"version":1}', '{"version":1,"deletion_time":"x"}']) {
    bucket.put(`${ULID}/deletion-mark.json`, text);
    assert.equal(await readMark(bucket, ULID, "deletion", nullLogger(), never), undefined, text);
  }
  bucket.put(`${ULID}/deletion-mark.json`, '{"version":2,"deletion_time":1}');
  await assert.rejects(readMark(bucket, ULID, "deletion", nullLogger(), never), /unexpected version 2/);
});
