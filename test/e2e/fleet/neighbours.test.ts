import assert from "node:assert/strict";
import {before, describe, test} from "node:test";
import {anySkip, requireTool} from "@strata/base/testing";
import {suiteScope, until} from "../strata.ts";
import {type Series, samplesOf} from "./checks.ts";
import {askAsGrafana, type GrafanaAnswer, grafanaRequests} from "./grafana.ts";
import {EXPECTED} from "./grafana-expected.ts";
import {Neighbourhood} from "./neighbourhood.ts";
import {askDoor} from "./prober.ts";

const tools = ["prometheus", "alertmanager", "node-exporter", "pushgateway"] as const;
const skip = anySkip(...tools.map((name) => requireTool(name)));

describe("what people run around Strata", {skip}, () => {
  const scope = suiteScope();
  let all: Neighbourhood;

  before(async () => {
    all = await Neighbourhood.start(scope);
  });

  /** Instant answer of a querier, or the empty one. */
  const ask = async (part: string, query: string, more: Record<string, string> = {}): Promise<readonly Series[]> => {
    const {series, problem} = await askDoor(all.part(part).url, "query", {query, ...more});
    assert.ok(series !== undefined, `${query}: ${problem}`);
    return series;
  };
  const seen = (query: string, part = "query-global"): Promise<void> =>
    until(async () => (await ask(part, query)).length > 0, `${query} at ${part}`);

  test("a second cluster's querier is federated: series of both are one, of replicas once", async () => {
    await until(
      async () => (await ask("query-global", 'count by (cluster) (up{job="app"} == 1)')).length === 2,
      "both",
    );
    const rows = (await ask("query-global", 'up{job="app"}')).map(({metric}) => metric);
    assert.deepEqual(rows.map(({cluster}) => cluster).sort(), ["one", "two"]);
    assert.ok(rows.every((metric) => !("replica" in metric)));
  });

  test("node exporter is found by file, its targets and metrics are relabelled", async () => {
    await seen('node_cpu_seconds_total{instance="node-1",rack="r1",job="nodes"}');
    await seen("node_uname_info");
    assert.deepEqual(await ask("query-global", '{__name__=~"node_cpu_guest.*"}'), []);
    const [uname] = await ask("query-global", "node_uname_info");
    assert.deepEqual(
      ["machine", "nodename", "domainname"].filter((name) => name in (uname?.metric ?? {})),
      [],
    );
    // Found anew in another rack: the old series ends.
    all.findNodes("r2");
    await seen('node_uname_info{rack="r2"}');
    await until(async () => (await ask("query-global", 'node_uname_info{rack="r1"}')).length === 0, "the end of r1");
  });

  test("what a job pushed keeps its own labels, and ends when it is deleted", async () => {
    const group = `${all.pushUrl}/metrics/job/backup/instance/db-7`;
    assert.ok((await fetch(group, {method: "PUT", body: "backup_last_success 42\n"})).ok);
    await seen('backup_last_success{job="backup",instance="db-7",cluster="one"} == 42');
    assert.ok((await fetch(group, {method: "DELETE"})).ok);
    await until(async () => (await ask("query-global", "backup_last_success")).length === 0, "its end");
  });

  test("recorded series are what their expressions give", async () => {
    await seen('{__name__="job:up:sum",job="nodes"}');
    await seen('{__name__="cluster:up:sum",cluster="two"}');
    const recorded = '{__name__="job:up:sum",job="app"} == on (cluster, job) sum by (cluster, job) (up{cluster="one"})';
    await seen(recorded);
  });

  test("alerts of the pair come once, by their route; inhibited and silenced ones are told to nobody", async () => {
    const {manager, app} = all;
    for (const name of ["page", "cause", "quiet"]) app.inputs.set(name, 1);
    await until(() => manager.told("Page", "firing").length > 0, "a page");
    await until(() => manager.told("Everywhere", "firing").length > 0, "the ruler's page");
    await until(async () => (await manager.alert("Effect"))?.status.inhibitedBy.length === 1, "inhibition");
    await until(async () => (await manager.alert("Quiet"))?.status.silencedBy.length === 1, "the silence");
    assert.deepEqual(
      manager.notifications
        .filter(({alerts}) => alerts.some((a) => a.labels.alertname === "Page"))
        .map((n) => n.receiver),
      ["pages"],
    );
    assert.equal(manager.told("Page", "firing")[0]?.labels.cluster, "one");
    assert.deepEqual([...manager.told("Effect", "firing"), ...manager.told("Quiet", "firing")], []);
    await until(() => manager.told("Cause", "firing").length > 0, "the cause");
    // The same alert at the querier: once, whichever replica is asked.
    const {alerts} = (await grafana("query-global", "alerts")).body.data as {
      alerts: {labels: Record<string, string>}[];
    };
    assert.equal(alerts.filter(({labels}) => labels.alertname === "Page").length, 1);
  });

  test("another Prometheus scrapes /federate and has the same samples", async () => {
    await seen('up{job="federate"} == 1', "prometheus-above");
    for (const query of ['{__name__="job:up:sum"}', '{__name__="cluster:up:sum"}', "node_cpu_seconds_total"]) {
      await seen(query, "prometheus-above");
      const above = await ask("prometheus-above", `${query}[20s]`);
      const source = await ask("query-global", `${query}[40s]`, {dedup: "false"});
      const has = new Set([...samplesOf(source)].map(({metric, t, v}) => `${text(metric)} ${t} ${v}`));
      let n = 0;
      for (const {metric, t, v} of samplesOf(above)) {
        const {job, ...others} = metric;
        // A series without a job gets that of the scrape.
        const own = job === "federate" ? others : metric;
        assert.ok(has.has(`${text(own)} ${t} ${v}`), `${text(own)} ${v} at ${t}`);
        n++;
      }
      assert.ok(n > 0, query);
    }
  });

  let window: readonly [number, number] = [0, 0];
  /** Sends one of Grafana's requests, by name, over the last seconds. */
  const grafana = async (part: string, name: string): Promise<GrafanaAnswer> => {
    const now = Date.now() / 1000;
    const [start, end] = window[1] > 0 ? window : [now - 15, now - 3];
    const request = grafanaRequests(start, end).find((r) => r.name === name);
    assert.ok(request !== undefined, name);
    return await askAsGrafana(all.part(part).url, request);
  };

  for (const {name} of grafanaRequests(0, 1)) {
    test(`Grafana gets what it needs, directly and through the front-end: ${name}`, async () => {
      await seen("count_over_time(app_request_seconds_count[15s]) > 12");
      const now = Date.now() / 1000;
      window = [now - 15, now - 3];
      const direct = await grafana("query-global", name);
      assert.equal(direct.status, 200, JSON.stringify(direct.body));
      assert.equal(direct.contentType, "application/json");
      assert.equal(direct.body.status, "success");
      assert.equal(direct.body.warnings, undefined);
      EXPECTED[name]?.(direct.body.data as never);
      const through = await grafana("query-frontend", name);
      assert.equal(through.status, 200, JSON.stringify(through.body));
      assert.equal(through.contentType, "application/json");
      assert.deepEqual(steady(through.body), steady(direct.body));
    });
  }
});

const text = (metric: Series["metric"]): string =>
  JSON.stringify(
    Object.entries(metric)
      .filter(([name]) => name !== "replica" && name !== "instance")
      .sort(),
  );

/** Without what differs from moment to moment. */
function steady(body: unknown): unknown {
  const moving = ["evaluationTime", "lastEvaluation", "stats", "analysis"];
  return JSON.parse(JSON.stringify(body, (key, value: unknown) => (moving.includes(key) ? undefined : value)));
}
