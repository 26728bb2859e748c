import assert from "node:assert/strict";
import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {setTimeout as delay} from "node:timers/promises";
import {freePort, random, repeat, requireTool, seed, tempDir} from "@strata/base/testing";
import {Alertmanager, Exporter, prometheusOf, serve} from "./rule/fleet.ts";
import {endpointSeen, strata, strataEnds, until} from "./strata.ts";

const prometheus = requireTool("prometheus");
const alertmanager = requireTool("alertmanager");
const skip = prometheus.skip || alertmanager.skip;

const RULES = `groups:
- name: g
  interval: 1s
  rules:
  - record: job:input:sum
    expr: sum by (job) (input)
  - alert: Lifecycle
    expr: input{name="life"} > 0
    for: 1s
    keep_firing_for: 1s
    labels: {severity: page}
    annotations:
      summary: '{{ $labels.name }} is {{ $value }} with {{ query "job:input:sum" | len }}'
      broken: '{{ .Nope }}'
  - alert: Cause
    expr: input{name="cause"} > 0
    labels: {severity: critical, input: x}
  - alert: Effect
    expr: input{name="cause"} > 0
    labels: {severity: warning, input: x}
  - alert: Quiet
    expr: input{name="quiet"} > 0
  - alert: Slow
    expr: input{name="life"} > -1
    for: 1h
`;

type ApiAlert = {labels: Record<string, string>; state: string; activeAt: string; annotations: Record<string, string>};

async function apiAlerts(url: string): Promise<ApiAlert[]> {
  const answer = (await (await fetch(`${url}/api/v1/alerts`)).json()) as {data: {Alerts: ApiAlert[] | null}};
  return answer.data.Alerts ?? [];
}

const ofName = async (url: string, name: string): Promise<ApiAlert | undefined> =>
  (await apiAlerts(url)).find(({labels}) => labels.alertname === name);

