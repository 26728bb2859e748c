import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {before, describe, test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {suiteScope, until} from "../e2e/strata.ts";
import {difference, type HttpExchange, replay} from "./http-exchange.ts";
import {KnownDifferences} from "./known-differences.ts";
import {startQuerier, startStore} from "./servers.ts";

const exchanges = gunzipSync(readFileSync(goldenDir("query", "api", "captures.jsonl.gz")))
  .toString()
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as HttpExchange);

describe("the querier over the store gateway", () => {
  const scope = suiteScope();
  let storeUrl = "";
  let querierUrl = "";

  before(async () => {
    const store = await startStore(scope);
    const querier = await startQuerier(scope, [store.grpc]);
    storeUrl = store.url;
    querierUrl = querier.url;
    const connected = async () => (await (await fetch(`${querierUrl}/api/v1/stores`)).text()).includes('"store"');
    await until(connected, "the querier to see the store", querier.server);
  });

  test("answers HTTP requests as the original", () => replayAll("thanos_query_store", querierUrl));
  test("has a store that answers HTTP requests as the original", () => replayAll("thanos_store", storeUrl));
});

async function replayAll(server: string, url: string): Promise<void> {
  const known = new KnownDifferences(new URL(`${server.replaceAll("_", "-")}-differences.txt`, import.meta.url));
  const own = exchanges.filter((exchange) => exchange.server === server);
  assert.ok(own.length > 0);
  for (const exchange of own) {
    const got = await replay(url, exchange);
    if (known.gap(exchange.path, () => got.status !== 404)) continue;
    const found = difference(got, exchange);
    known.record(exchange.id, found && `${exchange.path}?${exchange.query ?? exchange.body ?? ""}: ${found}`);
  }
  assert.equal(known.complaints().join("\n"), "");
}
