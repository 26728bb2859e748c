import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import os from "node:os";
import {join} from "node:path";
import {describe, test} from "node:test";
import {StrataError, unlimited} from "@strata/base";
import {type TestScope, tempDir} from "@strata/base/testing";
import {type ProxyOutline, ProxyStore, type StoreHandle} from "@strata/storeapi";
import {connectStore, startStore} from "@strata/storeapi/testing";
import {exposition, negotiate, newLogger, newRegistry, nullLogger} from "@strata/telemetry";
import {ActiveQueryFile} from "./active-query-file.ts";
import type {Job, WireMatcher} from "./messages.ts";
import type {PlanSelect, SelectPlanner} from "./query-run.ts";
import {QueryRunner, type QueryRunnerOptions} from "./query-runner.ts";
import {CounterSource, never as hang} from "./testing/counter-source.ts";

const never = new AbortController().signal;
const STUCK = new URL("./testing/stuck-worker.ts", import.meta.url);

function runnerOf(t: TestScope, options: Partial<QueryRunnerOptions> = {}): QueryRunner {
  const runner = QueryRunner.open({maxConcurrent: 4, registry: newRegistry(), logger: nullLogger(), ...options});
  t.after(() => runner.close());
  return runner;
}

/** What a querier over one store would plan; `planned` counts the selections. */
async function over(
  t: TestScope,
  source: CounterSource,
): Promise<SelectPlanner & {planned: number; readonly proxy: ProxyStore}> {
  const {address} = await startStore(t, source);
  const store: StoreHandle = {
    address,
    labelSets: [],
    mint: -(2 ** 63),
    maxt: 2 ** 63,
    supportsSharding: true,
    supportsWithoutReplicaLabels: true,
    tsdbInfos: [],
    source: {kind: "remote", client: connectStore(t, address)},
  };
  const proxy = new ProxyStore({stores: () => [store], responseTimeoutMs: 0, registry: newRegistry()});
  const planner = {
    proxy,
    planned: 0,
    plan(q: PlanSelect) {
      planner.planned++;
      return proxy.plan({...q, budget: unlimited()});
    },
    noteEmpty() {},
  };
  return planner;
}

const job = (query: string, end = 3_600_000, step = 60_000): Job => ({
  query,
  params: {start: 0, end, step},
  parse: {},
  options: {},
  shard: undefined,
  tenant: undefined,
});

const answerOf = (runner: QueryRunner, what: Job, planner: SelectPlanner, signal = never) =>
  runner.run(what, {tenant: "", timeoutMs: 60_000, planner, signal});

async function json(runner: QueryRunner, query: string, planner: SelectPlanner, signal = never): Promise<unknown> {
  const answer = await answerOf(runner, job(query), planner, signal);
  const parts: Uint8Array[] = [];
  for await (const piece of answer.result) parts.push(piece);
  return JSON.parse(Buffer.concat(parts).toString("utf8"));
}

const coded = (code: string, text: RegExp) => (err: unknown) =>
  err instanceof StrataError && err.code === code && text.test(err.message);

