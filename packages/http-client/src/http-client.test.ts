import assert from "node:assert/strict";
import {copyFileSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {createServer} from "node:https";
import type {AddressInfo} from "node:net";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import type {TLSSocket} from "node:tls";
import {ConfigFields, tlsOptions} from "@strata/base";
import {makeCertificates, tempDir} from "@strata/base/testing";
import {HttpClient} from "./http-client.ts";
import {parseHttpClientConfig} from "./http-client-config.ts";
import {testProxy, testServer} from "./testing/index.ts";
import {TlsSource} from "./tls-source.ts";

const never = new AbortController().signal;

async function get(t: TestContext, url: string, config: string, path = "/x"): Promise<string> {
  const client = new HttpClient(new URL(url), parseHttpClientConfig(config));
  t.after(() => client.close());
  return (await client.body({method: "GET", path}, 100, never)).toString();
}

test("what is encrypted goes through a tunnel, checked from end to end", async (t) => {
  const {ca, cert, key} = makeCertificates(tempDir(t), "far.test");
  const server = await testServer(t, () => ({body: "far"}), {cert: readFileSync(cert), key: readFileSync(key)});
  const proxy = await testProxy(t);
  const config = `{proxy_url: "http://u:p%40@127.0.0.1:${proxy.port}", proxy_connect_header: {X-Site: [a, b]}`;
  const url = `https://far.test:${server.port}`;
  assert.equal(await get(t, url, `${config}, tls_config: {ca_file: "${ca}"}}`), "far");
  const [connect] = proxy.connects;
  assert.equal(connect?.url, `far.test:${server.port}`);
  assert.equal(connect?.headers["proxy-authorization"], `Basic ${btoa("u:p@")}`);
  assert.equal(connect?.headers["x-site"], "a, b");
  assert.equal(server.seen[0]?.headers["proxy-authorization"], undefined);
  const inline = JSON.stringify(readFileSync(ca, "utf8"));
  assert.equal(await get(t, url, `${config}, tls_config: {ca: ${inline}, min_version: TLS13}}`), "far");
  await assert.rejects(get(t, url, `${config}}`), /unable to verify the first certificate|unable to get local issuer/);
});

test("one connection through a tunnel serves many requests", async (t) => {
  const {ca, cert, key} = makeCertificates(tempDir(t), "far.test");
  const server = await testServer(t, () => ({body: "far"}), {cert: readFileSync(cert), key: readFileSync(key)});
  const proxy = await testProxy(t);
  const config = `{proxy_url: "127.0.0.1:${proxy.port}", tls_config: {ca_file: "${ca}"}}`;
  const client = new HttpClient(new URL(`https://far.test:${server.port}`), parseHttpClientConfig(config));
  t.after(() => client.close());
  for (let i = 0; i < 3; i++) await client.body({method: "POST", path: "/", body: Buffer.from("b")}, 100, never);
  assert.equal(server.seen.length, 3);
  assert.equal(proxy.connects.length, 1);
});

test("what is plain is handed to the proxy as a whole", async (t) => {
  const proxy = await testProxy(t);
  const config = `{proxy_url: "http://u:p@127.0.0.1:${proxy.port}", bearer_token: t, proxy_connect_header: {X: [a]}}`;
  assert.equal(await get(t, "http://far.test:8080/base", config), "by proxy");
  const [seen] = proxy.seen;
  assert.equal(seen?.url, "http://far.test:8080/base/x");
  assert.equal(seen?.headers.host, "far.test:8080");
  assert.equal(seen?.headers.authorization, "Bearer t");
  assert.equal(seen?.headers["proxy-authorization"], `Basic ${btoa("u:p")}`);
  assert.equal(seen?.headers.x, undefined);
});

test("a proxy that refuses is told with what it said", async (t) => {
  const proxy = await testProxy(t, {refuse: 407});
  const config = `proxy_url: http://127.0.0.1:${proxy.port}`;
  await assert.rejects(
    get(t, "https://far.test", config),
    /far\.test:443 through the proxy 127\.0\.0\.1:\d+: it answered 407 No/,
  );
});

test("a proxy reached over TLS is checked by the same authority", async (t) => {
  const dir = tempDir(t);
  const [own, far] = [makeCertificates(dir, "proxy.test"), makeCertificates(dir, "far.test")];
  const tlsOf = ({cert, key}: typeof own) => ({cert: readFileSync(cert), key: readFileSync(key)});
  const server = await testServer(t, () => ({body: "far"}), tlsOf(far));
  const proxy = await testProxy(t, {tls: tlsOf(own)});
  const config = `{proxy_url: "https://127.0.0.1:${proxy.port}", tls_config: {ca_file: "${own.ca}", server_name: far.test}}`;
  assert.equal(await get(t, "http://far.test", config), "by proxy");
  assert.equal(proxy.seen[0]?.url, "http://far.test/x");
  assert.equal(await get(t, `https://10.0.0.1:${server.port}`, config), "far");
});

test("a token in a file is read for each request", async (t) => {
  const server = await testServer(t, () => ({}));
  const file = join(tempDir(t), "token");
  writeFileSync(file, "one\n");
  const config = `{authorization: {type: Token, credentials_file: "${file}"}, http_headers: {X-A: {values: [a], files: ["${file}"]}}}`;
  const client = new HttpClient(new URL(`http://127.0.0.1:${server.port}`), parseHttpClientConfig(config));
  t.after(() => client.close());
  await client.body({method: "GET", path: "/"}, 100, never);
  writeFileSync(file, "two");
  await client.body({method: "GET", path: "/"}, 100, never);
  assert.deepEqual(
    server.seen.map(({headers}) => [headers.authorization, headers["x-a"]]),
    [
      ["Token one", "a, one"],
      ["Token two", "a, two"],
    ],
  );
});

test("the base itself is asked with its path and query as they are", async (t) => {
  const server = await testServer(t, () => ({}));
  const base = `http://u:p@127.0.0.1:${server.port}/write/?db=a`;
  await get(t, base, "", "");
  await get(t, base, "", "/more");
  assert.deepEqual(
    server.seen.map(({url, headers}) => [url, headers.authorization]),
    [
      ["/write/?db=a", "Basic dTpw"],
      ["/write/more", "Basic dTpw"],
    ],
  );
});

test("a replaced certificate is shown from then on, a missing one is not waited for", async (t) => {
  const dir = tempDir(t);
  const [own, first, second] = ["server.test", "first.test", "second.test"].map((name) => makeCertificates(dir, name));
  assert.ok(own !== undefined && first !== undefined && second !== undefined);
  const server = createServer(
    {cert: readFileSync(own.cert), key: readFileSync(own.key), ca: readFileSync(own.ca), requestCert: true},
    (request, response) => response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const [cert, key] = [join(dir, "client.pem"), join(dir, "client.key")];
  const take = (from: {cert: string; key: string}): void => {
    copyFileSync(from.cert, cert);
    copyFileSync(from.key, key);
  };
  take(first);
  const block = new ConfigFields("tls_config", {ca_file: own.ca, cert_file: cert, key_file: key});
  const tls = new TlsSource(() => tlsOptions(block), 0);
  const client = new HttpClient(new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`), {tls});
  t.after(() => client.close());
  const shown = async () => (await client.body({method: "GET", path: "/"}, 100, never)).toString();
  assert.deepEqual([await shown(), await shown()], ["first.test", "first.test"]);
  rmSync(cert);
  assert.equal(await shown(), "first.test");
  take(second);
  assert.equal(await shown(), "second.test");
});

test("redirections are followed with the body; credentials stay with their host", async (t) => {
  const far = await testServer(t, ({body}) => ({body: `far ${body}`}));
  const server = await testServer(t, ({url}) => {
    const [, status, to = ""] = url.split("/");
    const location = to === "far" ? `http://localhost:${far.port}/there?a=b` : to === "" ? url : `/${to}/end`;
    return status === "end" || url.endsWith("/end") ? {body: "end"} : {status: Number(status), headers: {location}};
  });
  const base = new URL(`http://127.0.0.1:${server.port}`);
  const client = new HttpClient(base, parseHttpClientConfig("bearer_token: t"));
  t.after(() => client.close());
  const ask = async (method: "GET" | "POST", path: string): Promise<string> => {
    const body = method === "POST" ? Buffer.from("body") : undefined;
    const answer = await client.answer({method, path, body}, 100, never);
    return `${answer.status} ${answer.body}`;
  };
  assert.equal(await ask("POST", "/308/far"), "200 far body");
  assert.deepEqual([far.seen[0]?.url, far.seen[0]?.headers.authorization], ["/there?a=b", undefined]);
  assert.equal(await ask("GET", "/302/x"), "200 end");
  assert.equal(server.seen.at(-1)?.headers.authorization, "Bearer t");
  assert.equal(await ask("POST", "/302/far"), "302 ");
  assert.equal(await ask("GET", "/307"), "307 ");
  assert.equal(server.seen.filter(({url}) => url === "/307").length, 11);
  const still = new HttpClient(base, parseHttpClientConfig("follow_redirects: false"));
  t.after(() => still.close());
  assert.equal((await still.answer({method: "GET", path: "/302/x"}, 100, never)).status, 302);
});

test("configurations that contradict themselves are refused", () => {
  const f = (config: string, want: RegExp): void => assert.throws(() => parseHttpClientConfig(config), want);
  f("{basic_auth: {username: u}, bearer_token: t}", /at most one of basic_auth & bearer_token/);
  f("{authorization: {type: Basic, credentials: x}}", /type cannot be set to "basic"/);
  f("{http_headers: {User-Agent: {values: [x]}}}", /setting header "User-Agent" is not allowed/);
  f("{no_proxy: x}", /if no_proxy is configured, proxy_url must also be configured/);
  f("{proxy_url: http://x, proxy_from_environment: true}", /proxy_url must not be configured/);
  f("{proxy_connect_header: {a: [b]}}", /proxy_url or proxy_from_environment must also be configured/);
  f("{proxy_url: http://x, proxy_connect_header: {a: b}}", /a must be a list of strings/);
  f("[]", /it is not a mapping/);
});
