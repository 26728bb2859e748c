import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {once} from "node:events";
import {readFileSync, rmSync, writeFileSync} from "node:fs";
import http2 from "node:http2";
import https, {type RequestOptions} from "node:https";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import type {TLSSocket} from "node:tls";
import {tempDir} from "@strata/base/testing";
import {nullLogger} from "@strata/telemetry";
import bcrypt from "bcryptjs";
import {plainText} from "./http-types.ts";
import {resolveTenant} from "./tenant.ts";
import {startTestServer} from "./testing.ts";
import {cipherList, curveList} from "./tls-names.ts";
import {loadWebConfig} from "./web-config.ts";
import {parseWebConfigFile} from "./web-config-file.ts";

/** A throw-away authority with certificates for servers and clients. */
class Authority {
  readonly dir: string;

  constructor(t: TestContext) {
    this.dir = tempDir(t);
    this.#openssl(
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=test authority",
      "-keyout",
      "ca.key",
      "-out",
      "ca.crt",
    );
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  read(name: string): Buffer {
    return readFileSync(this.path(name));
  }

  issue(name: string, subject: string): void {
    this.#openssl(
      "req",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-subj",
      subject,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
    );
    writeFileSync(this.path("san.ext"), `subjectAltName=DNS:${name},IP:127.0.0.1`);
    this.#openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      "-CA",
      "ca.crt",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-days",
      "2",
      "-extfile",
      "san.ext",
      "-out",
      `${name}.crt`,
    );
  }

  #openssl(...args: string[]): void {
    execFileSync("openssl", args, {cwd: this.dir, stdio: "pipe"});
  }
}

async function start(t: TestContext, dir: string, yaml: string) {
  const path = join(dir, "web.yml");
  writeFileSync(path, yaml);
  const server = await startTestServer(t, {webConfig: loadWebConfig(path, nullLogger())});
  server.router.get("/tenant", (r) =>
    plainText(200, resolveTenant(r.raw, {header: "T", defaultTenant: "d", certificateField: "organization"})),
  );
  server.probes.setHealthy();
  return {...server, path};
}

type Got = {readonly status: number; readonly text: string; readonly subject: string};

async function get(url: string, options: RequestOptions): Promise<Got> {
  const req = https.get(url, {agent: false, ...options});
  const [res] = await once(req, "response");
  const subject = String((res.socket as TLSSocket).getPeerCertificate().subject?.CN);
  let text = "";
  for await (const piece of res) text += String(piece);
  return {status: res.statusCode ?? 0, text, subject};
}

test("TLS serves HTTP/1 and HTTP/2, and takes a renewed certificate over", async (t) => {
  const authority = new Authority(t);
  authority.issue("server", "/CN=first");
  const {url, server} = await start(
    t,
    authority.dir,
    "tls_server_config: {cert_file: server.crt, key_file: server.key}",
  );
  const ca = authority.read("ca.crt");
  assert.deepEqual(await get(`${url}/-/healthy`, {ca}), {status: 200, text: "OK", subject: "first"});
  const session = http2.connect(url, {ca});
  const stream = session.request({":path": "/-/healthy"});
  const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
  assert.equal(headers[":status"], 200);
  session.unref();
  authority.issue("server", "/CN=second");
  assert.equal((await get(`${url}/-/healthy`, {ca})).subject, "second");
  rmSync(authority.path("server.key"));
  assert.equal((await get(`${url}/-/healthy`, {ca})).subject, "second", "a missing file leaves the old one in use");
  // The open HTTP/2 session does not hold the server up.
  await server.close(60_000);
});

test("client certificates are required, verified and name the tenant as configured", async (t) => {
  const authority = new Authority(t);
  authority.issue("server", "/CN=server");
  authority.issue("client", "/CN=c/O=team-a");
  const other = new Authority(t);
  other.issue("client", "/CN=c/O=team-b");
  const ca = authority.read("ca.crt");
  const own = {ca, cert: authority.read("client.crt"), key: authority.read("client.key")};
  const strange = {ca, cert: other.read("client.crt"), key: other.read("client.key")};
  const config = (auth: string, more = "") =>
    `tls_server_config: {cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt, client_auth_type: ${auth}${more}}`;

  const strict = await start(t, authority.dir, config("RequireAndVerifyClientCert"));
  assert.equal((await get(`${strict.url}/tenant`, own)).text, "team-a");
  await assert.rejects(get(`${strict.url}/tenant`, {ca}));
  await assert.rejects(get(`${strict.url}/tenant`, strange));

  const given = await start(t, authority.dir, config("VerifyClientCertIfGiven"));
  assert.equal((await get(`${given.url}/tenant`, {ca})).status, 400);
  assert.equal((await get(`${given.url}/tenant`, own)).text, "team-a");
  await assert.rejects(get(`${given.url}/tenant`, strange));

  const any = await start(t, authority.dir, config("RequireAnyClientCert"));
  assert.equal((await get(`${any.url}/tenant`, strange)).text, "team-b");
  await assert.rejects(get(`${any.url}/tenant`, {ca}));

  const named = await start(t, authority.dir, config("RequireAndVerifyClientCert", ", client_allowed_sans: [other]"));
  await assert.rejects(get(`${named.url}/tenant`, own));
});

