import assert from "node:assert/strict";
import {test} from "node:test";
import {nullLogger} from "@strata/telemetry";
import {startTestServer} from "../testing.ts";
import {Api} from "./envelope.ts";
import {addPagesRoute} from "./pages-route.ts";

test("pages learn what the API has, also what is added later", async (t) => {
  const {router, server} = await startTestServer(t);
  const api = new Api(router, {routePrefix: "/prefix", cors: false, log: nullLogger()});
  addPagesRoute(api, {component: "rule", version: "1.2.3", tenantHeader: undefined});
  api.add(["GET"], "/rules", "rules", () => ({data: {}}));
  api.add(["POST"], "/rules", "rules", () => ({data: {}}));
  const answer = await fetch(`${server.url}/prefix/api/v1/status/pages`);
  assert.deepEqual(((await answer.json()) as {data: unknown}).data, {
    component: "rule",
    version: "1.2.3",
    paths: ["/rules", "/status/pages"],
    tenantHeader: null,
  });
});
