import assert from "node:assert/strict";
import {writeFileSync} from "node:fs";
import {createServer} from "node:http";
import {join} from "node:path";
import {after, test} from "node:test";
import {CreateBucketCommand, S3Client} from "@aws-sdk/client-s3";
import {errorCode} from "@strata/base";
import {freePort, httpReady, requireTool, type Server, spawnServer, tempDir} from "@strata/base/testing";
import {readObject, uploadBytes} from "./object-io.ts";
import {S3Bucket} from "./s3.ts";
import {s3Config} from "./s3-config.ts";
import {bucketAcceptance} from "./testing/index.ts";

const never = new AbortController().signal;
const moto = requireTool("moto");
const account = {access_key: "test", secret_key: "test", insecure: true, region: "us-east-1"};

const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

let server: Promise<{endpoint: string; server: Server}> | undefined;
const motoServer = () => {
  server ??= (async () => {
    const port = await freePort();
    const endpoint = `127.0.0.1:${port}`;
    const scope = {after: (f: () => unknown) => void cleanups.push(f)};
    const args = ["-H", "127.0.0.1", "-p", String(port)];
    const options = {command: moto.path, args, ready: httpReady(`http://${endpoint}/moto-api/`)};
    return {endpoint, server: await spawnServer(scope as Parameters<typeof spawnServer>[0], options)};
  })();
  return server;
};

let buckets = 0;
async function openBucket(more: Record<string, unknown> = {}) {
  const {endpoint} = await motoServer();
  const name = `bucket-${buckets++}`;
  const client = new S3Client({
    endpoint: `http://${endpoint}`,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: {accessKeyId: "test", secretAccessKey: "test"},
  });
  await client.send(new CreateBucketCommand({Bucket: name}));
  client.destroy();
  return {bucket: new S3Bucket(s3Config({bucket: name, endpoint, ...account, ...more})), remove: async () => {}};
}

if (moto.skip === false) {
  bucketAcceptance("S3", () => openBucket());
  bucketAcceptance("S3, first version of listing", () => openBucket({list_objects_version: "v1"}));
} else {
  test("bucket: S3", {skip: moto.skip}, () => {});
}

test("an object of many parts arrives whole, and listings go over pages", {skip: moto.skip}, async () => {
  const {bucket} = await openBucket({part_size: 5 << 20});
  const part = new Uint8Array(1 << 20).map((_, i) => i * 7);
  async function* parts() {
    for (let i = 0; i < 40; i++) yield part;
  }
  await bucket.upload("large", parts(), 40 << 20, never);
  assert.equal((await bucket.attributes("large", never)).size, 40 << 20);
  assert.deepEqual(
    Buffer.from(await bucket.getRange("large", (33 << 20) + 5, 100, never)),
    Buffer.from(part.subarray(5, 105)),
  );
  const keys = Array.from({length: 1100}, (_, i) => `many/${String(i).padStart(5, "0")}`);
  async function* empty(): AsyncGenerator<Uint8Array> {}
  for (let i = 0; i < keys.length; i += 50) {
    await Promise.all(keys.slice(i, i + 50).map((key) => bucket.upload(key, empty(), 0, never)));
  }
  const found: string[] = [];
  for await (const {name} of bucket.list("many", {recursive: true}, never)) found.push(name);
  assert.deepEqual(found, keys);
  await bucket.close();
});

/** A server that answers as told, for what a well-behaved one never does. */
async function rudeServer(answers: readonly ((res: import("node:http").ServerResponse) => void)[]) {
  let calls = 0;
  const http = createServer((_, res) => answers[Math.min(calls++, answers.length - 1)]?.(res));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => http.close());
  const {port} = http.address() as {port: number};
  const bucket = new S3Bucket(s3Config({bucket: "b", endpoint: `127.0.0.1:${port}`, ...account, max_retries: 2}));
  cleanups.push(() => bucket.close());
  return {bucket, calls: () => calls};
}

test("a body that breaks off is asked for again; a store that stays down is unavailable", async () => {
  const whole = (res: import("node:http").ServerResponse) => res.writeHead(206, {"content-length": "5"}).end("hello");
  const cut = (res: import("node:http").ServerResponse) => {
    res.writeHead(206, {"content-length": "5"});
    res.write("he");
    setImmediate(() => res.destroy());
  };
  const down = (res: import("node:http").ServerResponse) =>
    res.writeHead(503).end("<Error><Code>SlowDown</Code></Error>");
  const mended = await rudeServer([cut, whole]);
  assert.equal(Buffer.from(await mended.bucket.getRange("k", 0, 5, never)).toString(), "hello");
  const broken = await rudeServer([cut]);
  await assert.rejects(broken.bucket.getRange("k", 0, 5, never), (err) => errorCode(err) === "unavailable");
  await assert.rejects(readObject(broken.bucket, "k", 100, never), (err) => errorCode(err) === "unavailable");
  const retried = await rudeServer([down, whole]);
  assert.equal(Buffer.from(await retried.bucket.getRange("k", 0, 5, never)).toString(), "hello");
  const dead = await rudeServer([down]);
  await assert.rejects(dead.bucket.exists("k", never), (err) => errorCode(err) === "unavailable");
});

test("a web identity is exchanged for keys where sts_endpoint says", {skip: moto.skip}, async (t) => {
  const {endpoint} = await motoServer();
  const {bucket: owned} = await openBucket();
  await uploadBytes(owned, "k", new Uint8Array(3), never);
  const token = join(tempDir(t), "token");
  writeFileSync(token, "not looked at");
  const env = {AWS_WEB_IDENTITY_TOKEN_FILE: token, AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/strata"};
  const before = {...process.env};
  Object.assign(process.env, env);
  try {
    const config = {
      bucket: owned.name,
      endpoint,
      insecure: true,
      region: "us-east-1",
      sts_endpoint: `http://${endpoint}`,
    };
    const bucket = new S3Bucket(s3Config(config));
    assert.equal((await bucket.attributes("k", never)).size, 3);
    await bucket.close();
    await owned.close();
  } finally {
    process.env = before;
  }
});
