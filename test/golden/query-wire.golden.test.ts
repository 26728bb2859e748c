import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {describe, test} from "node:test";
import {gunzipSync} from "node:zlib";
import {freePort, goldenDir} from "@strata/base/testing";
import {differentText} from "./different-text.ts";
import {type GrpcExchange, grpcReplay, normalized} from "./grpc-exchange.ts";
import {KnownDifferences} from "./known-differences.ts";
import {startQuerier, startStore} from "./servers.ts";

const exchanges = gunzipSync(readFileSync(goldenDir("query", "storeapi", "query.jsonl.gz")))
  .toString()
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as GrpcExchange)
  .filter((exchange) => exchange.service === "thanos.Query");

describe("the querier's Query API", () => {
  test("answers the recorded bytes as the original", async (t) => {
    const store = await startStore(t);
    const down = `127.0.0.1:${await freePort()}`;
    const querier = await startQuerier(t, store.grpc, [
      `--endpoint-strict=${down}`,
      "--query.replica-label=replica",
      "--query.replica-label=receive_replica",
    ]);
    const send = grpcReplay(t, querier.grpc);
    const known = new KnownDifferences(new URL("query-wire-differences.txt", import.meta.url));
    assert.ok(exchanges.length > 0);
    for (const exchange of exchanges) {
      const got = normalized(exchange, await send(exchange)).replaceAll(down, "127.0.0.1:19299");
      const recorded = (exchange.responses_base64 ?? []).map((text) => Buffer.from(text, "base64"));
      const want = normalized(exchange, {responses: recorded, status: exchange.status});
      known.record(exchange.id, differentText(got, want));
    }
    assert.equal(known.complaints().join("\n"), "");
  });
});
