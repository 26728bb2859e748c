import assert from "node:assert/strict";
import {describe, test} from "node:test";
import {matcher} from "@strata/model";
import type {Queryable} from "@strata/series";
import {evaluateJob} from "./evaluate-job.ts";
import {FanoutLog} from "./fanout-log.ts";
import type {Job} from "./messages.ts";
import {CounterSource} from "./testing/counter-source.ts";

const signal = new AbortController().signal;
const job = (change: Partial<Job>): Job => ({
  query: "x",
  params: {start: 60_000, end: 60_000, step: 0},
  parse: {},
  options: {lookbackMs: 300_000},
  shard: undefined,
  tenant: undefined,
  ...change,
});

async function evaluate(change: Partial<Job>, source: Queryable, fanout = new FanoutLog()) {
  const {head, pieces} = await evaluateJob(job(change), source, () => true, fanout, signal);
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  return {head, text: Buffer.concat(parts).toString()};
}

describe("a job", () => {
  test("leaves as JSON", async () => {
    const {head, text} = await evaluate({}, new CounterSource(1, 10));
    assert.equal(head.resultType, "vector");
    assert.deepEqual(JSON.parse(text), [{metric: {__name__: "x", i: "000000"}, value: [60, "60"]}]);
  });

  test("leaves as the latest samples, with their own times", async () => {
    const selectors = [[matcher("__name__", "=", "x")]];
    const output = {kind: "federate", selectors, escaping: "underscores"} as const;
    const {text} = await evaluate({params: {start: 70_000, end: 70_000, step: 0}, output}, new CounterSource(2, 100));
    const line = (i: number) => `x{i="00000${i}",instance=""} 60 60000\n`;
    assert.equal(text, `# TYPE x untyped\n${line(0)}${line(1)}`);
  });

  test("is tied to its tenant whatever it selects", async () => {
    const asked: string[] = [];
    const source = new CounterSource(1, 10);
    const watching: Queryable = {
      select: (q, s) => {
        asked.push(q.matchers.map((m) => `${m.name}${m.op}${m.value}`).join());
        return source.select(q, s);
      },
      labelNames: () => source.labelNames(),
      labelValues: () => source.labelValues(),
    };
    const output = {kind: "federate", selectors: [[matcher("t", "=~", ".*")]], escaping: "underscores"} as const;
    await evaluate({output, tenant: {name: "t", values: ["a"]}}, watching);
    assert.deepEqual(asked, ["t=a", "t=a"]);
  });

  test("tells what its operators and endpoints did when it is analyzed", async () => {
    const fanout = new FanoutLog();
    const source = new CounterSource(3, 10);
    const logged: Queryable = {
      select: (q, s) => fanout.select(q.matchers)("store:1").batches(source.select(q, s)),
      labelNames: () => source.labelNames(),
      labelValues: () => source.labelValues(),
    };
    const {head} = await evaluate({query: "sum(rate(x[1m]))", options: {analyze: true}}, logged, fanout);
    const [leaf] = head.analysis?.children ?? [];
    assert.match(head.analysis?.name ?? "", /sum/);
    assert.match(leaf?.name ?? "", /rate .* x/);
    const [entry] = leaf?.fanout ?? [];
    const {duration, bytesProcessed, numResponses, ...counts} = entry as Record<string, unknown>;
    assert.deepEqual(counts, {endpointAddr: "store:1", series: 3, chunks: 3, samples: 30});
    assert.deepEqual([typeof duration, bytesProcessed, numResponses], ["string", 0, 0]);
  });
});
