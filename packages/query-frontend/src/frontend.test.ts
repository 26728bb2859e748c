import assert from "node:assert/strict";
import {test} from "node:test";
import {random, repeat, seed, type TestScope} from "@strata/base/testing";
import type {Cache} from "@strata/cache";
import {FairQueue} from "./fair-queue.ts";
import {SingleFlight} from "./single-flight.ts";
import {type Asked, type Reply, startDownstream, startFrontend, type TestOptions} from "./testing/start-frontend.ts";

const HOUR = 3_600_000;
/** All time of the tests lies before this. */
const NOW = 1_795_000_000_000;

const JOBS = ["api", "db", "web", "worker"];

/** A number in [0, 1) that follows from the text and the number alone. */
function chance(text: string, n = 0): number {
  let h = Math.imul(n ^ (n / 2 ** 32), 0x9e3779b1);
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

/** Whether a series has a point, and which: the truth, without any history of requests. */
function valueAt(query: string, job: string, t: number): string | undefined {
  if (chance(`${query}/${job}/gap`, Math.floor(t / HOUR)) < 0.15) return undefined;
  return String(Math.floor(chance(`${query}/${job}`, t / 1000) * 1000));
}

/** Answers like a querier over that truth; a shard gets the jobs that fall to it. */
function querier({params}: Asked): Reply & {readonly body: string} {
  const query = params.get("query") ?? "";
  const shard = JSON.parse(params.get("shard_info") ?? "{}") as {total_shards?: number; shard_index?: number};
  const {total_shards: total = 1, shard_index: index = 0} = shard;
  const jobs = JOBS.filter((job) => Math.floor(chance(job) * total) === index);
  const [start, end, step] = ["start", "end", "step"].map((name) => Math.round(Number(params.get(name)) * 1000));
  const result = jobs.flatMap((job) => {
    const values: [number, string][] = [];
    for (let t = start as number; t <= (end as number); t += step as number) {
      const value = valueAt(query, job, t);
      if (value !== undefined) values.push([t / 1000, value]);
    }
    return values.length === 0 ? [] : [{metric: {job}, values}];
  });
  return {status: 200, body: JSON.stringify({status: "success", data: {resultType: "matrix", result}})};
}

type Range = {readonly query: string; readonly start: number; readonly end: number; readonly step: number};

const form = ({query, start, end, step}: Range): URLSearchParams =>
  new URLSearchParams({query, start: String(start / 1000), end: String(end / 1000), step: String(step / 1000)});

async function ask(url: string, range: Range): Promise<{status: number; text: string}> {
  const answer = await fetch(`${url}/api/v1/query_range?${form(range)}`);
  return {status: answer.status, text: await answer.text()};
}

const resultOf = (text: string): unknown => (JSON.parse(text) as {data: {result: unknown}}).data.result;

function truth(range: Range, aligned: boolean): unknown {
  const floor = (t: number): number => (aligned ? Math.floor(t / range.step) * range.step : t);
  const params = form({...range, start: floor(range.start), end: floor(range.end)});
  return resultOf(querier({method: "POST", path: "", params, headers: {}}).body);
}

function randomRange(next: () => number): Range {
  const step = [15_000, 30_000, 60_000, 300_000, 420_000, 3_600_000][Math.floor(next() * 6)] as number;
  const steps = Math.floor(next() * 300);
  const end = NOW - HOUR - Math.floor(next() * 30 * HOUR);
  const query = ["sum by (job) (a)", "sum by (job) (rate(b[5m]))", "c"][Math.floor(next() * 3)] as string;
  return {query, start: end - steps * step - Math.floor(next() * 2) * 1234, end, step};
}

const VARIANTS: readonly (TestOptions & {readonly name: string})[] = [
  {name: "split and cached", cacheRange: true},
  {
    name: "split by the hour and cached",
    cacheRange: true,
    range: {split: {intervalMs: HOUR, minMs: 0, maxMs: 0, shards: 0}},
  },
  {name: "sharded, cached and compressed", cacheRange: true, compression: "lz4", shards: 3},
  {name: "not aligned", cacheRange: true, shards: 2, range: {alignWithStep: false}},
  {
    name: "split by the range's length",
    cacheRange: true,
    range: {split: {intervalMs: 0, minMs: HOUR, maxMs: 12 * HOUR, shards: 4}},
  },
];

for (const {name, ...options} of VARIANTS) {
  test(`random queries, eight at once, get the querier's own answer: ${name}`, async (t) => {
    const next = random(seed());
    const downstream = await startDownstream(t, querier);
    const url = await startFrontend(t, downstream.url, {...options, now: () => NOW});
    const aligned = options.range?.alignWithStep !== false;
    for (let round = 0; round < repeat(100); round++) {
      const ranges = Array.from({length: 8}, () => randomRange(next));
      await Promise.all(
        ranges.map(async (range) => {
          const {status, text} = await ask(url, range);
          assert.equal(status, 200, text);
          assert.deepEqual(resultOf(text), truth(range, aligned), JSON.stringify(range));
        }),
      );
    }
  });
}

test("a querier that fails half of the time: an answer that is right, or one error, and nothing wrong is cached", async (t) => {
  const next = random(seed());
  let healthy = false;
  const downstream = await startDownstream(t, (asked) =>
    healthy || next() < 0.5 ? querier(asked) : {status: next() < 0.5 ? 500 : 422, body: "no"},
  );
  const url = await startFrontend(t, downstream.url, {cacheRange: true, range: {tries: 1}, now: () => NOW});
  const ranges = Array.from({length: repeat(200)}, () => randomRange(next));
  for (const range of ranges) {
    const {status, text} = await ask(url, range);
    if (status === 200) assert.deepEqual(resultOf(text), truth(range, true), JSON.stringify(range));
    else assert.deepEqual({text, known: [500, 422].includes(status)}, {text: "no", known: true});
  }
  healthy = true;
  for (const range of ranges) assert.deepEqual(resultOf((await ask(url, range)).text), truth(range, true));
});

const RANGE: Range = {query: "c", start: NOW - 10 * HOUR, end: NOW - 9 * HOUR, step: 60_000};

const GAPS: readonly [what: string, reply: (body: string) => Reply][] = [
  [
    "a warning of a store",
    (body) => ({status: 200, body: body.replace(/}$/, ',"warnings":["store x: unavailable"]}')}),
  ],
  ["no-store", (body) => ({status: 200, body, headers: {"cache-control": "no-store"}})],
];