test("versions below the minimum are refused", async (t) => {
  const authority = new Authority(t);
  authority.issue("server", "/CN=server");
  const {url} = await start(
    t,
    authority.dir,
    "tls_server_config: {cert_file: server.crt, key_file: server.key, min_version: TLS13}",
  );
  const ca = authority.read("ca.crt");
  await assert.rejects(get(`${url}/-/healthy`, {ca, maxVersion: "TLSv1.2"}), /version/i);
  assert.equal((await get(`${url}/-/healthy`, {ca})).status, 200);
});

test("basic authentication guards every path, and follows the file", async (t) => {
  const dir = tempDir(t);
  const hash = (password: string) => bcrypt.hashSync(password, 4);
  const {url, path} = await start(t, dir, `basic_auth_users: {"al:ice": "${hash("x")}", bob: "${hash("p:w")}"}`);
  const login = (pair: string) => ({authorization: `Basic ${Buffer.from(pair).toString("base64")}`});
  const status = async (headers: Record<string, string>, at = "/-/healthy") =>
    (await fetch(`${url}${at}`, {headers})).status;
  assert.equal(await status({}), 401);
  assert.equal((await fetch(`${url}/metrics`)).headers.get("www-authenticate"), "Basic");
  assert.equal(await status(login("bob:p:w")), 200);
  assert.equal(await status(login("bob:p:w"), "/metrics"), 200);
  assert.equal(await status(login("bob:wrong")), 401);
  assert.equal(await status(login("bob:wrong")), 401, "also from the cache");
  assert.equal(await status(login("nobody:")), 401);
  assert.equal(await status({authorization: "Bearer x"}), 401);
  writeFileSync(path, `basic_auth_users: {bob: "${hash("new")}"}\n`);
  assert.equal(await status(login("bob:p:w")), 401);
  assert.equal(await status(login("bob:new")), 200);
  writeFileSync(path, "broken: [");
  assert.equal(await status(login("bob:new")), 200, "a broken file leaves the old settings");
});

test("security headers are set, and the rate is limited", async (t) => {
  const dir = tempDir(t);
  const {url} = await start(
    t,
    dir,
    "http_server_config: {headers: {X-Frame-Options: deny}}\nrate_limit: {burst: 2, interval: 1h}",
  );
  const first = await fetch(`${url}/-/healthy`);
  assert.equal(first.headers.get("x-frame-options"), "deny");
  assert.equal((await fetch(`${url}/-/healthy`)).status, 200);
  assert.equal((await fetch(`${url}/-/healthy`)).status, 429);
});

test("the file says what is wrong with it", () => {
  const f = (yaml: string, want: RegExp) => assert.throws(() => parseWebConfigFile(yaml, "web.yml"), want, yaml);
  f("a: 1", /cannot use web.yml: the document has the unknown key a; known are tls_server_config/);
  f("[", /cannot use web.yml/);
  f("tls_server_config: {cert_file: a}", /has no key_file/);
  f(
    "tls_server_config: {cert_file: a, key_file: b, client_auth_type: Maybe}",
    /client_auth_type is Maybe; want one of NoClientCert/,
  );
  f(
    "tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}",
    /client_ca_file is given, but client_auth_type is NoClientCert/,
  );
  f("basic_auth_users: {bob: secret}", /password of user bob is not a bcrypt hash/);
  f("http_server_config: {headers: {Server: x}}", /header Server cannot be set/);
  assert.equal(parseWebConfigFile("", "web.yml").users.size, 0);
  assert.throws(() => loadWebConfig("/nowhere/web.yml", nullLogger()), /cannot read \/nowhere\/web.yml: ENOENT/);
});

test("cipher suites and curves are named as in Go", () => {
  assert.equal(cipherList([]), undefined);
  assert.equal(
    cipherList([
      "TLS_AES_128_GCM_SHA256",
      "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
      "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
      "TLS_RSA_WITH_AES_256_CBC_SHA",
    ]),
    "TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:AES256-SHA",
  );
  assert.throws(() => cipherList(["NOPE"]), /unknown cipher suite NOPE/);
  assert.equal(curveList(["X25519", "CurveP256"]), "X25519:prime256v1");
  assert.throws(() => curveList(["P9"]), /unknown curve P9/);
});
