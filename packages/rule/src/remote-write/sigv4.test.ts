import assert from "node:assert/strict";
import {createHash, createHmac} from "node:crypto";
import {writeFileSync} from "node:fs";
import {createServer, type IncomingHttpHeaders} from "node:http";
import type {AddressInfo} from "node:net";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {freePort, httpReady, requireTool, spawnServer, tempDir} from "@strata/base/testing";
import {HttpClient} from "@strata/http-client";
import {parseRemoteWriteConfig} from "./remote-config.ts";

const moto = requireTool("moto");
const BODY = Buffer.from("samples");
/** Nothing of the machine's own may take part. */
for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];
process.env.AWS_EC2_METADATA_DISABLED = "true";

/** The request that a receiver gets from an entry with this `sigv4`. */
async function sent(t: TestContext, sigv4: string): Promise<IncomingHttpHeaders> {
  const server = createServer();
  const got = new Promise<IncomingHttpHeaders>((resolve) => {
    server.on("request", (request, response) => {
      response.end();
      resolve(request.headers);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/workspaces/ws-1/api/v1/remote_write?b=2%20x&a=1`;
  const [config] = parseRemoteWriteConfig(`remote_write: [{url: "${url}", sigv4: {${sigv4}}}]`);
  assert.ok(config);
  const client = new HttpClient(config.url, config.http);
  t.after(() => client.close());
  const headers = {"content-type": "application/x-protobuf", "retry-attempt": "1"};
  await client.answer({method: "POST", path: "", headers, body: BODY}, 100, AbortSignal.timeout(20_000));
  return got;
}

const hex = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** The signature that the rules of AWS ask for, from what arrived. */
function signatureOf(headers: IncomingHttpHeaders, secret: string): string {
  const {scope = "", names = ""} =
    /^AWS4-HMAC-SHA256 Credential=[^/]+\/(?<scope>[^,]+), SignedHeaders=(?<names>[^,]+), Signature=/.exec(
      headers.authorization ?? "",
    )?.groups ?? {};
  const canonical = [
    "POST",
    "/workspaces/ws-1/api/v1/remote_write",
    "a=1&b=2%20x",
    ...names.split(";").map((name) => `${name}:${headers[name]}`),
    "",
    names,
    hex(BODY),
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hex(canonical)].join("\n");
  const key = scope.split("/").reduce((last, part) => hmac(last, part) as never, `AWS4${secret}` as string | Buffer);
  return hmac(key, toSign).toString("hex");
}

const signature = (headers: IncomingHttpHeaders): string | undefined =>
  headers.authorization?.replace(/^.*Signature=/, "");

test("a request is signed with the keys of the configuration", async (t) => {
  const headers = await sent(t, "region: eu-west-1, access_key: AK, secret_key: s3cr3t");
  assert.match(headers.authorization ?? "", /Credential=AK\/\d{8}\/eu-west-1\/aps\/aws4_request, /);
  assert.match(headers.authorization ?? "", /SignedHeaders=(?=.*\bcontent-type;)(?=.*\bhost;)(?!.*retry-attempt)/);
  assert.equal(signature(headers), signatureOf(headers, "s3cr3t"));
  assert.notEqual(signature(headers), signatureOf(headers, "other"));
});

test("a profile has keys and region, another service its name", async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, "keys"), "[mine]\naws_access_key_id = PK\naws_secret_access_key = ps\n");
  writeFileSync(join(dir, "config"), "[profile mine]\nregion = us-east-2\n");
  process.env.AWS_SHARED_CREDENTIALS_FILE = join(dir, "keys");
  process.env.AWS_CONFIG_FILE = join(dir, "config");
  t.after(() => {
    delete process.env.AWS_SHARED_CREDENTIALS_FILE;
    delete process.env.AWS_CONFIG_FILE;
  });
  const headers = await sent(t, "profile: mine, service_name: monitoring");
  assert.match(headers.authorization ?? "", /Credential=PK\/\d{8}\/us-east-2\/monitoring\/aws4_request, /);
  assert.equal(signature(headers), signatureOf(headers, "ps"));
});

test("the environment has keys and region; without a region there is a clear error", async (t) => {
  process.env.AWS_ACCESS_KEY_ID = "EK";
  process.env.AWS_SECRET_ACCESS_KEY = "es";
  process.env.AWS_CONFIG_FILE = join(tempDir(t), "none");
  t.after(() => {
    for (const name of ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "CONFIG_FILE", "REGION"])
      delete process.env[`AWS_${name}`];
  });
  await assert.rejects(sent(t, ""), /sigv4 has no region, and neither has the environment/);
  process.env.AWS_REGION = "eu-north-1";
  const headers = await sent(t, "");
  assert.match(headers.authorization ?? "", /Credential=EK\/\d{8}\/eu-north-1\/aps/);
  assert.equal(signature(headers), signatureOf(headers, "es"));
});

test("keys are exchanged for those of a role", {skip: moto.skip}, async (t) => {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  await spawnServer(t, {
    command: moto.path,
    args: ["-H", "127.0.0.1", "-p", String(port)],
    ready: httpReady(`${endpoint}/moto-api/`),
  });
  process.env.AWS_ENDPOINT_URL_STS = endpoint;
  t.after(() => delete process.env.AWS_ENDPOINT_URL_STS);
  const role = "role_arn: arn:aws:iam::123456789012:role/writer, external_id: e";
  const headers = await sent(t, `region: eu-west-1, access_key: AK, secret_key: s, ${role}`);
  assert.match(headers.authorization ?? "", /Credential=ASIA[A-Z0-9]+\/\d{8}\/eu-west-1\/aps/);
  assert.match(headers.authorization ?? "", /SignedHeaders=[^,]*x-amz-security-token/);
  assert.ok((headers["x-amz-security-token"] ?? "").length > 0);
});