for (const [what, reply] of GAPS) {
  test(`an answer with ${what} is passed on and not cached`, async (t) => {
    let gap = true;
    const downstream = await startDownstream(t, (asked) => {
      const whole = querier(asked);
      return gap ? reply(whole.body.replace(/"result":\[.*\]/, '"result":[]')) : whole;
    });
    const url = await startFrontend(t, downstream.url, {cacheRange: true, now: () => NOW});
    assert.deepEqual(resultOf((await ask(url, RANGE)).text), []);
    gap = false;
    assert.deepEqual(resultOf((await ask(url, RANGE)).text), truth(RANGE, true));
    const asked = downstream.asked.length;
    assert.deepEqual(resultOf((await ask(url, RANGE)).text), truth(RANGE, true));
    assert.equal(downstream.asked.length, asked, "the whole answer is cached");
  });
}

test("remarks of PromQL do not keep an answer from being cached", async (t) => {
  const downstream = await startDownstream(t, (asked) => {
    const {status, body} = querier(asked);
    return {status, body: body.replace(/}$/, ',"warnings":["PromQL info: metric might not be a counter"]}')};
  });
  const url = await startFrontend(t, downstream.url, {cacheRange: true, now: () => NOW});
  await ask(url, RANGE);
  const {text} = await ask(url, RANGE);
  assert.equal(downstream.asked.length, 1);
  assert.deepEqual((JSON.parse(text) as {warnings: string[]}).warnings, ["PromQL info: metric might not be a counter"]);
});

test("equal work under way runs once; one that gives up does not take the others along", async () => {
  const flights = new SingleFlight<string>();
  const release = Promise.withResolvers<string>();
  let [runs, ended] = [0, false];
  const work = (signal: AbortSignal): Promise<string> => {
    runs++;
    signal.addEventListener("abort", () => {
      ended = true;
    });
    return release.promise;
  };
  const stays = new AbortController().signal;
  const leaving = new AbortController();
  const first = flights.run("key", work, leaving.signal);
  const second = flights.run("key", work, stays);
  leaving.abort(new Error("left"));
  await assert.rejects(first, /left/);
  assert.deepEqual({runs, ended}, {runs: 1, ended: false});
  release.resolve("answer");
  assert.equal(await second, "answer");
  assert.equal(await flights.run("key", async () => "anew", stays), "anew");
});

