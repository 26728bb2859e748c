import assert from "node:assert/strict";
import {once} from "node:events";
import {connect} from "node:net";
import {before, describe, test} from "node:test";
import {freePort, type Server} from "@strata/base/testing";
import {SampleStore, startStore} from "@strata/storeapi/testing";
import {endpointSeen, strata, suiteScope} from "./strata.ts";

const T = 1_700_000_000;
const MARKUP = '<script>alert("1")</script>&\u2028\r\nX-Evil: 1';

describe("what clients and stores smuggle in", () => {
  const scope = suiteScope();
  let server: Server & {readonly url: string; readonly port: number};

  before(async () => {
    const samples = Array.from({length: 10}, (_, i) => [(T + i * 15) * 1000, i] as const);
    const store = new SampleStore([{labels: {__name__: "up", evil: MARKUP, "a<b>": "1"}, samples}]);
    const {address} = await startStore(scope, store);
    server = await strata(scope, "query", [
      `--endpoint=${address}`,
      `--grpc-address=127.0.0.1:${await freePort()}`,
      "--web.prefix-header=X-Forwarded-Prefix",
    ]);
    await endpointSeen(server.url, "store", server);
  });

  /** Sends bytes as they are and gives all that comes back. */
  const raw = async (text: string): Promise<string> => {
    const socket = connect(server.port, "127.0.0.1");
    socket.write(text);
    let got = "";
    socket.setEncoding("utf8").on("data", (part: string) => (got += part));
    await once(socket, "close");
    return got;
  };
  const get = (path: string, ...headers: string[]) =>
    raw([`GET ${path} HTTP/1.1`, "Host: x", "Connection: close", ...headers, "", ""].join("\r\n"));

  test("markup in labels leaves as text", async () => {
    for (const path of [
      `query?query=up&time=${T + 60}`,
      `query_range?query=up&start=${T}&end=${T + 60}&step=15`,
      "series?match[]=up",
      "labels",
      "label/evil/values",
    ]) {
      const response = await fetch(`${server.url}/api/v1/${path}`);
      const text = await response.text();
      assert.doesNotMatch(text, /<|>|&|\u2028/, path);
      assert.equal(response.headers.get("content-type"), "application/json", path);
      assert.equal(response.headers.get("x-evil"), null);
      assert.match(text, /evil|a\\u003cb\\u003e|u003cscript/, path);
    }
  });

  test("errors repeat what was sent as text of JSON", async () => {
    const evil = encodeURIComponent('"><script>\r\nX-Evil: 1');
    for (const path of [`query?query=${evil}`, `query?query=up&time=${evil}`, `label/${evil}/values?limit=${evil}`]) {
      const response = await fetch(`${server.url}/api/v1/${path}`);
      assert.equal(response.status, 400);
      assert.equal(response.headers.get("content-type"), "application/json");
      assert.equal(response.headers.get("x-evil"), null);
      assert.doesNotMatch(await response.text(), /<script>/);
    }
  });

  test("headers with control characters are refused or go no further", async () => {
    const answer = await get("/api/v1/query?query=up", "X-Request-ID: a\tb\x01c");
    assert.match(answer, /^HTTP\/1.1 400 /);
    assert.ok(!answer.includes("\u0001"));
    const latin = await get(`/api/v1/query?query=up&time=${T + 60}`, "THANOS-TENANT: caf\xe9");
    assert.match(latin, /^HTTP\/1.1 (200|400) /);
    const id = await get(`/api/v1/query?query=up&time=${T + 60}`, "X-Request-ID: \xe9");
    assert.match(id, /^HTTP\/1.1 (200|400) /);
    // The process is well after all that.
    assert.equal((await fetch(`${server.url}/api/v1/query?query=1`)).status, 200);
  });

  test("a prefix header cannot send a browser elsewhere", async () => {
    for (const prefix of ["//evil.example", "https://evil.example", "/a\\b", "/%0d%0aX-Evil:1", "javascript:x"]) {
      const answer = await get("/", `X-Forwarded-Prefix: ${prefix}`);
      const location = /^location: (.*)$/im.exec(answer)?.[1] ?? "";
      assert.doesNotMatch(location, /^\/\/|^https?:|\\|evil\.example|javascript/, prefix);
      assert.doesNotMatch(answer, /^x-evil/im, prefix);
    }
    for (const path of ["//evil.example/..", "/\\evil.example", "//evil.example/%2f.."]) {
      const location = /^location: (.*)$/im.exec(await get(path))?.[1] ?? "";
      assert.doesNotMatch(location, /^\/[/\\]|^https?:/, path);
    }
  });

  test("two lengths, or a length and chunks, are no request", async () => {
    for (const headers of [
      ["Content-Length: 5", "Content-Length: 6"],
      ["Content-Length: 5", "Transfer-Encoding: chunked"],
    ]) {
      const answer = await raw(["POST /api/v1/query HTTP/1.1", "Host: x", ...headers, "", "query"].join("\r\n"));
      assert.match(answer, /^HTTP\/1.1 400 /, headers.join());
    }
  });
});
