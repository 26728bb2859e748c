import assert from "node:assert/strict";
import {readFileSync, statSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {FilesystemBucket} from "./filesystem.ts";
import {downloadFile, readObject, uploadBytes, uploadFile} from "./object-io.ts";
import {prefixed} from "./prefix.ts";
import {MemoryBucket} from "./testing/index.ts";

const never = new AbortController().signal;

test("shared copies are one file on disk, others are not, and neither is written into by what follows", async (t) => {
  const dir = tempDir(t);
  const bucket = prefixed(new FilesystemBucket(join(dir, "bucket")), "p");
  const text = async (key: string) => Buffer.from(await readObject(bucket, key, 100, never)).toString();
  const made = join(dir, "made");
  writeFileSync(made, "made");
  await uploadFile(bucket, "shared", made, never, {shared: true});
  await uploadFile(bucket, "own", made, never);
  assert.equal(await bucket.files?.isShared("shared", made, never), true);
  assert.equal(await bucket.files?.isShared("own", made, never), false);
  assert.equal(await bucket.files?.isShared("none", made, never), false);
  assert.deepEqual([await text("shared"), await text("own")], ["made", "made"]);

  const local = join(dir, "local");
  await downloadFile(bucket, "shared", local, never, {shared: true});
  assert.equal(statSync(local).ino, statSync(made).ino);
  // All that may come to the same place afterwards, from this bucket or another one.
  await uploadBytes(bucket, "other", Buffer.from("else"), never);
  await downloadFile(bucket, "other", local, never);
  assert.equal(readFileSync(local, "utf8"), "else");
  await downloadFile(bucket, "shared", local, never, {shared: true});
  const elsewhere = new MemoryBucket();
  elsewhere.put("x", "elsewhere");
  await downloadFile(elsewhere, "x", local, never);
  assert.equal(readFileSync(local, "utf8"), "elsewhere");
  assert.deepEqual([await text("shared"), readFileSync(made, "utf8")], ["made", "made"]);
});
