import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {before, describe, test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {suiteScope} from "../e2e/strata.ts";
import {differentText} from "./different-text.ts";
import {type GrpcExchange, grpcReplay, normalized} from "./grpc-exchange.ts";
import {KnownDifferences} from "./known-differences.ts";
import {startStore} from "./servers.ts";

const exchanges = gunzipSync(readFileSync(goldenDir("query", "storeapi", "store.jsonl.gz")))
  .toString()
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as GrpcExchange);

describe("the store gateway's StoreAPI", () => {
  const scope = suiteScope();
  let send: ReturnType<typeof grpcReplay>;

  before(async () => {
    const store = await startStore(scope);
    send = grpcReplay(scope, store.grpc);
  });

  test("answers the recorded bytes as the original", async () => {
    const known = new KnownDifferences(new URL("store-wire-differences.txt", import.meta.url));
    assert.ok(exchanges.length > 0);
    for (const exchange of exchanges) {
      const got = normalized(exchange, await send(exchange));
      const recorded = (exchange.responses_base64 ?? []).map((text) => Buffer.from(text, "base64"));
      const want = normalized(exchange, {responses: recorded, status: exchange.status});
      known.record(exchange.id, differentText(got, want));
    }
    assert.equal(known.complaints().join("\n"), "");
  });
});
