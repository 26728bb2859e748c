import assert from "node:assert/strict";
import {before, describe, test} from "node:test";
import {freePort} from "@strata/base/testing";
import {suiteScope} from "../e2e/strata.ts";
import {difference, type HttpExchange, httpExchanges, replay} from "./http-exchange.ts";
import {KnownDifferences} from "./known-differences.ts";
import {startRecordedSidecar} from "./recorded-prometheus.ts";
import {startQuerier, startStore} from "./servers.ts";

const exchanges = httpExchanges();

describe("the querier over the store gateway", () => {
  const scope = suiteScope();
  let store: {readonly grpc: string; readonly url: string};

  before(async () => {
    store = await startStore(scope);
  });

  test("answers HTTP requests as the original", async (t) => {
    const querier = await startQuerier(t, store.grpc, ["--query.replica-label=replica", "--query.auto-downsampling"]);
    await replayAll("thanos_query_store", querier.url);
  });

  test("answers as the original while a strict endpoint is down", async (t) => {
    const down = `127.0.0.1:${await freePort()}`;
    const sidecar = await startRecordedSidecar(t, exchanges);
    const querier = await startQuerier(t, store.grpc, [
      `--endpoint-strict=${down}`,
      `--endpoint=${sidecar}`,
      "--query.replica-label=replica",
      "--query.replica-label=receive_replica",
      "--query.partial-response",
    ]);
    const port = store.grpc.slice(store.grpc.indexOf(":") + 1);
    // The recorded querier also had a receive, and a sidecar with data: answers from those are in the list.
    await replayAll("thanos_query", querier.url, (text) =>
      text
        .replaceAll("127.0.0.1:19299", down)
        .replaceAll("127.0.0.1%3A19221", encodeURIComponent(store.grpc))
        .replaceAll(".%2A%3A1922.", `.%2A%3A${port.slice(0, -1)}.`),
    );
  });

  test("has a store that answers HTTP requests as the original", () => replayAll("thanos_store", store.url));
});

/** `adapt` turns what an exchange says about its surroundings into what holds here. */
async function replayAll(server: string, url: string, adapt = (text: string): string => text): Promise<void> {
  const known = new KnownDifferences(new URL(`${server.replaceAll("_", "-")}-differences.txt`, import.meta.url));
  const own = exchanges.filter((exchange) => exchange.server === server).map((exchange) => adapted(exchange, adapt));
  assert.ok(own.length > 0);
  for (const exchange of own) {
    const got = await replay(url, exchange);
    if (known.gap(exchange.path, () => got.status !== 404)) continue;
    const found = difference(got, exchange);
    known.record(exchange.id, found && `${exchange.path}?${exchange.query ?? exchange.body ?? ""}: ${found}`);
  }
  assert.equal(known.complaints().join("\n"), "");
}

const adapted = (exchange: HttpExchange, adapt: (text: string) => string): HttpExchange => ({
  ...exchange,
  ...(exchange.query === undefined ? {} : {query: adapt(exchange.query)}),
  response: adapt(exchange.response),
});
