import assert from "node:assert/strict";
import {createServer, type ServerResponse} from "node:http";
import type {AddressInfo} from "node:net";
import {type TestContext, test} from "node:test";
import type {StrataError} from "@strata/base";
import {HttpClient} from "@strata/http-client";
import {Labels} from "@strata/model";
import {parseExpr} from "@strata/promql";
import type {RuleQuery} from "@strata/rules";
import {nullLogger} from "@strata/telemetry";
import {QueryBatcher} from "./query-batcher.ts";
import {LabelCache} from "./query-json.ts";

const {signal} = new AbortController();
const query = (text: string, t = 1000, strategy: "abort" | "warn" = "abort"): RuleQuery => ({
  expr: parseExpr(text),
  query: text,
  t,
  strategy,
});
const good = (index: number, value: number): string =>
  `{"index":${index},"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"${value}"]}]}}`;
const bad = (index: number, errorType: string): string =>
  `{"index":${index},"status":"error","errorType":"${errorType}","error":"oh, ${errorType}"}`;

/** A batcher over a server that answers with `answer`; queries asked for by themselves give -1. */
async function setUp(t: TestContext, answer: (queries: readonly string[], response: ServerResponse) => void) {
  const batches: URLSearchParams[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      assert.deepEqual([request.method, request.url], ["POST", "/p/api/v1/query_batch"]);
      const form = new URLSearchParams(Buffer.concat(parts).toString());
      batches.push(form);
      answer(form.getAll("query"), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/p`);
  const client = new HttpClient(url);
  t.after(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  const alone: string[] = [];
  let now = 0;
  const batcher = new QueryBatcher({
    server: () => ({url, client}),
    async single({query: text}) {
      alone.push(text);
      return {result: {labels: [Labels.EMPTY], values: Float64Array.of(-1), histograms: undefined}, warnings: []};
    },
    labels: new LabelCache(100),
    timeoutMs: 60_000,
    now: () => now,
    logger: nullLogger(),
  });
  const later = (ms: number): void => {
    now += ms;
  };
  const ask = (...queries: RuleQuery[]) =>
    Promise.all(
      queries.map((one) =>
        batcher.query(one, signal).then(
          ({result}) => result.values[0],
          (err: StrataError) => `${err.code}: ${err.message}`,
        ),
      ),
    );
  return {ask, alone, batches, later};
}

test("queries for one time are one request, whatever the order of the answers", async (t) => {
  const {ask, alone, batches} = await setUp(t, (queries, response) => {
    const lines = queries.map((_, i) => good(i, i * 10)).reverse();
    response.end(`{"status":"success","data":[\n${lines.join(",\n")}\n]}`);
  });
  assert.deepEqual(await ask(query("a"), query("b"), query("c")), [0, 10, 20]);
  assert.deepEqual(alone, []);
  assert.deepEqual(
    [...(batches[0] as URLSearchParams)].map(([name, value]) => `${name}=${value}`),
    ["dedup=true", "partial_response=false", "time=1970-01-01T00:00:01Z", "query=a", "query=b", "query=c"],
  );
});

test("times and strategies are not mixed, one query goes alone, and a batch has no more than 128", async (t) => {
  const {ask, alone, batches} = await setUp(t, (queries, response) => {
    response.end(`{"data":[\n${queries.map((_, i) => good(i, 1)).join(",\n")}\n]}`);
  });
  await ask(query("a"), query("b"), query("c", 2000), query("d", 1000, "warn"), query("e", 1000, "warn"));
  assert.deepEqual(alone, ["c"]);
  assert.deepEqual(
    batches.map((form) => [form.get("partial_response"), form.getAll("query")]),
    [
      ["false", ["a", "b"]],
      ["true", ["d", "e"]],
    ],
  );
  assert.deepEqual(await ask(...Array.from({length: 300}, () => query("x"))), Array(300).fill(1));
  assert.deepEqual(
    batches.slice(2).map((form) => form.getAll("query").length),
    [128, 128, 44],
  );
});

test("a querier that knows no batches is asked for each, and for a batch again much later", async (t) => {
  const {ask, alone, batches, later} = await setUp(t, (_, response) => void response.writeHead(404).end("no"));
  assert.deepEqual(await ask(query("a"), query("b")), [-1, -1]);
  assert.deepEqual(await ask(query("a"), query("b")), [-1, -1]);
  assert.deepEqual([alone.length, batches.length], [4, 1]);
  later(3_600_000);
  await ask(query("a"), query("b"));
  assert.equal(batches.length, 2);
});

test("what a batch does not answer, or fails through no fault of the query, is asked for by itself", async (t) => {
  const {ask, alone} = await setUp(t, (_, response) => {
    response.write(
      `{"data":[\n${good(0, 5)},\n${bad(1, "limit")},\n${bad(2, "execution")},\n${bad(3, "unavailable")},\n`,
    );
    setImmediate(() => response.destroy());
  });
  assert.deepEqual(await ask(query("a"), query("b"), query("c"), query("d"), query("e")), [
    5,
    -1,
    "execution: oh, execution",
    -1,
    -1,
  ]);
  assert.deepEqual(alone.sort(), ["b", "d", "e"]);
});

test("an answer is given before the batch has come to its end", async (t) => {
  let end = (): void => {};
  const {ask} = await setUp(t, (queries, response) => {
    const fast = queries.indexOf("fast");
    response.write(`{"data":[\n${good(fast, 7)},\n`);
    end = () => void response.end(`${good(1 - fast, 6)}\n]}`);
  });
  const slow = ask(query("slow"));
  // Both are asked for in one turn; the slow one's answer is sent only after the fast one's has arrived.
  assert.deepEqual(await ask(query("fast")), [7]);
  end();
  assert.deepEqual(await slow, [6]);
});
