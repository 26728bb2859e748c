import assert from "node:assert/strict";
import {writeFileSync} from "node:fs";
import {createServer, type IncomingMessage, type ServerResponse} from "node:http";
import type {AddressInfo} from "node:net";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {HttpClient} from "@strata/http-client";
import {parseRemoteWriteConfig} from "./remote-config.ts";

async function serve(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    request.resume();
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What a receiver is let in with by an entry with this `google_iam`. */
async function authorization(t: TestContext, googleIam: string): Promise<string | undefined> {
  let seen: string | undefined;
  const url = await serve(t, (request, response) => {
    seen = request.headers.authorization;
    response.end();
  });
  const [config] = parseRemoteWriteConfig(`remote_write: [{url: "${url}", google_iam: {${googleIam}}}]`);
  assert.ok(config);
  const client = new HttpClient(config.url, config.http);
  t.after(() => client.close());
  await client.answer({method: "POST", path: "", body: Buffer.from("x")}, 100, AbortSignal.timeout(20_000));
  return seen;
}

test("the machine's own identity gives tokens", async (t) => {
  const metadata = await serve(t, (request, response) => {
    const isToken = request.url?.includes("/service-accounts/default/token") === true;
    response.setHeader("metadata-flavor", "Google").setHeader("content-type", "application/json");
    response.end(isToken ? '{"access_token":"machine","expires_in":3600,"token_type":"Bearer"}' : '"x"');
  });
  process.env.GCE_METADATA_HOST = new URL(metadata).host;
  process.env.METADATA_SERVER_DETECTION = "assume-present";
  t.after(() => {
    delete process.env.GCE_METADATA_HOST;
    delete process.env.METADATA_SERVER_DETECTION;
  });
  assert.equal(await authorization(t, ""), "Bearer machine");
});

test("a file of credentials gives tokens", async (t) => {
  const tokens = await serve(t, (_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end('{"access_token":"federated","expires_in":3600,"token_type":"Bearer","issued_token_type":"x"}');
  });
  const dir = tempDir(t);
  writeFileSync(join(dir, "subject"), "subject-token");
  const file = join(dir, "credentials.json");
  writeFileSync(
    file,
    JSON.stringify({
      type: "external_account",
      audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `${tokens}/token`,
      credential_source: {file: join(dir, "subject")},
    }),
  );
  assert.equal(await authorization(t, `credentials_file: "${file}"`), "Bearer federated");
});

test("without an identity there is a clear error", async (t) => {
  await assert.rejects(
    authorization(t, `credentials_file: "${join(tempDir(t), "none.json")}"`),
    /cannot get a token from Google/,
  );
});
