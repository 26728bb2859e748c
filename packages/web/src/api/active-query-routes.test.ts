import assert from "node:assert/strict";
import {test} from "node:test";
import {nullLogger} from "@strata/telemetry";
import {startTestServer} from "../testing.ts";
import {addActiveQueryRoutes} from "./active-query-routes.ts";
import {Api} from "./envelope.ts";
import type {QueryBackend} from "./query-backend.ts";

test("running queries are listed and ended by their id; where the backend has none there is no route", async (t) => {
  const {url, router} = await startTestServer(t);
  const killed: string[] = [];
  const backend = {
    activeQueries: () => [
      {
        id: "01A",
        query: "sum(x)",
        state: "running" as const,
        start: 1000,
        end: 61_500,
        step: 15_000,
        tenant: "t",
        startedMs: 1_700_000_000_000,
        ageMs: 2500,
        samples: 10,
        memoryBytes: 20,
        peakMemoryBytes: 30,
      },
    ],
    killQuery: (id: string) => {
      killed.push(id);
      return id === "01A";
    },
  };
  const api = new Api(router, {routePrefix: "", cors: true, log: nullLogger()});
  addActiveQueryRoutes(api, {} as QueryBackend);
  assert.equal((await fetch(`${url}/api/v1/queries/active`)).status, 404);
  addActiveQueryRoutes(api, backend as unknown as QueryBackend);
  const listed = await (await fetch(`${url}/api/v1/queries/active`)).json();
  assert.deepEqual(listed, {
    status: "success",
    data: [
      {
        id: "01A",
        query: "sum(x)",
        state: "running",
        start: 1,
        end: 61.5,
        step: 15,
        tenant: "t",
        startedAt: "2023-11-14T22:13:20.000Z",
        ageSeconds: 2.5,
        samples: 10,
        memoryBytes: 20,
        peakMemoryBytes: 30,
      },
    ],
  });
  const kill = (id: string) => fetch(`${url}/api/v1/queries/active/${id}`, {method: "DELETE"});
  const ended = await kill("01A");
  assert.deepEqual([ended.status, await ended.json()], [200, {status: "success", data: {id: "01A", killed: true}}]);
  const missing = await kill("01B");
  assert.equal(missing.status, 404);
  assert.match(await missing.text(), /"errorType":"not_found","error":"no query 01B is running"/);
  assert.deepEqual(killed, ["01A", "01B"]);
});
