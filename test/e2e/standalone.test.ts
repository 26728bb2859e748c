import assert from "node:assert/strict";
import {readdirSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {freePort, httpReady, requireTool, spawnServer, tempDir} from "@strata/base/testing";
import {snappyEncode} from "@strata/bytes";
import {prompb} from "@strata/proto";
import {ask} from "./first-light/compare.ts";
import {metricsOf, strata, until} from "./strata.ts";

const HOUR = 3_600_000;
const DEMO = {query: 'count by (cluster) ({job="node"})'};

test("standalone fills an empty directory, answers, serves its page, and keeps its data", async (t) => {
  const dir = join(tempDir(t), "data");
  const args = [`--data-dir=${dir}`, "--no-prometheus"];
  const first = await strata(t, "standalone", args);
  const output = first.logs().split("\n");
  assert.deepEqual(
    output.filter((line) => line.startsWith("Strata is ready")),
    [`Strata is ready: ${first.url}`],
  );
  const now = Date.now();
  for (const ago of [60_000, 20 * HOUR, 40 * HOUR]) {
    const [series] = (await ask(first.url, DEMO, now - ago)).data.result;
    assert.equal(series?.metric.cluster, "demo");
    assert.ok(Number(series?.value?.[1]) > 400, `${series?.value?.[1]} series`);
  }
  await hasYear(first.url, now);
  const firing = {query: 'ALERTS{alertname="Watchdog",alertstate="firing"}'};
  await until(async () => (await ask(first.url, firing, Date.now())).data.result.length > 0, "an alert", first);
  const live = {query: 'count by (cluster, tenant_id) ({job="node",receive="standalone"} and on() vector(time()) > 0)'};
  assert.deepEqual(
    (await ask(first.url, live, Date.now())).data.result.map(({metric}) => metric),
    [{cluster: "demo", tenant_id: "demo"}],
  );
  const page = await fetch(`${first.url}/graph`);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /<div id=/);
  const before = readdirSync(join(dir, "bucket")).sort();
  assert.equal(await first.stop("SIGINT"), 0);

  const second = await strata(t, "standalone", args);
  const after = readdirSync(join(dir, "bucket"));
  assert.deepEqual(
    before.filter((block) => !after.includes(block)),
    [],
  );
  await hasYear(second.url, now);
  assert.equal((await ask(second.url, DEMO, now - 20 * HOUR)).data.result.length, 1);
  assert.equal(await second.stop(), 0);
});

/** A point a day for most of a year, of the series that were there all the time: by range query, twice, since answers are kept. */
async function hasYear(url: string, now: number): Promise<void> {
  const day = 86_400;
  const end = Math.floor(now / 1000 / day) * day;
  const form = new URLSearchParams({
    query: "count by (cluster) (queue_messages_ready)",
    start: String(end - 360 * day),
    end: String(end),
    step: String(day),
  });
  for (const _ of [1, 2]) {
    const answer = await fetch(`${url}/api/v1/query_range`, {method: "POST", body: form});
    const {data} = (await answer.json()) as {data: {result: {metric: object; values: [number, string][]}[]}};
    const [series] = data.result;
    assert.deepEqual([data.result.length, series?.metric, series?.values.length], [1, {cluster: "demo"}, 361]);
    for (const [t, count] of series?.values ?? []) assert.equal(count, "25", new Date(t * 1000).toISOString());
  }
}

test("standalone without the demo starts empty", async (t) => {
  const server = await strata(t, "standalone", [`--data-dir=${tempDir(t)}`, "--no-demo", "--no-prometheus"]);
  assert.deepEqual((await ask(server.url, DEMO, Date.now())).data.result, []);
});

test("standalone evaluates rules, stores what they give, and shows them", async (t) => {
  const dir = tempDir(t);
  const rules = join(dir, "rules.yml");
  const file = (value: number): string =>
    `groups: [{name: g, interval: 1s, rules: [{record: seven, expr: "vector(${value})"}, {alert: Always, expr: "seven == 7"}]}]\n`;
  writeFileSync(rules, file(7));
  const args = [`--data-dir=${join(dir, "data")}`, "--no-demo", "--no-prometheus", `--rule-file=${rules}`];
  const server = await strata(t, "standalone", args);
  const alert = {query: 'ALERTS{alertname="Always",alertstate="firing"}'};
  await until(async () => (await ask(server.url, alert, Date.now())).data.result.length === 1, "an alert", server);
  const [seven] = (await ask(server.url, {query: "seven"}, Date.now())).data.result;
  assert.deepEqual([seven?.metric.ruler, seven?.value?.[1]], ["standalone", "7"]);
  const answer = await (await fetch(`${server.url}/api/v1/rules`)).json();
  assert.match(JSON.stringify(answer), /"name":"seven".*"health":"ok"/);
  writeFileSync(rules, file(8));
  process.kill(server.pid, "SIGHUP");
  await until(async () => (await ask(server.url, alert, Date.now())).data.result.length === 0, "the end", server);
  assert.equal(await server.stop(), 0);
});