test("alerts live their lives through Prometheus, querier, ruler and Alertmanager", {skip}, async (t) => {
  const dir = tempDir(t);
  const exporter = await Exporter.start(t);
  for (const name of ["life", "cause", "quiet"]) exporter.inputs.set(`name="${name}"`, 0);
  const [prom, manager, sidecarPort, rulePort] = await Promise.all([
    prometheusOf(t, prometheus.path, dir, exporter.url),
    Alertmanager.start(t, alertmanager.path, dir),
    freePort(),
    freePort(),
  ]);
  await manager.silence("Quiet");
  const rules = join(dir, "rules.yml");
  writeFileSync(rules, RULES);
  const [, query] = await Promise.all([
    strata(t, "sidecar", [
      `--prometheus.url=${prom}`,
      `--tsdb.path=${join(dir, "prometheus")}`,
      `--grpc-address=127.0.0.1:${sidecarPort}`,
    ]),
    strata(t, "query", [
      `--endpoint=127.0.0.1:${sidecarPort}`,
      `--endpoint=127.0.0.1:${rulePort}`,
      `--grpc-address=127.0.0.1:${await freePort()}`,
      "--query.replica-label=replica",
    ]),
  ]);
  await endpointSeen(query.url, "sidecar", query);
  const args = (...more: string[]): string[] => [
    `--data-dir=${join(dir, "rule")}`,
    `--rule-file=${rules}`,
    `--query=${query.url}`,
    `--alertmanagers.url=${manager.url}`,
    `--grpc-address=127.0.0.1:${rulePort}`,
    '--label=ruler="r1"',
    '--label=replica="a"',
    "--alert.label-drop=replica",
    "--alert.query-url=http://query.example",
    // Alertmanager forgets an alert after four times this: longer than a restart on a busy machine.
    "--resend-delay=5s",
    "--for-grace-period=1s",
    ...more,
  ];
  const rule = await strata(t, "rule", args());

  // Pending, then firing, routed by its label, with a template error where it belongs.
  await until(async () => (await ofName(rule.url, "Slow"))?.state === "pending", "a pending alert", rule);
  for (const name of ["life", "cause", "quiet"]) exporter.inputs.set(`name="${name}"`, 1);
  await until(async () => (await ofName(rule.url, "Lifecycle"))?.state === "pending", "pending", rule);
  await until(() => manager.told("Lifecycle", "firing").length > 0, "a page", rule);
  const [page] = manager.told("Lifecycle", "firing");
  assert.deepEqual(page?.labels, {
    alertname: "Lifecycle",
    cluster: "e2e",
    instance: new URL(exporter.url).host,
    job: "test",
    name: "life",
    ruler: "r1",
    severity: "page",
  });
  assert.match(page?.annotations.summary ?? "", /^life is 1 with [01]$/);
  assert.match(
    page?.annotations.broken ?? "",
    /^<error expanding template: error executing template __alert_Lifecycle/,
  );
  assert.ok(manager.notifications.some(({receiver}) => receiver === "pages"));

  // Inhibited and silenced ones are known to Alertmanager and told to nobody.
  await until(async () => (await manager.alert("Effect"))?.status.inhibitedBy.length === 1, "inhibition", rule);
  await until(async () => (await manager.alert("Quiet"))?.status.silencedBy.length === 1, "the silence", rule);
  assert.ok(manager.told("Cause", "firing").length > 0);
  assert.deepEqual([...manager.told("Effect", "firing"), ...manager.told("Quiet", "firing")], []);

  // Sent again while it fires, told once.
  const first = (await manager.alert("Lifecycle"))?.updatedAt;
  await until(async () => (await manager.alert("Lifecycle"))?.updatedAt !== first, "a resend", rule);
  assert.equal(manager.told("Lifecycle", "firing").length, 1);

  // The result and the alert are in the ruler's StoreAPI, the rules in the querier's API.
  await endpointSeen(query.url, "rule", query);
  const ask = async (expr: string): Promise<{metric: Record<string, string>; value: [number, string]}[]> => {
    const answer = await fetch(`${query.url}/api/v1/query?query=${encodeURIComponent(expr)}`);
    return ((await answer.json()) as {data: {result: {metric: Record<string, string>; value: [number, string]}[]}}).data
      .result;
  };
  await until(async () => (await ask("job:input:sum"))[0]?.value[1] === "3", "the recorded series", rule);
  await until(
    async () => (await ask('ALERTS{alertname="Lifecycle",alertstate="firing"}')).length === 1,
    "ALERTS",
    rule,
  );
  // Rules that do not depend on one another are asked for together.
  const counted = await (await fetch(`${query.url}/metrics`)).text();
  assert.match(counted, /^http_requests_total\{(?=[^}]*code="200")[^}]*handler="query_batch"[^}]*\} [1-9]/m);
  const groups = (await (await fetch(`${query.url}/api/v1/rules`)).json()) as {data: {groups: {rules: unknown[]}[]}};
  assert.equal(groups.data.groups[0]?.rules.length, 6);

  // Killed and started again: pending ones keep their age, firing ones are not told anew.
  const since = (await ofName(rule.url, "Slow"))?.activeAt as string;
  await until(async () => (await ask('ALERTS_FOR_STATE{alertname="Slow"}')).length === 1, "ALERTS_FOR_STATE", rule);
  await rule.kill();
  const again = await strata(t, "rule", args());
  const started = Date.now();
  await until(
    async () => Date.parse((await ofName(again.url, "Slow"))?.activeAt ?? "2999") < started - 1000,
    "the restored alert",
    again,
  );
  // The time that it was down does not count.
  assert.ok(Date.parse((await ofName(again.url, "Slow"))?.activeAt as string) >= Date.parse(since));
  await until(async () => (await ofName(again.url, "Lifecycle"))?.state === "firing", "firing again", again);
  assert.equal(manager.told("Lifecycle", "firing").length, 1);

  // Gone from the data: kept for a while, then resolved, and said so.
  exporter.inputs.set('name="life"', 0);
  await until(() => manager.told("Lifecycle", "resolved").length > 0, "the end", again);
  await until(async () => (await ofName(again.url, "Lifecycle")) === undefined, "no alert", again);

  // Beyond the outage tolerance nothing is restored.
  assert.equal(await again.stop(), 0);
  const late = await strata(t, "rule", args("--for-outage-tolerance=1ms"));
  await until(async () => (await ofName(late.url, "Slow"))?.state === "pending", "pending anew", late);
  const metrics = async (): Promise<string> => (await fetch(`${late.url}/metrics`)).text();
  await until(async () => /last_restore_duration_seconds\{.*\} [0-9.e-]+/.test(await metrics()), "the restore", late);
  assert.ok(Date.parse((await ofName(late.url, "Slow"))?.activeAt as string) > started);

  // Bad files: all errors, and the running rules stay.
  writeFileSync(rules, "groups: [{name: g, rules: [{record: a, expr: sum(}, {alert: B}]}]\n");
  const reload = await fetch(`${late.url}/-/reload`, {method: "POST"});
  assert.equal(reload.status, 500);
  const text = await reload.text();
  assert.match(text, /group "g", rule 1, "a": could not parse expression/);
  assert.match(text, /group "g", rule 2, "B": field 'expr' must be set in rule/);
  assert.equal((await ofName(late.url, "Slow"))?.state, "pending");
});

