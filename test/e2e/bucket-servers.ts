import assert from "node:assert/strict";
import {freePort, httpReady, requireTool, spawnServer, type TestScope} from "@strata/base/testing";

/** A server of object storage of which nothing is left when the test is over, and how it is named to `--objstore.config`. */
export type BucketServer = {readonly config: string};

export const s3Server = requireTool("moto");
export const gcsServer = requireTool("gcp-storage-emulator");

/** A new bucket of an S3 server. */
export async function s3Bucket(t: TestScope): Promise<BucketServer> {
  const port = await freePort();
  const endpoint = `127.0.0.1:${port}`;
  await spawnServer(t, {
    command: s3Server.path,
    args: ["-H", "127.0.0.1", "-p", String(port)],
    ready: httpReady(`http://${endpoint}/moto-api/`),
  });
  const made = await fetch(`http://${endpoint}/blocks`, {method: "PUT"});
  assert.equal(made.status, 200, await made.text());
  const account = "access_key: test, secret_key: test, insecure: true, region: us-east-1";
  return {config: `{type: S3, config: {bucket: blocks, endpoint: "${endpoint}", ${account}}}`};
}

/** A new bucket of a GCS server, which this process and those that it starts find by a variable of the environment. */
export async function gcsBucket(t: TestScope): Promise<BucketServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await spawnServer(t, {
    command: gcsServer.path,
    args: ["start", "--in-memory", "--host", "127.0.0.1", "--port", String(port), "-q"],
    ready: httpReady(`${url}/storage/v1/b`),
  });
  const made = await fetch(`${url}/storage/v1/b?project=test`, {
    method: "POST",
    headers: {"content-type": "application/json"},
    body: JSON.stringify({name: "blocks"}),
  });
  assert.equal(made.status, 200, await made.text());
  const before = process.env.STORAGE_EMULATOR_HOST;
  process.env.STORAGE_EMULATOR_HOST = url;
  t.after(() => {
    if (before === undefined) delete process.env.STORAGE_EMULATOR_HOST;
    else process.env.STORAGE_EMULATOR_HOST = before;
  });
  return {config: "{type: GCS, config: {bucket: blocks}}"};
}
