import assert from "node:assert/strict";
import {mkdtemp, readdir, rm} from "node:fs/promises";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {test} from "node:test";
import {bucketFromConfig} from "./config.ts";
import {uploadBytes} from "./object-io.ts";

const never = new AbortController().signal;

test("a filesystem configuration opens the directory below the prefix", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "strata-config-"));
  t.after(() => rm(directory, {recursive: true}));
  const bucket = await bucketFromConfig(
    `type: filesystem\nconfig:\n  directory: ${directory}\n  extra: 1\nprefix: /a/b/\n`,
  );
  assert.equal(bucket.provider, "FILESYSTEM");
  assert.equal(bucket.name, `fs: ${directory}`);
  await uploadBytes(bucket, "k", new Uint8Array([1]), never);
  assert.deepEqual(await readdir(join(directory, "a", "b")), ["k"]);
});

test("what cannot be used is refused in one line that says why", async () => {
  const f = (text: string, want: RegExp) =>
    assert.rejects(bucketFromConfig(text), (err: Error) => {
      assert.match(err.message, want, text);
      assert.ok(!err.message.includes("\n"), text);
      return true;
    });
  await f("", /want a mapping/);
  await f("- a", /want a mapping/);
  await f("type: FILESYSTEM", /missing directory for filesystem bucket/);
  await f("type: FILESYSTEM\nconfig: {directory: [x]}", /want a string/);
  await f("type: FILESYSTEM\nconfig: 3", /want a mapping/);
  await f("type: FILESYSTEM\nconfig: {directory: x}\nhedging_config: {}", /unknown key "hedging_config"/);
  await f("type: FILESYSTEM\ntype: S3", /unique/i);
  await f("type: [", /cannot read object storage configuration/);
  await f("type: 5", /type must be a string/);
  await f("type: AZURE\nconfig: {}", /bucket with type AZURE is not supported yet; supported are FILESYSTEM/);
  await f("type: swift", /SWIFT is not supported yet/);
  await f("type: toString", /bucket with type toString is not supported; supported/);
  await f("config: {}", /bucket with type {2}is not supported/);
  await f("type: FILESYSTEM\nconfig: {directory: x}\nprefix: a/../b", /cannot use object key/);
});
