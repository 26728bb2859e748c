import assert from "node:assert/strict";
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {tempDir} from "@strata/base/testing";
import {FaultyBucket, MemoryBucket} from "@strata/objstore/testing";
import {encodeBlockMeta, parseBlockMeta} from "@strata/tsdb";
import {deleteBlock, downloadBlock, uploadBlock} from "./block-transfer.ts";
import {fakeMeta} from "./testing/fake-blocks.ts";

const never = new AbortController().signal;
const ULID = "01HZGFK1803G62GEQRS5QXBBD5";
const options = {hashFunc: "" as const, concurrency: 2, now: () => Date.UTC(2026, 10, 22, 20, 9, 56, 45)};

function localBlock(t: Parameters<typeof tempDir>[0], labels: Record<string, string> = {cluster: "a"}): string {
  const dir = join(tempDir(t), ULID);
  mkdirSync(join(dir, "chunks"), {recursive: true});
  writeFileSync(join(dir, "chunks", "000001"), "chunk one");
  writeFileSync(join(dir, "chunks", "000002"), "chunk 2");
  writeFileSync(join(dir, "index"), "index!");
  writeFileSync(join(dir, "tombstones"), "t");
  writeFileSync(join(dir, "meta.json"), encodeBlockMeta(fakeMeta({ulid: ULID, labels})));
  return dir;
}

test("a block is uploaded with its files listed, meta.json last, and comes back the same", async (t) => {
  const dir = localBlock(t);
  const bucket = new FaultyBucket(new MemoryBucket());
  const before = readFileSync(join(dir, "meta.json"), "utf8");
  await uploadBlock(bucket, dir, {...options, hashFunc: "SHA256"}, never);
  assert.equal(readFileSync(join(dir, "meta.json"), "utf8"), before);

  const uploads = bucket.calls.map((call) => call.key.slice(ULID.length + 1));
  assert.deepEqual([...uploads].sort(), ["chunks/000001", "chunks/000002", "index", "meta.json"]);
  assert.deepEqual(uploads.slice(2), ["index", "meta.json"]);

  const target = join(tempDir(t), ULID);
  const meta = await downloadBlock(bucket, ULID, target, 2, never);
  assert.deepEqual(
    meta.thanos?.files.map((f) => [f.relPath, f.sizeBytes, f.hash?.func]),
    [
      ["chunks/000001", 9, "SHA256"],
      ["chunks/000002", 7, "SHA256"],
      ["index", 6, "SHA256"],
      ["meta.json", 0, undefined],
    ],
  );
  assert.equal(meta.thanos?.uploadTime, "2026-11-22T20:09:56.045Z");
  for (const file of ["chunks/000001", "chunks/000002", "index"]) {
    assert.ok(readFileSync(join(target, file)).equals(readFileSync(join(dir, file))), file);
  }

  bucket.calls.length = 0;
  writeFileSync(join(target, "index"), "other");
  await downloadBlock(bucket, ULID, target, 1, never);
  const fetched = bucket.calls.filter((call) => call.operation === "get").map((call) => call.key);
  assert.deepEqual(fetched, [`${ULID}/meta.json`, `${ULID}/index`], "files of the recorded hash are not fetched again");
});

test("an upload that breaks leaves no visible block, and the next one succeeds", async (t) => {
  const dir = localBlock(t);
  const memory = new MemoryBucket();
  const bucket = new FaultyBucket(memory, (call) => {
    if (call.key.endsWith("index")) throw new StrataError("unavailable", "503");
    return undefined;
  });
  await assert.rejects(uploadBlock(bucket, dir, options, never), /cannot upload .*index.*503/);
  assert.equal(memory.objects.has(`${ULID}/meta.json`), false);
  await uploadBlock(memory, dir, options, never);
  assert.equal(memory.objects.has(`${ULID}/meta.json`), true);
});

test("a block without external labels is refused unless it may be", async (t) => {
  const dir = localBlock(t, {});
  const bucket = new MemoryBucket();
  await assert.rejects(uploadBlock(bucket, dir, options, never), /empty external labels are not allowed/);
  assert.equal(bucket.objects.size, 0);
  await uploadBlock(bucket, dir, {...options, allowNoLabels: true}, never);
  const uploaded = parseBlockMeta(Buffer.from(bucket.objects.get(`${ULID}/meta.json`)?.bytes ?? []).toString(), "m");
  assert.deepEqual(uploaded.thanos?.labels, {});
});

test("a block without chunk files is downloaded with an empty folder for them", async (t) => {
  const bucket = new MemoryBucket();
  bucket.put(`${ULID}/meta.json`, encodeBlockMeta(fakeMeta({ulid: ULID})));
  bucket.put(`${ULID}/index`, "i");
  const dir = join(tempDir(t), ULID);
  await downloadBlock(bucket, ULID, dir, 1, never);
  assert.deepEqual(readdirSync(dir).sort(), ["chunks", "index", "meta.json"]);
});

test("deletion takes meta.json first and the deletion mark last, and can be repeated", async () => {
  const memory = new MemoryBucket();
  for (const file of ["meta.json", "index", "chunks/000001", "deletion-mark.json", "no-compact-mark.json"]) {
    memory.put(`${ULID}/${file}`, "x");
  }
  memory.put("01HZGPERG22PJF359WNAP8WXP5/meta.json", "other");
  const bucket = new FaultyBucket(memory);
  await deleteBlock(bucket, ULID, never);
  const deleted = bucket.calls
    .filter((call) => call.operation === "delete")
    .map((call) => call.key.slice(ULID.length + 1));
  assert.equal(deleted[0], "meta.json");
  assert.equal(deleted.at(-1), "deletion-mark.json");
  assert.deepEqual([...memory.objects.keys()], ["01HZGPERG22PJF359WNAP8WXP5/meta.json"]);
  await deleteBlock(bucket, ULID, never);
  await assert.rejects(deleteBlock(bucket, "../x", never), /not a ULID/);
});