test("work that nobody waits for any more is given up, and is nobody else's", async () => {
  const flights = new SingleFlight<string>();
  const leaving = new AbortController();
  let ended: AbortSignal | undefined;
  const work = (signal: AbortSignal): Promise<string> => {
    ended = signal;
    return new Promise(() => {});
  };
  const left = flights.run("key", work, leaving.signal);
  leaving.abort(new Error("left"));
  await assert.rejects(left, /left/);
  assert.equal(ended?.aborted, true);
  assert.equal(await flights.run("key", async () => "anew", new AbortController().signal), "anew");
});

test("a cache of garbage is a cache without answers", async (t) => {
  const next = random(seed());
  const kept = new Map<string, Uint8Array>();
  const cache: Cache = {
    name: "garbage",
    getMany: async (keys) =>
      keys.map((key) => {
        const value = kept.get(key)?.slice();
        if (value !== undefined)
          for (let i = 0; i < 5; i++) value[Math.floor(next() * value.length)] = Math.floor(next() * 256);
        return next() < 0.5 ? value : value?.subarray(0, Math.floor(next() * value.length));
      }),
    set: (key, value) => void kept.set(key, value),
    close: async () => {},
  };
  const downstream = await startDownstream(t, querier);
  const url = await startFrontend(t, downstream.url, {cacheRange: true, cache, now: () => NOW});
  for (let round = 0; round < repeat(300); round++) {
    const {status, text} = await ask(url, RANGE);
    assert.equal(status, 200, text);
    assert.deepEqual(resultOf(text), truth(RANGE, true));
  }
});

test("a tenant with many requests does not hold up another's one", async () => {
  const queue = new FairQueue({concurrency: 1, perTenant: 50});
  const order: string[] = [];
  const release = Promise.withResolvers<void>();
  const signal = new AbortController().signal;
  const first = queue.run("busy", () => release.promise, signal);
  const work = (tenant: string) => queue.run(tenant, async () => void order.push(tenant), signal);
  const busy = Array.from({length: 10}, () => work("busy"));
  const quiet = work("quiet");
  assert.equal(queue.waiting, 11);
  release.resolve();
  await Promise.all([first, ...busy, quiet]);
  assert.ok(order.indexOf("quiet") <= 1, order.join());
});

test("what waits is bounded by tenant, and leaves when its caller does", async () => {
  const queue = new FairQueue({concurrency: 1, perTenant: 2});
  const release = Promise.withResolvers<void>();
  const signal = new AbortController().signal;
  const running = queue.run("a", () => release.promise, signal);
  const leaving = new AbortController();
  const left = queue.run("a", async () => {}, leaving.signal);
  const waiting = queue.run("a", async () => "done", signal);
  await assert.rejects(
    queue.run("a", async () => {}, signal),
    {code: "limit", message: /^too many outstanding requests of tenant "a"/},
  );
  leaving.abort(new Error("left"));
  await assert.rejects(left, /left/);
  assert.equal(queue.waiting, 1);
  release.resolve();
  await running;
  assert.equal(await waiting, "done");
});

test("a client that leaves ends the request downstream", async (t: TestScope) => {
  const gone = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const downstream = await startDownstream(t, async (asked) => {
    arrived.resolve();
    await gone.promise;
    return querier(asked);
  });
  const queue = new FairQueue({concurrency: 1, perTenant: 10});
  const url = await startFrontend(t, downstream.url, {queue, now: () => NOW});
  const leaving = new AbortController();
  const left = fetch(`${url}/api/v1/query_range?${form(RANGE)}`, {signal: leaving.signal}).catch(() => "left");
  await arrived.promise;
  leaving.abort();
  assert.equal(await left, "left");
  // The one place is free again, although the querier has not answered.
  const second = ask(url, {...RANGE, query: "other"});
  gone.resolve();
  assert.equal((await second).status, 200);
});