test("what is remote-written to standalone can be queried at once", async (t) => {
  const write = `127.0.0.1:${await freePort()}`;
  const server = await strata(t, "standalone", [
    ...[`--data-dir=${tempDir(t)}`, "--no-demo", "--no-prometheus"],
    `--remote-write.address=${write}`,
  ]);
  const now = Date.now();
  const labels = [{name: "__name__", value: "pushed"}];
  const body = snappyEncode(
    prompb.WriteRequest.encode({timeseries: [{labels, samples: [{value: 42, timestamp: now}]}]}),
  );
  const send = async () => {
    const answer = await fetch(`http://${write}/api/v1/receive`, {method: "POST", body: Buffer.from(body)});
    return answer.status === 200;
  };
  await until(send, "the receiver to be open", server);
  const pushed = async () => (await ask(server.url, {query: "pushed == 42"}, now)).data.result.length === 1;
  await until(pushed, "the sample", server);
  assert.equal(await server.stop(), 0);
});

test("range queries go through the front-end, but for what only the querier can say", async (t) => {
  const server = await strata(t, "standalone", [`--data-dir=${tempDir(t)}`, "--no-demo", "--no-prometheus"]);
  const range = async (more: Record<string, string>) => {
    const form = new URLSearchParams({query: "vector(1)", start: "1000", end: "1100", step: "10", ...more});
    const answer = await fetch(`${server.url}/api/v1/query_range?${form}`);
    return (await answer.json()) as {status: string; data: {stats?: object; result: {values: unknown[]}[]}};
  };
  const through = async () => (await metricsOf(server.url))('thanos_query_frontend_queries_total{op="query_range"}');
  assert.equal((await range({})).data.result[0]?.values.length, 11);
  assert.equal(await through(), 1);
  assert.ok((await range({stats: "all"})).data.stats);
  assert.equal(await through(), 1);
  const wrong = await range({query: "sum("});
  assert.equal(wrong.status, "error");
  assert.equal(await server.stop(), 0);
});

test("standalone keeps its blocks in the bucket that it is given, and no made-up ones unasked", async (t) => {
  const dir = tempDir(t);
  const bucket = join(dir, "bucket");
  const args = (data: string) => [
    ...[`--data-dir=${join(dir, data)}`, "--no-prometheus"],
    `--objstore.config={type: FILESYSTEM, config: {directory: ${bucket}}}`,
  ];
  const plain = await strata(t, "standalone", args("a"));
  assert.deepEqual((await ask(plain.url, DEMO, Date.now())).data.result, []);
  assert.equal(await plain.stop(), 0);
  const asked = await strata(t, "standalone", [...args("b"), "--demo"]);
  assert.equal((await ask(asked.url, DEMO, Date.now() - 20 * HOUR)).data.result.length, 1);
  assert.ok(readdirSync(bucket).length > 25);
  assert.equal(await asked.stop(), 0);
});

const prometheus = requireTool("prometheus");

test("standalone stands beside a Prometheus that is named", {skip: prometheus.skip}, async (t) => {
  const dir = tempDir(t);
  const port = await freePort();
  writeFileSync(
    join(dir, "prometheus.yml"),
    `global: {scrape_interval: 1s, external_labels: {cluster: mine}}\nscrape_configs: [{job_name: own, static_configs: [{targets: ["127.0.0.1:${port}"]}]}]\n`,
  );
  await spawnServer(t, {
    command: prometheus.path,
    args: [
      ...[`--config.file=${join(dir, "prometheus.yml")}`, `--storage.tsdb.path=${join(dir, "tsdb")}`],
      ...["--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h"],
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    name: "prometheus",
    ready: httpReady(`http://127.0.0.1:${port}/-/ready`),
  });
  const server = await strata(t, "standalone", [
    ...[`--data-dir=${join(dir, "data")}`, "--no-demo"],
    ...[`--prometheus.url=http://127.0.0.1:${port}`, `--tsdb.path=${join(dir, "tsdb")}`],
  ]);
  const up = {query: 'up{cluster="mine",job="own"} == 1'};
  await until(async () => (await ask(server.url, up, Date.now())).data.result.length === 1, "its samples", server);
  assert.equal(await server.stop(), 0);
});

test("standalone scrapes itself where a Prometheus is installed", {skip: prometheus.skip}, async (t) => {
  const server = await strata(t, "standalone", [`--data-dir=${tempDir(t)}`, "--no-demo"]);
  const up = {query: 'up{job="strata"} == 1'};
  await until(async () => (await ask(server.url, up, Date.now())).data.result.length === 1, "its own metrics", server);
  assert.equal(await server.stop(), 0);
});
