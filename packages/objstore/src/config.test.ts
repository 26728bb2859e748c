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
  await f("type: AZURE\nconfig: {}", /bucket with type AZURE is not supported yet; supported are FILESYSTEM, S3, GCS/);
  await f("type: swift", /SWIFT is not supported yet/);
  await f("type: toString", /bucket with type toString is not supported; supported/);
  await f("config: {}", /bucket with type {2}is not supported/);
  await f("type: FILESYSTEM\nconfig: {directory: x}\nprefix: a/../b", /cannot use object key/);
});

test("an S3 configuration is checked before anything is sent", async () => {
  const f = (lines: string, want: RegExp) =>
    assert.rejects(bucketFromConfig(`type: S3\nconfig:\n  bucket: b\n${lines}`), (err: Error) => {
      assert.match(err.message, want, lines);
      return true;
    });
  await f("  region: x", /no s3 endpoint in config file/);
  await f("  endpoint: e\n  bukket: x", /unknown key "bukket"/);
  await f("  endpoint: https://e", /must have no scheme/);
  await f("  endpoint: e\n  access_key: a", /no s3 secret_key/);
  await f("  endpoint: e\n  secret_key: a", /no s3 access_key/);
  await f("  endpoint: e\n  access_key: a\n  secret_key: b\n  aws_sdk_auth: true", /mutually exclusive/);
  await f("  endpoint: e\n  signature_version2: true", /signature_version2 is not supported/);
  await f("  endpoint: e\n  insecure: maybe", /insecure must be true or false/);
  await f("  endpoint: e\n  bucket_lookup_type: dns", /bucket_lookup_type must be one of/);
  await f("  endpoint: e\n  sse_config: {type: SSE-KMS}", /kms_key_id is needed/);
  await f("  endpoint: e\n  http_config: {idle_conn_timeout: soon}", /"soon" is not a duration/);
  await f("  endpoint: e\n  http_config: {tls_config: {ca: x}}", /tls_config: unknown key "ca"/);
  const bucket = await bucketFromConfig("type: s3\nconfig: {bucket: b, endpoint: e, access_key: 1, secret_key: 2}");
  assert.equal(bucket.provider, "S3");
  await bucket.close();
});
