import assert from "node:assert/strict";
import {describe, test} from "node:test";
import {StrataError} from "@strata/base";
import {repeat, seed} from "@strata/base/testing";
import {execute, writeResultJson} from "@strata/engine";
import {bitsOf, expression, MemoryStore, type StoredSeries, storedSeries} from "@strata/engine/testing";
import {Labels} from "@strata/model";
import {parseExpr} from "@strata/promql";
import {type Select, type SeriesBatch, SeriesBatchBuilder} from "@strata/series";
import fc from "fast-check";
import {evaluateBatch} from "./evaluate-batch.ts";
import {FusedSelects, type SelectSource} from "./fused-selects.ts";
import type {Job} from "./messages.ts";

const T = 600_000;
const job: Job = {
  query: "a batch",
  params: {start: T, end: T, step: 0},
  parse: {experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true},
  options: {lookbackMs: 300_000},
  shard: undefined,
  tenant: undefined,
};
const never = new AbortController().signal;

type Line = {index: number; status: string; data?: unknown; warnings?: string[]; errorType?: string; error?: string};

/** The answers in the order of the queries; checks that each stands on a line of its own. */
async function batch(queries: readonly string[], source: SelectSource, change: Partial<Job> = {}, signal = never) {
  const {pieces} = evaluateBatch({...job, ...change}, queries, source, () => true, signal);
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  const text = Buffer.concat(parts).toString();
  const answers = JSON.parse(text) as Line[];
  assert.equal(text.split("\n").length, queries.length + 2);
  assert.equal(answers.length, queries.length);
  return answers.sort((a, b) => a.index - b.index);
}

/** Series `m{i="0"}` … of the value i, one sample a minute, in batches of two. */
const series = (count: number, name = "m"): StoredSeries[] =>
  Array.from({length: count}, (_, i) => ({
    labels: Labels.fromObject({__name__: name, i: String(i), j: "x"}),
    samples: Array.from({length: 20}, (_, k) => ({t: k * 60_000, v: bitsOf(i)})),
  }));

function sourceOf(store: MemoryStore): {source: SelectSource; asked: Select[]} {
  const asked: Select[] = [];
  return {
    asked,
    source(q) {
      asked.push(q);
      return store.select(q);
    },
  };
}

const value = (line: Line | undefined): string | undefined =>
  (line?.data as {result: {value: [number, string]}[]} | undefined)?.result[0]?.value[1];

