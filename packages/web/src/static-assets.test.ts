import assert from "node:assert/strict";
import {once} from "node:events";
import {mkdirSync, symlinkSync, writeFileSync} from "node:fs";
import http, {type IncomingMessage} from "node:http";
import {join} from "node:path";
import {test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {linkPrefix, normalisePrefix, prefixOptions} from "./prefix.ts";
import {addStaticRoutes} from "./static-assets.ts";
import {startTestServer} from "./testing.ts";

async function serve(
  t: Parameters<typeof startTestServer>[0] & Parameters<typeof tempDir>[0],
  prefixes = prefixOptions("", "", ""),
) {
  const dir = tempDir(t);
  mkdirSync(join(dir, "ui/assets"), {recursive: true});
  writeFileSync(join(dir, "secret.txt"), "secret");
  writeFileSync(join(dir, "ui/index.html"), "<html><head><title>x</title></head></html>");
  writeFileSync(join(dir, "ui/assets/app-1a2b3c4d.js"), "code");
  writeFileSync(join(dir, "ui/plain.css"), "a{}");
  symlinkSync(join(dir, "secret.txt"), join(dir, "ui/link.txt"));
  const test = await startTestServer(t);
  addStaticRoutes(test.router, {dir: join(dir, "ui"), prefixes, pages: ["", "graph", "stores"]});
  /** The path is sent as it stands, which fetch would not do. */
  return async (path: string, headers: Record<string, string> = {}) => {
    const req = http.get({host: test.server.address.host, port: test.server.address.port, path, headers});
    const [res] = (await once(req, "response")) as [IncomingMessage];
    let text = "";
    for await (const piece of res) text += String(piece);
    return {status: res.statusCode, headers: res.headers, text};
  };
}

test("pages are index.html, and no outside hosts are allowed", async (t) => {
  const get = await serve(t);
  for (const path of ["/", "/graph", "/stores"]) {
    const {status, headers, text} = await get(path);
    assert.equal(status, 200, path);
    assert.match(text, /<title>x/);
    assert.match(String(headers["content-security-policy"]), /^default-src 'self';/);
    assert.doesNotMatch(String(headers["content-security-policy"]), /https?:/);
  }
});

test("files are served with type and caching headers, hashed names for ever", async (t) => {
  const get = await serve(t);
  const js = await get("/assets/app-1a2b3c4d.js");
  assert.equal(js.text, "code");
  assert.equal(js.headers["content-type"], "text/javascript; charset=utf-8");
  assert.match(String(js.headers["cache-control"]), /immutable/);
  const css = await get("/plain.css");
  assert.equal(css.headers["cache-control"], "no-cache");
  assert.equal((await get("/plain.css", {"if-none-match": String(css.headers.etag)})).status, 304);
});

test("nothing outside the directory can be read", async (t) => {
  const get = await serve(t);
  const paths = [
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/assets/..%5c..%5csecret.txt",
    "/link.txt",
    "/%00",
    "//etc/passwd",
    "/assets",
    "/assets/",
    "/.hidden",
  ];
  for (const path of paths) {
    const {status, text} = await get(path);
    // Two slashes are sent to the path with one, where there is nothing.
    assert.equal(status, path.startsWith("//") ? 307 : 404, path);
    assert.doesNotMatch(text, /secret/);
  }
});

test("under a prefix the root redirects to the graph, by the external prefix or the header", async (t) => {
  const get = await serve(t, prefixOptions("/route", "", "X-Prefix"));
  assert.equal((await get("/")).headers.location, "/route/graph");
  assert.equal((await get("/route")).status, 302);
  assert.equal((await get("/", {"x-prefix": "/proxy"})).headers.location, "/proxy/graph");
  assert.equal((await get("/", {"x-prefix": "//evil.example"})).headers.location, "/evil.example/graph");
  assert.equal((await get("/", {"x-prefix": 'a"b'})).headers.location, "/route/graph");
  assert.equal((await get("/route/graph")).status, 200);
  assert.equal((await get("/graph")).status, 404);
});

test("prefixes are paths with one leading slash", () => {
  const f = (text: string, want: string) => assert.equal(normalisePrefix(text), want, text);
  f("", "");
  f("/", "");
  f("a/b/", "/a/b");
  f("//a", "/a");
  f("http://host:80/x/", "/x");
  assert.deepEqual(prefixOptions("", "/e", ""), {route: "/e", external: "/e", header: ""});
  assert.equal(linkPrefix(prefixOptions("/r", "/e", "h"), {h: "/x"}), "/e");
});
