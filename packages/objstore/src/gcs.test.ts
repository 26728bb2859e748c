import assert from "node:assert/strict";
import {createServer, type ServerResponse} from "node:http";
import {after, test} from "node:test";
import {errorCode} from "@strata/base";
import {freePort, httpReady, requireTool, spawnServer} from "@strata/base/testing";
import {bucketFromConfig} from "./config.ts";
import {GcsBucket} from "./gcs.ts";
import {gcsConfig} from "./gcs-config.ts";
import {readObject, uploadBytes} from "./object-io.ts";
import {bucketAcceptance} from "./testing/index.ts";

const never = new AbortController().signal;
const emulator = requireTool("gcp-storage-emulator");

const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

let server: Promise<string> | undefined;
/** The emulator's address; started once for the file. */
const emulatorUrl = () => {
  server ??= (async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const scope = {after: (f: () => unknown) => void cleanups.push(f)};
    const args = ["start", "--in-memory", "--host", "127.0.0.1", "--port", String(port), "-q"];
    const ready = httpReady(`${url}/storage/v1/b`);
    await spawnServer(scope as Parameters<typeof spawnServer>[0], {command: emulator.path, args, ready});
    return url;
  })();
  return server;
};

/** Compat: an emulator is named by this variable, as for the Go client. */
async function at<T>(url: string, open: () => T): Promise<T> {
  const before = process.env.STORAGE_EMULATOR_HOST;
  process.env.STORAGE_EMULATOR_HOST = url;
  try {
    return await open();
  } finally {
    if (before === undefined) delete process.env.STORAGE_EMULATOR_HOST;
    else process.env.STORAGE_EMULATOR_HOST = before;
  }
}

let buckets = 0;
async function openBucket(more: Record<string, unknown> = {}) {
  const url = await emulatorUrl();
  const name = `bucket-${buckets++}`;
  const made = await fetch(`${url}/storage/v1/b?project=test`, {
    method: "POST",
    headers: {"content-type": "application/json"},
    body: JSON.stringify({name}),
  });
  assert.equal(made.status, 200, await made.text());
  const bucket = await at(url, () => new GcsBucket(gcsConfig({bucket: name, ...more})));
  return {bucket, remove: async () => {}};
}

if (emulator.skip === false) bucketAcceptance("GCS", () => openBucket());
else test("bucket: GCS", {skip: emulator.skip}, () => {});

test("a large object is sent in pieces and arrives whole", {skip: emulator.skip}, async () => {
  const {bucket} = await openBucket({chunk_size_bytes: 1 << 20});
  const part = new Uint8Array(300_000).map((_, i) => i * 7);
  async function* parts() {
    for (let i = 0; i < 20; i++) yield part;
  }
  await bucket.upload("large", parts(), 6_000_000, never);
  assert.equal((await bucket.attributes("large", never)).size, 6_000_000);
  const got = await bucket.getRange("large", 3_000_005, 100, never);
  assert.deepEqual(Buffer.from(got), Buffer.from(part.subarray(5, 105)));
  await bucket.close();
});

test("a caller who leaves during an upload or a download is let go", {skip: emulator.skip}, async () => {
  const {bucket} = await openBucket();
  await uploadBytes(bucket, "k", new Uint8Array(2 << 20), never);
  const leaving = new AbortController();
  async function* endless() {
    for (let i = 0; ; i++) {
      if (i === 20) leaving.abort();
      yield new Uint8Array(100_000);
    }
  }
  await assert.rejects(bucket.upload("half", endless(), undefined, leaving.signal), (e) => errorCode(e) === "canceled");
  assert.equal(await bucket.exists("half", never), false);
  const reading = new AbortController();
  const body = (await bucket.get("k", reading.signal)).getReader();
  await body.read();
  reading.abort();
  await assert.rejects(
    async () => {
      for (let end = false; !end; ) end = (await body.read()).done;
    },
    (e) => errorCode(e) === "canceled",
  );
  await bucket.close();
});

/** A server that answers as told, for what a well-behaved one never does. */
async function rudeServer(answers: readonly ((res: ServerResponse) => void)[]) {
  let calls = 0;
  const http = createServer((_, res) => answers[Math.min(calls++, answers.length - 1)]?.(res));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => http.close());
  const {port} = http.address() as {port: number};
  const config = gcsConfig({bucket: "b", max_retries: 1});
  const bucket = await at(`http://127.0.0.1:${port}`, () => new GcsBucket(config));
  cleanups.push(() => bucket.close());
  return {bucket, calls: () => calls};
}

test("a body that breaks off is asked for again; a store that stays down is unavailable", async () => {
  const whole = (res: ServerResponse) => res.writeHead(206, {"content-length": "5"}).end("hello");
  const cut = (res: ServerResponse) => {
    res.writeHead(206, {"content-length": "5"});
    res.write("he");
    setImmediate(() => res.destroy());
  };
  const down = (res: ServerResponse) => res.writeHead(503).end("slow down");
  const mended = await rudeServer([cut, whole]);
  assert.equal(Buffer.from(await mended.bucket.getRange("k", 0, 5, never)).toString(), "hello");
  const broken = await rudeServer([cut]);
  await assert.rejects(broken.bucket.getRange("k", 0, 5, never), (err) => errorCode(err) === "unavailable");
  await assert.rejects(readObject(broken.bucket, "k", 100, never), (err) => errorCode(err) === "unavailable");
  const retried = await rudeServer([down, whole]);
  assert.equal(Buffer.from(await retried.bucket.getRange("k", 0, 5, never)).toString(), "hello");
  const dead = await rudeServer([down]);
  await assert.rejects(dead.bucket.exists("k", never), (err) => errorCode(err) === "unavailable");
  const denied = await rudeServer([(res) => res.writeHead(403).end("no")]);
  await assert.rejects(denied.bucket.exists("k", never), (err) => errorCode(err) === "internal");
  const rude = await rudeServer([(res) => res.writeHead(200).end("more than was asked for")]);
  await assert.rejects(rude.bucket.getRange("k", 0, 5, never), /got more/);
});

test("a GCS configuration is checked before anything is sent", async () => {
  const f = (lines: string, want: RegExp) =>
    assert.rejects(bucketFromConfig(`type: GCS\nconfig: ${lines}`), (err: Error) => {
      assert.match(err.message, want, lines);
      return !err.message.includes("\n");
    });
  await f("{}", /missing Google Cloud Storage bucket name/);
  await f("{bucket: b, no_auth: true}", /unknown key "no_auth"/);
  await f("{bucket: b, service_account: secret}", /service_account is not JSON$/);
  await f("{bucket: b, service_account: '[]'}", /not a JSON object/);
  await f("{bucket: b, service_account: '{}'}", /service_account has no client_email/);
  await f("{bucket: b, chunk_size_bytes: big}", /chunk_size_bytes must be a whole number/);
  await f("{bucket: b, http_config: {x: 1}}", /http_config: unknown key "x"/);
});
