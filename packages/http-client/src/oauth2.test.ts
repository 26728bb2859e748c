import assert from "node:assert/strict";
import {generateKeyPairSync, verify} from "node:crypto";
import {readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {makeCertificates, tempDir} from "@strata/base/testing";
import {HttpClient} from "./http-client.ts";
import {parseHttpClientConfig} from "./http-client-config.ts";
import {type Reply, type Seen, testProxy, testServer} from "./testing/index.ts";

const never = new AbortController().signal;
const form = ({body}: Seen) => Object.fromEntries(new URLSearchParams(body));

async function asking(t: TestContext, oauth2: string) {
  const server = await testServer(t, () => ({body: "ok"}));
  const client = new HttpClient(
    new URL(`http://127.0.0.1:${server.port}`),
    parseHttpClientConfig(`oauth2: {${oauth2}}`),
  );
  t.after(() => client.close());
  const ask = async (): Promise<string | undefined> => {
    await client.body({method: "GET", path: "/x"}, 100, never);
    return server.seen.at(-1)?.headers.authorization;
  };
  return {ask, server};
}

const token = (name: string, seconds: number): Reply => ({
  headers: {"content-type": "application/json"},
  body: JSON.stringify({access_token: name, token_type: "bearer", expires_in: seconds}),
});

test("a token is fetched once and kept, also by requests at the same time", async (t) => {
  const tokens = await testServer(t, () => token("t1", 3600));
  const {ask} = await asking(
    t,
    `client_id: "me & you", client_secret: "s/1", token_url: "http://127.0.0.1:${tokens.port}/t?a=b", scopes: [r, w], endpoint_params: {audience: x}`,
  );
  assert.deepEqual(await Promise.all([ask(), ask(), ask()]), Array(3).fill("Bearer t1"));
  assert.equal(await ask(), "Bearer t1");
  assert.equal(tokens.seen.length, 1);
  const [seen] = tokens.seen;
  assert.deepEqual(form(seen as Seen), {grant_type: "client_credentials", scope: "r w", audience: "x"});
  assert.equal(seen?.url, "/t?a=b");
  assert.equal(seen?.headers.authorization, `Basic ${btoa("me+%26+you:s%2F1")}`);
});

test("a token that is about to expire is replaced, with the secret as its file has it then", async (t) => {
  const tokens = await testServer(t, ({headers}) => token(headers.authorization ?? "", 5));
  const file = join(tempDir(t), "secret");
  writeFileSync(file, "one\n");
  const {ask} = await asking(
    t,
    `client_id: c, client_secret_file: "${file}", token_url: "http://127.0.0.1:${tokens.port}"`,
  );
  assert.equal(await ask(), `Bearer Basic ${btoa("c:one")}`);
  writeFileSync(file, "two");
  assert.equal(await ask(), `Bearer Basic ${btoa("c:two")}`);
});

test("a server that wants the secret in the form gets it there, from then on at once", async (t) => {
  const tokens = await testServer(t, (seen) =>
    form(seen).client_secret === "s" ? token("t", 1) : {status: 401, body: '{"error":"invalid_client"}'},
  );
  const {ask} = await asking(t, `client_id: c, client_secret: s, token_url: "http://127.0.0.1:${tokens.port}"`);
  assert.equal(await ask(), "Bearer t");
  assert.equal(await ask(), "Bearer t");
  assert.deepEqual(
    tokens.seen.map((seen) => [seen.headers.authorization !== undefined, form(seen).client_id]),
    [
      [true, undefined],
      [false, "c"],
      [false, "c"],
    ],
  );
});

test("what a token endpoint says of its refusal is told, and it is asked again next time", async (t) => {
  let good = false;
  const tokens = await testServer(t, () =>
    good ? token("t", 60) : {status: 400, body: '{"error":"invalid_scope","error_description":"no such scope"}'},
  );
  const {ask} = await asking(t, `client_id: c, client_secret: s, token_url: "http://127.0.0.1:${tokens.port}/t"`);
  await assert.rejects(
    ask(),
    /cannot get a token from http:\/\/127.0.0.1:\d+\/t: status 400, invalid_scope: no such scope/,
  );
  good = true;
  assert.equal(await ask(), "Bearer t");
});

test("an answer in the form of a query is understood", async (t) => {
  const tokens = await testServer(t, () => ({
    headers: {"content-type": "text/plain; charset=utf-8"},
    body: "access_token=abc&token_type=Custom&expires_in=3600",
  }));
  const {ask} = await asking(t, `client_id: c, token_url: "http://127.0.0.1:${tokens.port}"`);
  assert.equal(await ask(), "Custom abc");
});

test("the token endpoint has TLS and a proxy of its own", async (t) => {
  const {ca, cert, key} = makeCertificates(tempDir(t), "tokens.test");
  const tokens = await testServer(t, () => token("t", 60), {cert: readFileSync(cert), key: readFileSync(key)});
  const proxy = await testProxy(t);
  const {ask, server} = await asking(
    t,
    `client_id: c, token_url: "https://tokens.test:${tokens.port}", tls_config: {ca_file: "${ca}"}, proxy_url: "http://127.0.0.1:${proxy.port}"`,
  );
  assert.equal(await ask(), "Bearer t");
  assert.deepEqual(
    proxy.connects.map(({url}) => url),
    [`tokens.test:${tokens.port}`],
  );
  assert.equal(server.seen.length, 1);
});

test("a client without a secret is vouched for by its key", async (t) => {
  const {privateKey, publicKey} = generateKeyPairSync("rsa", {modulusLength: 2048});
  const file = join(tempDir(t), "key.pem");
  writeFileSync(file, privateKey.export({type: "pkcs8", format: "pem"}));
  const tokens = await testServer(t, () => token("t", 60));
  const url = `http://127.0.0.1:${tokens.port}/t`;
  const {ask} = await asking(
    t,
    `client_id: c, grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", client_certificate_key_file: "${file}", client_certificate_key_id: k1, signature_algorithm: RS384, claims: {team: x}, scopes: [r, w], token_url: "${url}"`,
  );
  assert.equal(await ask(), "Bearer t");
  const [seen] = tokens.seen;
  const {assertion = "", ...rest} = form(seen as Seen);
  assert.deepEqual(rest, {grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", scope: "r w"});
  assert.equal(seen?.headers.authorization, undefined);
  const [header = "", claims = "", signature = ""] = assertion.split(".");
  const decoded = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
  assert.deepEqual(decoded(header), {alg: "RS384", typ: "JWT", kid: "k1"});
  const {iss, sub, aud, scope, team, iat, exp, jti} = decoded(claims);
  assert.deepEqual([iss, sub, aud, scope, team], ["c", "c", url, "r w", "x"]);
  assert.equal(Number(exp) - Number(iat), 600);
  assert.match(String(jti), /^[0-9a-f-]{36}$/);
  assert.ok(verify("sha384", Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, "base64url")));
});

test("what is wrong with oauth2 is told", () => {
  const f = (oauth2: string, want: RegExp): void =>
    assert.throws(() => parseHttpClientConfig(`oauth2: {${oauth2}}`), want);
  f("token_url: http://x", /oauth2: client_id must be configured/);
  f("client_id: c", /token_url must be configured/);
  f("client_id: c, token_url: 'x y'", /token_url: Invalid URL/);
  f("client_id: c, token_url: http://x, client_secret: s, client_secret_file: f", /at most one of client_secret/);
  f("client_id: c, token_url: http://x, grant_type: password", /grant_type must be one of/);
  const jwt = 'client_id: c, token_url: http://x, grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer"';
  f(jwt, /client_certificate_key or client_certificate_key_file must be configured/);
  f(`${jwt}, client_certificate_key: k, signature_algorithm: HS256`, /signature_algorithm must be one of "RS256"/);
});
