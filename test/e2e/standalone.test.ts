import assert from "node:assert/strict";
import {readdirSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {freePort, requireTool, tempDir} from "@strata/base/testing";
import {snappyEncode} from "@strata/bytes";
import {prompb} from "@strata/proto";
import {ask} from "./first-light/compare.ts";
import {strata, until} from "./strata.ts";

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
  const page = await fetch(`${first.url}/graph`);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /<div id=/);
  const before = readdirSync(join(dir, "bucket")).sort();
  assert.equal(await first.stop("SIGINT"), 0);

  const second = await strata(t, "standalone", args);
  assert.deepEqual(readdirSync(join(dir, "bucket")).sort(), before);
  assert.equal((await ask(second.url, DEMO, now - 20 * HOUR)).data.result.length, 1);
  assert.equal(await second.stop(), 0);
});

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

const prometheus = requireTool("prometheus");

test("standalone scrapes itself where a Prometheus is installed", {skip: prometheus.skip}, async (t) => {
  const server = await strata(t, "standalone", [`--data-dir=${tempDir(t)}`, "--no-demo"]);
  const up = {query: 'up{job="strata"} == 1'};
  await until(async () => (await ask(server.url, up, Date.now())).data.result.length === 1, "its own metrics", server);
  assert.equal(await server.stop(), 0);
});
