// npm run bench -- receive-scale [--series=0] [--rounds=20] [--step=15]: how one receiver scales with series, the size of
// requests and tenants; then how long requests take at half of the highest rate while a querier asks. With --series there is
// only one row, of so many series: `--series=1000000 --rounds=60 --step=60` is a million over an hour.
import assert from "node:assert/strict";
import {Agent} from "node:http";
import type {TestScope} from "@strata/base/testing";
import {appended, type Receiver, startReceivers} from "./support/receivers.ts";
import {record} from "./support/record.ts";
import {cpuSeconds, type Program, programs, residentMb, startQuerier, withScope} from "./support/systems.ts";
import {flag, ms, printTable, quantile} from "./support/table.ts";
import {HEADERS, post} from "./support/write-load.ts";
import {WriteTemplates} from "./support/write-templates.ts";

const ONLY = flag("series", 0);
const ROUNDS = flag("rounds", 20);
const STEP_MS = 1000 * flag("step", 15);
const CONNECTIONS = 4;

type Shape = {readonly series: number; readonly perRequest: number; readonly tenants: number};
type Result = {
  readonly rate: number;
  readonly cpu: number;
  readonly p99: number;
  readonly mb: number;
  readonly kb: number;
};

const SHAPES: readonly Shape[] =
  ONLY > 0
    ? [{series: ONLY, perRequest: 2000, tenants: 1}]
    : [
        {series: 20_000, perRequest: 2000, tenants: 1},
        {series: 20_000, perRequest: 200, tenants: 1},
        {series: 20_000, perRequest: 10_000, tenants: 1},
        {series: 20_000, perRequest: 2000, tenants: 10},
        {series: 2000, perRequest: 2000, tenants: 1},
        {series: 200_000, perRequest: 2000, tenants: 1},
      ];

const [STRATA] = programs() as readonly [Program];
const results: Result[] = [];
for (const shape of SHAPES) results.push(await withScope((scope) => measure(scope, shape)));
printTable(
  ["series", "a request", "tenants", "k samples/s", "CPU s/M", "p99 ms", "MB", "kB a series"],
  SHAPES.map(({series, perRequest, tenants}, i) => {
    const {rate, cpu, p99, mb, kb} = results[i] as Result;
    return [
      String(series),
      String(perRequest),
      String(tenants),
      (rate / 1000).toFixed(0),
      cpu.toFixed(2),
      ms(p99),
      mb.toFixed(0),
      kb.toFixed(2),
    ];
  }),
);
if (ONLY === 0) await withScope((scope) => whileAsked(scope, SHAPES[0] as Shape, (results[0] as Result).rate / 2));

async function measure(scope: TestScope, shape: Shape): Promise<Result> {
  const [receiver] = (await startReceivers(scope, STRATA, 1)) as [Receiver];
  const empty = residentMb(receiver.pid).now;
  const templates = new WriteTemplates(shape.series, shape.perRequest);
  const start = Date.now() - 2 * ROUNDS * STEP_MS;
  // The first rounds make the series, and warm up.
  await send(receiver, shape, templates, {start, rounds: ROUNDS, pace: 0});
  const [cpu0, from] = [cpuSeconds(receiver.pid), performance.now()];
  const took = await send(receiver, shape, templates, {start: start + ROUNDS * STEP_MS, rounds: ROUNDS, pace: 0});
  const seconds = (performance.now() - from) / 1000;
  const samples = ROUNDS * shape.series;
  const cpu = ((cpuSeconds(receiver.pid) - cpu0) / samples) * 1e6;
  assert.equal(await appended(receiver.metrics), 2 * samples);
  const mb = residentMb(receiver.pid).now;
  const result = {
    rate: samples / seconds,
    cpu,
    p99: quantile(took, 0.99),
    mb,
    kb: ((mb - empty) * 1000) / shape.series,
  };
  const name = `${shape.series} series, ${shape.perRequest} a request, ${shape.tenants} tenants`;
  record(name, "s per million samples", {strata: result.cpu}, {measure: "CPU"});
  record(name, "MB", {strata: result.mb}, {measure: "memory"});
  return result;
}

type Rounds = {
  readonly start: number;
  readonly rounds: number;
  /** Samples a second; 0 is as many as are taken. */
  readonly pace: number;
};

/** Sends rounds over connections, each with requests of its own, and gives the milliseconds each took. */
async function send(
  {write}: Receiver,
  {perRequest, tenants}: Shape,
  templates: WriteTemplates,
  {start, rounds, pace}: Rounds,
): Promise<number[]> {
  const agent = new Agent({keepAlive: true, maxSockets: CONNECTIONS});
  const took: number[] = [];
  const began = performance.now();
  let sent = 0;
  const connection = async (_: unknown, c: number): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      for (let k = c; k < templates.requests; k += CONNECTIONS) {
        const body = templates.body(k, round, start + round * STEP_MS);
        const due = pace === 0 ? 0 : began + ((sent++ * perRequest) / pace) * 1000;
        const early = due - performance.now();
        if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
        const from = performance.now();
        await post(agent, `http://${write}/api/v1/receive`, body, {...HEADERS.v1, "THANOS-TENANT": `t${k % tenants}`});
        took.push(performance.now() - from);
      }
    }
  };
  try {
    await Promise.all(Array.from({length: CONNECTIONS}, connection));
  } finally {
    agent.destroy();
  }
  return took;
}

/** How long requests take at a rate while one query after the other is asked. */
async function whileAsked(scope: TestScope, shape: Shape, pace: number): Promise<void> {
  const [receiver] = (await startReceivers(scope, STRATA, 1)) as [Receiver];
  const querier = await startQuerier(scope, STRATA, [receiver], "replica");
  const templates = new WriteTemplates(shape.series, shape.perRequest);
  const start = Date.now() - 3 * ROUNDS * STEP_MS;
  await send(receiver, shape, templates, {start, rounds: ROUNDS, pace: 0});
  const ask = async (): Promise<string> => {
    const query = "sum by (job) (rate({__name__=~'http_request_duration_seconds_1.*'}[5m]))";
    const params = new URLSearchParams({
      query,
      start: String(start / 1000),
      end: String(Date.now() / 1000),
      step: "15",
    });
    const answer = await fetch(`${querier.url}/api/v1/query_range?${params}`);
    const body = await answer.text();
    assert.equal(answer.status, 200, body);
    return body;
  };
  // The querier hears of new tenants when it asks the receiver next.
  while (!(await ask()).includes('"values":')) await new Promise((resolve) => setTimeout(resolve, 100));
  let asked = 0;
  const stop = new AbortController();
  const asking = (async () => {
    while (!stop.signal.aborted) {
      assert.match(await ask(), /"values":/);
      asked++;
    }
  })();
  const took = await send(receiver, shape, templates, {start: start + ROUNDS * STEP_MS, rounds: 2 * ROUNDS, pace});
  stop.abort();
  await asking;
  const p99 = quantile(took, 0.99);
  record("half the highest rate beside queries", "ms", {strata: p99}, {measure: "99 of 100 requests within"});
  console.log(
    `${(pace / 1000).toFixed(0)} k samples/s while ${asked} queries were answered: half of the requests within ${ms(quantile(took, 0.5))} ms, 99 of 100 within ${ms(p99)} ms`,
  );
}
