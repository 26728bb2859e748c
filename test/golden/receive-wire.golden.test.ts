import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {before, describe, test} from "node:test";
import {gunzipSync} from "node:zlib";
import {freePort, goldenDir, tempDir} from "@strata/base/testing";
import {strata, suiteScope} from "../e2e/strata.ts";
import {differentText} from "./different-text.ts";
import {type GrpcExchange, grpcReplay, normalized} from "./grpc-exchange.ts";
import {KnownDifferences} from "./known-differences.ts";

const lines = <T>(name: string): T[] =>
  gunzipSync(readFileSync(goldenDir("query", "storeapi", name)))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T);

type Ingest = {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body_base64: string;
  readonly response: {readonly status: number};
};

describe("the receiver's StoreAPI", () => {
  const scope = suiteScope();
  let send: ReturnType<typeof grpcReplay>;

  before(async () => {
    const grpc = `127.0.0.1:${await freePort()}`;
    const write = `127.0.0.1:${await freePort()}`;
    await strata(scope, "receive", [
      `--tsdb.path=${tempDir(scope)}`,
      '--label=region="test"',
      '--label=receive_replica="r0"',
      "--tsdb.max-exemplars=1000",
      `--remote-write.address=${write}`,
      `--grpc-address=${grpc}`,
      "--grpc-grace-period=1s",
    ]);
    for (const {path, headers, body_base64: body, response} of lines<Ingest>("receive-ingest.jsonl.gz")) {
      const got = await fetch(`http://${write}${path}`, {method: "POST", headers, body: Buffer.from(body, "base64")});
      assert.equal(got.status, response.status, await got.text());
    }
    send = grpcReplay(scope, grpc);
  });

  test("answers the recorded bytes as the original", async () => {
    const known = new KnownDifferences(new URL("receive-wire-differences.txt", import.meta.url));
    const exchanges = lines<GrpcExchange>("receive.jsonl.gz");
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