/** What a rule of `time()` over a querier of the test has to store at `t` (ms): the evaluation's own time. */
async function clockQuerier(t: TestContext): Promise<string> {
  return serve(t, async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const at = Date.parse(new URLSearchParams(Buffer.concat(parts).toString()).get("time") ?? "");
    const result = [{metric: {series: "s"}, value: [at / 1000, String(at)]}];
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({status: "success", data: {resultType: "vector", result}}));
  });
}

test("killed at random moments, a ruler stores nothing wrong or twice, and tells no alert anew", {skip}, async (t) => {
  const dir = tempDir(t);
  const pick = random(seed());
  const [querier, manager] = await Promise.all([clockQuerier(t), Alertmanager.start(t, alertmanager.path, dir)]);
  const rules = join(dir, "rules.yml");
  writeFileSync(
    rules,
    "groups: [{name: g, interval: 1s, rules: [{record: clock, expr: up}, {alert: Always, expr: up}, {record: late, expr: clock}]}]\n",
  );
  const data = join(dir, "rule");
  const args = [
    `--data-dir=${data}`,
    `--rule-file=${rules}`,
    `--query=${querier}`,
    `--alertmanagers.url=${manager.url}`,
    `--grpc-address=127.0.0.1:${await freePort()}`,
    '--label=ruler="r1"',
    // Receivers believe an alert for four times as long: longer than any restart here.
    "--resend-delay=15s",
  ];
  for (let round = 0; round < repeat(20); round++) {
    const rule = await strata(t, "rule", args);
    await until(async () => (await ofName(rule.url, "Always"))?.state === "firing", "an alert", rule);
    await delay(pick() * 1500);
    await rule.kill();
  }
  assert.equal(manager.told("Always", "firing").length, 1);
  assert.equal(manager.told("Always", "resolved").length, 0);
  const {code, out, err} = await strataEnds(["tools", "tsdb", "dump", data]);
  assert.equal(code, 0, err);
  const seen = new Map<string, number[]>();
  for (const line of out.trim().split("\n")) {
    const [, series, value, time] = /^(\{.*\}) (\S+) (\d+)$/.exec(line) as unknown as [string, string, string, string];
    if (!/__name__="(clock|late)"/.test(series)) continue;
    assert.equal(Number(value), Number(time), line);
    seen.set(series, [...(seen.get(series) ?? []), Number(time)]);
  }
  assert.equal(seen.size, 2);
  for (const [series, times] of seen) {
    const offset = (times[0] as number) % 1000;
    times.forEach((at, i) => {
      assert.equal(at % 1000, offset, `${series} is off its slot at ${at}`);
      if (i > 0) assert.ok(at > (times[i - 1] as number), `${series} is twice at ${at}`);
    });
  }
});