describe("a batch of queries", () => {
  test("gives each what it would have got by itself", async () => {
    await fc.assert(
      fc.asyncProperty(storedSeries, fc.array(expression, {minLength: 1, maxLength: 12}), async (stored, queries) => {
        const store = new MemoryStore(stored, 2);
        const options = {...job.options, decodeChunk: store.decodeChunk};
        const answers = await batch(queries, (q) => store.select(q), {options});
        for (const [i, query] of queries.entries()) {
          let want: {status: string; data?: unknown};
          try {
            const result = await execute(parseExpr(query, job.parse), job.params, store, options, never);
            const json = Buffer.concat([...writeResultJson(result)]).toString();
            want = {status: "success", data: {resultType: result.type, result: JSON.parse(json)}};
          } catch (err) {
            want = {status: "error", data: (err as Error).message};
          }
          const {status, data, error} = answers[i] as Line;
          assert.deepEqual({status, data: data ?? error}, want, query);
        }
      }),
      {seed: seed(), numRuns: repeat(400)},
    );
  });

  test("reads selectors that differ in one label together, and equal ones once", async () => {
    const {source, asked} = sourceOf(new MemoryStore([...series(60), ...series(60, "n")], 7));
    const queries = Array.from({length: 50}, (_, i) => `sum(${i % 2 === 0 ? "m" : "n"}{i="${i}",j=~"x|y"}) + 0`);
    const answers = await batch([...queries, 'm{i="3"}', 'm{i="3"}', 'max(m{i!="3"})', "vector(7)"], source);
    assert.deepEqual(
      answers.slice(0, 50).map(value),
      Array.from({length: 50}, (_, i) => String(i)),
    );
    assert.deepEqual(answers.slice(50).map(value), ["3", "3", "59", "7"]);
    const texts = asked.map(({matchers}) =>
      matchers
        .map((m) => `${m.name}${m.op}`)
        .sort()
        .join(),
    );
    assert.deepEqual(texts.sort(), ["__name__=,i!=", "__name__=,i=", "__name__=,i=~,j=~", "__name__=,i=~,j=~"]);
  });

  test("tells each of what is missing in its own series", async () => {
    const store = new MemoryStore([...series(3), ...series(3, "n")]);
    const source: SelectSource = async function* (q) {
      for await (const one of store.select(q)) {
        const isN = q.matchers.some(({value}) => value === "n");
        yield isN ? {...one, warnings: ["a store of n is down"]} : one;
      }
    };
    const answers = await batch(['m{i="0"}', 'm{i="1"}', 'n{i="0"}', 'n{i="1"}', "n"], source);
    assert.deepEqual(
      answers.map(({warnings}) => warnings?.length ?? 0),
      [0, 0, 1, 1, 1],
    );
  });

  test("goes on where one fails", async () => {
    const {source} = sourceOf(new MemoryStore(series(4)));
    const answers = await batch(["m{", "m + on() m", 'm{i="2"}'], source);
    assert.deepEqual(
      answers.map(({status, errorType}) => errorType ?? status),
      ["bad_data", "execution", "success"],
    );
    const broken: SelectSource = async function* () {
      yield* [];
      throw new StrataError("unavailable", "the store is gone");
    };
    const all = await batch(['m{i="0"}', 'm{i="1"}', "m"], broken);
    assert.deepEqual(
      all.map(({errorType}) => errorType),
      ["unavailable", "unavailable", "unavailable"],
    );
  });

  test("ends when it is told to", async () => {
    const abort = new AbortController();
    const source: SelectSource = async function* (_, signal) {
      abort.abort(new StrataError("canceled", "enough"));
      signal.throwIfAborted();
      yield* [];
    };
    await assert.rejects(batch(['m{i="0"}', 'm{i="1"}'], source, {}, abort.signal), /enough/);
  });
});

test("series that wait for their query are bounded; one that is alone is read as it is wanted", async () => {
  let given = 0;
  const source: SelectSource = async function* () {
    const builder = new SeriesBatchBuilder();
    for (let k = 0; k < 100; k++) {
      builder.startSeries(Labels.fromObject({__name__: "m", i: "0", k: String(k).padStart(3, "0")}));
      builder.addChunk(0, 1, 1, 0, 0, new Uint8Array(1000), 0, 1000);
      given++;
      yield builder.finish();
    }
  };
  const q = (await selectOf("m")) as Select;
  const shared = new FusedSelects(source, 10_000);
  const read = shared.select(q, never, () => {});
  const idle = shared.select(q, never, () => {});
  // Whoever waits for the first batch takes what there is; the other one takes nothing.
  const pulled = read.next();
  const started = idle.next();
  await Promise.all([pulled, started]);
  await assert.rejects(async () => {
    for await (const _ of read);
  }, /cannot hold what queries of a batch share/);
  assert.ok(given < 30);

  given = 0;
  const alone = new FusedSelects(source, 10_000).select(q, never, () => {});
  let seen = 0;
  for await (const one of alone as AsyncIterable<SeriesBatch>) {
    seen += one.labels.length;
    assert.equal(given, seen);
  }
  assert.equal(seen, 100);
});

/** The selection that a query makes. */
async function selectOf(query: string): Promise<Select | undefined> {
  const {asked, source} = sourceOf(new MemoryStore([]));
  await batch([query], source);
  return asked[0];
}
