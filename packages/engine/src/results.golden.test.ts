import assert from "node:assert/strict";
import {readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {type DatasetLine, datasetSeries} from "./testing/golden-dataset.ts";
import {answer, difference, type GoldenQuery, type Server} from "./testing/golden-queries.ts";
import {KnownFailures} from "./testing/known-failures.ts";
import {MemoryStore} from "./testing/memory-store.ts";

const lines = <T>(file: string): T[] =>
  gunzipSync(readFileSync(join(goldenDir("query", "results"), file)))
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);

test("golden queries are answered as Prometheus answers them", async () => {
  const store = new MemoryStore(lines<DatasetLine>("dataset.jsonl.gz").map(datasetSeries));
  const known = new KnownFailures(new URL("../test/known-results.txt", import.meta.url));
  const only = process.env["STRATA_GOLDEN_QUERY"];
  for (const q of lines<GoldenQuery>("queries.jsonl.gz")) {
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
        failure = difference(await answer(q, server, store), want, q);
      } catch (err) {
        failure = (err as Error).stack ?? String(err);
      }
      known.record(id, failure && `${q.family} ${q.kind} ${q.query}: ${failure}`);
    }
  }
  const report = process.env["STRATA_GOLDEN_REPORT"];
  if (report !== undefined) writeFileSync(report, [...known.failed].map(([id, t]) => `${id}: ${t}\n`).join(""));
  assert.equal(known.complaint(), undefined);
});
