import assert from "node:assert/strict";
import {cpSync, readdirSync, readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {goldenDir, tempDir} from "@strata/base/testing";
import {differentText} from "./different-text.ts";
import {type HttpResult, httpExchanges, replay} from "./http-exchange.ts";
import {KnownDifferences} from "./known-differences.ts";
import {startQuerier, startStoreOver} from "./servers.ts";

const exchanges = httpExchanges().filter(
  (c) => c.server === "prometheus" && /\/(query|query_range|series|labels|label\/.*)$/.test(c.path),
);

test("the querier gives the data, errors and annotations of Prometheus over the same blocks", async (t) => {
  const bucket = join(tempDir(t), "bucket");
  cpSync(goldenDir("query", "results", "blocks"), bucket, {recursive: true});
  for (const block of readdirSync(bucket)) uploadable(join(bucket, block, "meta.json"));
  const store = await startStoreOver(t, bucket);
  const querier = await startQuerier(t, store.grpc, []);
  const known = new KnownDifferences(new URL("prometheus-differences.txt", import.meta.url));
  assert.ok(exchanges.length > 0);
  for (const exchange of exchanges) {
    const got = await replay(querier.url, exchange);
    const found = differentText(told(got), told({status: exchange.status, text: exchange.response}));
    known.record(exchange.id, found && `${exchange.path}?${exchange.query ?? exchange.body ?? ""}: ${found}`);
  }
  assert.equal(known.complaints().join("\n"), "");
});

/** A block of Prometheus in a bucket has external labels, here none. */
function uploadable(path: string): void {
  const meta = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const thanos = {labels: {}, downsample: {resolution: 0}, source: "sidecar"};
  writeFileSync(path, JSON.stringify({...meta, thanos}));
}

type Answer = {
  readonly status?: string;
  readonly data?: {readonly analysis?: unknown; readonly stats?: unknown};
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
};

/** What an answer says, without what the two envelopes do differently. */
function told({text, status}: Pick<HttpResult, "text" | "status">): string {
  if (!text.startsWith("{")) return `${status} ${text}`;
  const {data, error, warnings = [], infos = []} = JSON.parse(text) as Answer;
  const {analysis: _, stats: __, ...rest} = Array.isArray(data) ? {list: data} : (data ?? {});
  return JSON.stringify({
    rest,
    error: error?.replace(/^invalid parameter "[^"]*": /, ""),
    // Positions are Prometheus' own addition.
    annotations: [...warnings, ...infos].map((w) => w.replace(/ \(\d+:\d+\)$/, "")).sort(),
  });
}
