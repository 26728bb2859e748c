import assert from "node:assert/strict";
import {test} from "node:test";
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