/** Turns of the event loop until the condition holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

describe("a query on a worker", () => {
  test("yields to the thread that answers probes and scrapes", {skip: process.platform !== "linux"}, async (t) => {
    const own = os.getPriority();
    await json(runnerOf(t), "count(x)", await over(t, new CounterSource(1, 20)));
    const dir = "/proc/self/task";
    const priorities = readdirSync(dir).map((id) => Number(readFileSync(join(dir, id, "stat"), "utf8").split(" ")[18]));
    assert.ok(priorities.includes(Math.min(19, own + 5)), priorities.join());
    assert.equal(os.getPriority(), own);
  });

  test("reads its endpoints itself and answers", async (t) => {
    const registry = newRegistry();
    const result = await json(runnerOf(t, {registry}), "count(x)", await over(t, new CounterSource(3000, 2000)));
    assert.equal((result as {values: [number, string][]}[])[0]?.values[0]?.[1], "3000");
    const body = await exposition(registry, negotiate(undefined));
    assert.match(body, /grpc_client_handled_total\{grpc_code="OK",grpc_method="Series",[^}]*\} 1\n/);
    assert.match(body, /thanos_query_concurrent_gate_queries_total 1\n/);
  });

  test("plans selections itself where it was told of the stores", async (t) => {
    const source = new CounterSource(30, 20);
    const planner = await over(t, source);
    const outline = (storeMatch: readonly (readonly WireMatcher[])[] = []) => ({
      ...planner,
      outline: () => ({proxy: planner.proxy.outline() as ProxyOutline, caller: {tenant: "t"}, storeMatch}),
    });
    const runner = runnerOf(t);
    const result = await json(runner, "count(x)", outline());
    assert.equal((result as {values: [number, string][]}[])[0]?.values[0]?.[1], "30");
    const elsewhere = [[{name: "__address__", op: "=", value: "elsewhere"} as const]];
    assert.deepEqual(await json(runner, "count(x)", outline(elsewhere)), []);
    assert.equal(planner.planned, 0);
    const tied = {...job("count(x)"), tenant: {name: "i", values: ["nobody"]}};
    for await (const _ of (await answerOf(runner, tied, outline())).result);
    const asked = source.matchers.map(({name, op, value}) => `${name}${op}${value}`);
    assert.deepEqual(asked, ["__name__=x", "i=nobody"]);
  });

  test("passes errors with their code and text", async (t) => {
    const runner = runnerOf(t);
    const planner = await over(t, new CounterSource(1, 1));
    await assert.rejects(json(runner, "sum(", planner), coded("bad_data", /parse error/));
    const refuse = {...planner, plan: () => assert.fail("no endpoint")};
    await assert.rejects(json(runner, "x", refuse), coded("internal", /no endpoint/));
    const down = await over(t, new CounterSource(1, 1, () => Promise.reject(new Error("disk on fire"))));
    await assert.rejects(json(runner, "x", down), coded("execution", /disk on fire/));
  });

  test("is cancelled while it waits for series, and the store hears of it", async (t) => {
    const runner = runnerOf(t);
    const abort = new AbortController();
    const left = Promise.withResolvers<void>();
    const source = new CounterSource(1, 1, (signal) => {
      abort.abort(new StrataError("canceled", "the client left"));
      return hang(signal).finally(left.resolve);
    });
    await assert.rejects(json(runner, "x", await over(t, source), abort.signal), coded("canceled", /client left/));
    await left.promise;
    assert.ok(await json(runner, "x", await over(t, new CounterSource(1, 10))));
  });

  test("a client that leaves the answer early frees its place", async (t) => {
    const runner = runnerOf(t, {maxConcurrent: 1});
    const planner = await over(t, new CounterSource(2000, 241));
    const answer = await answerOf(runner, job("x"), planner);
    for await (const _ of answer.result) break;
    assert.ok(await json(runner, "x", await over(t, new CounterSource(1, 10))));
  });

  test("times out", async (t) => {
    const runner = runnerOf(t);
    const planner = await over(t, new CounterSource(1, 1, hang));
    const timedOut = runner.run(job("x"), {tenant: "", timeoutMs: 50, planner, signal: never});
    await assert.rejects(timedOut, coded("timeout", /timed out/));
  });
});

describe("many queries", () => {
  test("share few threads, and wait beyond the limit", async (t) => {
    const runner = runnerOf(t, {threads: 1, maxConcurrent: 3});
    const open = Promise.withResolvers<void>();
    const source = new CounterSource(3, 241, () => open.promise);
    const planner = await over(t, source);
    const answers = Array.from({length: 7}, () => json(runner, "count(x)", planner));
    await until(() => source.selects === 3);
    assert.deepEqual([runner.running, runner.waiting], [3, 4]);
    const states = runner.active().map(({state}) => state);
    assert.deepEqual(states, [...Array(3).fill("running"), ...Array(4).fill("waiting")]);
    open.resolve();
    for (const a of (await Promise.all(answers)) as {values: [number, string][]}[][]) {
      assert.equal(a[0]?.values.at(-1)?.[1], "3");
    }
    await until(() => runner.running === 0);
    assert.deepEqual(runner.active(), []);
  });

  test("one that waits for its turn can be cancelled", async (t) => {
    const runner = runnerOf(t, {maxConcurrent: 1});
    const stuck = await over(t, new CounterSource(1, 1, hang));
    const [first, second] = [new AbortController(), new AbortController()];
    const held = assert.rejects(json(runner, "x", stuck, first.signal), /over/);
    const waiting = assert.rejects(json(runner, "x", stuck, second.signal), /left/);
    await until(() => runner.waiting === 1);
    second.abort(new StrataError("canceled", "left"));
    await waiting;
    assert.equal(runner.waiting, 0);
    first.abort(new StrataError("canceled", "over"));
    await held;
  });

  test("are listed with how far they are, and killed by their id", async (t) => {
    const lines: string[] = [];
    const logger = newLogger({level: "info", format: "json", write: (line) => lines.push(line)});
    const runner = runnerOf(t, {threads: 1, logSlowMs: 1, logger});
    // Several seconds of work, all of it in the worker's memory after the first batches.
    const planner = await over(t, new CounterSource(200, 2000));
    const hopeless = answerOf(runner, job("sum(rate(x[5h]))", 30_000_000, 30), planner);
    const killed = assert.rejects(hopeless, coded("canceled", /was killed/));
    await until(() => (runner.active()[0]?.samples ?? 0) > 0);
    const [listed] = runner.active();
    assert.equal(listed?.query, "sum(rate(x[5h]))");
    assert.ok((listed?.memoryBytes ?? 0) > 0 && (listed?.peakMemoryBytes ?? 0) >= (listed?.memoryBytes ?? 0));
    const beside = json(runner, "count(x)", planner);
    assert.equal(runner.kill("no such id"), false);
    assert.equal(runner.kill(listed?.id ?? ""), true);
    await killed;
    assert.ok(await beside);
    await until(() => runner.running === 0);
    // Its thread went on: the query beside it was begun once.
    assert.equal(planner.planned, 2);
    assert.match(lines.join(""), /"slow query".*"query":"sum\(rate\(x\[5h\]\)\)".*"samples":\d/);
  });

  test("survive the end of a thread on which one of them cannot be stopped", async (t) => {
    const runner = runnerOf(t, {threads: 1, entry: STUCK, graceMs: 1});
    let asked = 0;
    const planner: SelectPlanner = {
      plan() {
        // The first time it is left without an answer, so that its thread is ended under it.
        if (asked++ === 0) throw new Error("not now");
        return [];
      },
      noteEmpty() {},
    };
    const patient = json(runner, "patient", planner);
    await until(() => asked === 1);
    const abort = new AbortController();
    const stuck = answerOf(runner, job("stuck"), planner, abort.signal);
    await until(() => runner.running === 2);
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort(new StrataError("canceled", "enough"));
    await assert.rejects(stuck, coded("canceled", /enough/));
    assert.deepEqual(await patient, []);
    assert.equal(asked, 2);
  });

  test("end with the runner", async (t) => {
    const runner = runnerOf(t);
    const source = new CounterSource(1, 1, hang);
    const running = assert.rejects(json(runner, "x", await over(t, source)), /shutting down/);
    await until(() => source.selects === 1);
    await runner.close();
    await running;
    await assert.rejects(json(runner, "x", await over(t, source)), coded("unavailable", /shutting down/));
  });
});

test("queries that the process before did not finish are logged", (t) => {
  const activePath = tempDir(t);
  const before = ActiveQueryFile.open(activePath, 4);
  before.enter(2, "sum(rate(x[5h]))", 1_700_000_000_000);
  const lines: string[] = [];
  const logger = newLogger({level: "info", format: "logfmt", write: (line) => lines.push(line)});
  runnerOf(t, {logger, activePath});
  before.close();
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /These queries didn't finish in prometheus' last run:.*sum\(rate\(x\[5h\]\)\)/);
});

test("warming up answers nothing and leaves the thread free", async (t) => {
  const runner = runnerOf(t, {threads: 1});
  runner.warmUp();
  assert.ok(await json(runner, "x", await over(t, new CounterSource(1, 10))));
  assert.equal(runner.running, 0);
});

describe("the number of threads", () => {
  test("changes no answer, however many queries share a thread", async (t) => {
    const planner = await over(t, new CounterSource(60, 120));
    const queries = [
      "sum(rate(x[5m]))",
      "topk(3, x)",
      "count(x) by (i)",
      "max_over_time(x[10m])",
      "x / on (i) x",
      "avg(x offset 5m)",
    ];
    const answers = async (threads: number): Promise<unknown[]> => {
      const runner = runnerOf(t, {threads, maxConcurrent: 12});
      const all = [...queries, ...queries].map((query) => json(runner, query, planner));
      return Promise.all(all);
    };
    const [alone, ...others] = [await answers(1), await answers(2), await answers(3)];
    assert.ok(queries.every((_, i) => JSON.stringify(alone?.[i]).length > 10));
    for (const other of others) assert.deepEqual(other, alone);
  });
});
