import assert from "node:assert/strict";
import {test} from "node:test";
import {gzipSync, zstdCompressSync} from "node:zlib";
import {Downstream} from "./downstream.ts";
import {parseDownstreamConfig} from "./downstream-config.ts";
import {startDownstream} from "./testing/start-frontend.ts";

test("a request that came over HTTP/2 is passed on without its request line and its connection's headers", async (t) => {
  const {url, asked} = await startDownstream(t, () => ({status: 200, body: "{}"}));
  const headers = {":method": "GET", ":path": "/api/v1/rules", ":authority": "a", te: "trailers", "x-panel-id": "7"};
  const downstream = new Downstream(new URL(url), parseDownstreamConfig(""));
  const body = new Uint8Array(0);
  const answer = await downstream.pass("GET", "/api/v1/rules", headers, body, new AbortController().signal);
  assert.equal(answer.status, 200);
  for await (const part of answer.body) assert.equal(String(part), "{}");
  assert.equal(asked[0]?.path, "/api/v1/rules");
  assert.equal(asked[0]?.headers["x-panel-id"], "7");
  assert.equal(asked[0]?.headers.te, undefined);
});

test("answers are asked for plain on one machine, packed from elsewhere, and unpacked whenever they are packed", async (t) => {
  const text = JSON.stringify({data: "x".repeat(5000)});
  const pack = {gzip: gzipSync, zstd: zstdCompressSync};
  for (const coding of ["gzip", "zstd"] as const) {
    const body = pack[coding](text);
    const {url, asked} = await startDownstream(t, () => ({status: 200, body, headers: {"content-encoding": coding}}));
    for (const [host, accepted] of [
      ["127.0.0.1", "identity"],
      // Any address but the loopback's, of the same server.
      ["0.0.0.0", "gzip, zstd"],
    ] as const) {
      const downstream = new Downstream(new URL(url.replace("127.0.0.1", host)), parseDownstreamConfig(""));
      const request = {method: "GET", target: "/api/v1/query", body: "", headers: {}} as const;
      const answer = await downstream.fetch(request, new AbortController().signal);
      assert.equal(String(answer.body), text);
      assert.equal(asked.at(-1)?.headers["accept-encoding"], accepted);
      downstream.close();
    }
  }
});
