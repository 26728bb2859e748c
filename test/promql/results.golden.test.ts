import assert from "node:assert/strict";
import {readdirSync, readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {answer, difference, type GoldenQuery, KnownFailures, type Server} from "@strata/engine/testing";
import {mergeBatches, type Queryable} from "@strata/series";
import {BlockReader} from "@strata/tsdb";

const results = goldenDir("query", "results");

/** All golden blocks as one source. */
async function openBlocks(): Promise<{source: Queryable; close: () => Promise<unknown>}> {
  const dirs = readdirSync(join(results, "blocks"));
  const blocks = await Promise.all(dirs.map((dir) => BlockReader.open(join(results, "blocks", dir))));
  const source: Queryable = {
    select: (q, signal) => mergeBatches(blocks.map((b) => b.select(q, signal))),
    labelNames: () => Promise.reject(new Error("not asked for")),
    labelValues: () => Promise.reject(new Error("not asked for")),
  };
  return {source, close: () => Promise.all(blocks.map((b) => b.close()))};
}

test("golden queries are answered as Prometheus answers them", async () => {
  const {source, close} = await openBlocks();
  const known = new KnownFailures(new URL("known-results.txt", import.meta.url));
  const only = process.env.STRATA_GOLDEN_QUERY;
  const lines = gunzipSync(readFileSync(join(results, "queries.jsonl.gz")))
    .toString()
    .trim()
    .split("\n");
  for (const line of lines) {
    const q = JSON.parse(line) as GoldenQuery;
    if (only !== undefined && q.id !== only) continue;
    const wants: [Server, GoldenQuery["response"] | undefined][] = [
      ["plain", q.response],
      ["features", q.response_features],
      ["delayed", q.response_delayed],
    ];
    for (const [server, want] of wants) {
      if (want === undefined) continue;
      const id = server === "plain" ? q.id : `${q.id}-${server}`;
      let failure: string | undefined;
      try {
        failure = difference(await answer(q, server, source), want, q);
      } catch (err) {
        failure = (err as Error).stack ?? String(err);
      }
      known.record(id, failure && `${q.family} ${q.kind} ${q.query}: ${failure}`);
    }
  }
  await close();
  const report = process.env.STRATA_GOLDEN_REPORT;
  if (report !== undefined) writeFileSync(report, [...known.failed].map(([id, t]) => `${id}: ${t}\n`).join(""));
  assert.equal(known.complaint(), undefined);
});
