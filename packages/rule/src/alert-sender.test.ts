import assert from "node:assert/strict";
import {createServer, type IncomingMessage} from "node:http";
import type {AddressInfo} from "node:net";
import {type TestContext, test} from "node:test";
import {basicCredentials} from "@strata/http-client";
import {Labels, relabelConfigs} from "@strata/model";
import {type Alert, type AlertingSpec, parseRuleFile} from "@strata/rules";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {type OutgoingAlert, outgoing} from "./alert-payload.ts";
import {AlertSender} from "./alert-sender.ts";
import type {AlertmanagerGroup} from "./server-config.ts";
import {ServerSet} from "./server-set.ts";

type Post = {
  readonly path: string;
  readonly auth: string | undefined;
  readonly alerts: {labels: Record<string, string>}[];
};

/** An Alertmanager that answers with `status`, or not at all. */
async function alertmanager(
  t: TestContext,
  status: number | undefined,
): Promise<{address: string; posts: Post[]; wait(n: number): Promise<void>}> {
  const posts: Post[] = [];
  let wake = (): void => undefined;
  const server = createServer(async (request: IncomingMessage, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const alerts = JSON.parse(Buffer.concat(parts).toString()) as Post["alerts"];
    posts.push({path: request.url ?? "", auth: request.headers.authorization, alerts});
    wake();
    if (status !== undefined) response.writeHead(status).end("said");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const wait = async (n: number): Promise<void> => {
    while (posts.length < n) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {address: `127.0.0.1:${(server.address() as AddressInfo).port}`, posts, wait};
}

const group = (addresses: string[], changes: Partial<AlertmanagerGroup> = {}): AlertmanagerGroup => ({
  addresses,
  files: [],
  scheme: "http",
  pathPrefix: "",
  http: {},
  timeoutMs: 60_000,
  apiVersion: "v2",
  ...changes,
});

async function newSender(t: TestContext, groups: AlertmanagerGroup[]) {
  const registry = newRegistry();
  const logger = nullLogger();
  const options = {
    groups,
    metricPrefix: "thanos_rule_alertmanagers",
    dnsIntervalMs: 60_000,
    userAgent: "x",
    client: "alertmanager",
    registry,
    logger,
  };
  const servers = await ServerSet.start(options);
  const sender = new AlertSender({servers, groups: groups.length, registry, logger});
  const abort = new AbortController();
  const running = sender.run(abort.signal);
  t.after(async () => {
    abort.abort();
    await running;
    servers.close();
  });
  const metric = async (name: string): Promise<number> => {
    const family = (await registry.gather()).find((each) => each.name === name);
    return (family?.samples ?? []).reduce((sum, {value}) => sum + value, 0);
  };
  return {sender, metric, stop: () => abort.abort(), running};
}

const alert = (n: number): OutgoingAlert => ({
  labels: Labels.fromObject({n: String(n)}),
  annotations: Labels.EMPTY,
  startsAt: 0,
  endsAt: 1,
  generatorUrl: "",
});
const many = (count: number): OutgoingAlert[] => Array.from({length: count}, (_, i) => alert(i));

test("every server of every group gets every alert, a hundred a post", async (t) => {
  const [a, b, c] = [await alertmanager(t, 200), await alertmanager(t, 200), await alertmanager(t, 202)];
  const {sender, metric} = await newSender(t, [
    group([a.address, b.address], {pathPrefix: "/p", http: {credentials: () => basicCredentials("u", "p")}}),
    group([c.address], {apiVersion: "v1"}),
  ]);
  sender.push(many(250));
  await Promise.all([a.wait(3), b.wait(3), c.wait(3)]);
  for (const {posts} of [a, b, c]) {
    assert.deepEqual(
      posts.map(({alerts}) => alerts.length),
      [100, 100, 50],
    );
    assert.deepEqual(new Set(posts.flatMap(({alerts}) => alerts.map(({labels}) => labels.n))).size, 250);
  }
  assert.deepEqual([a.posts[0]?.path, a.posts[0]?.auth], ["/p/api/v2/alerts", "Basic dTpw"]);
  assert.equal(c.posts[0]?.path, "/api/v1/alerts");
  assert.equal(await metric("thanos_alert_queue_alerts_pushed_total"), 250);
});

test("a group that hangs holds up no other", async (t) => {
  const [hangs, works] = [await alertmanager(t, undefined), await alertmanager(t, 200)];
  const {sender} = await newSender(t, [group([hangs.address]), group([works.address])]);
  for (let i = 0; i < 3; i++) {
    sender.push([alert(i)]);
    await works.wait(i + 1);
  }
  assert.equal(hangs.posts.length, 1);
});

test("alerts count as dropped only where nobody took them", async (t) => {
  const [bad, good] = [await alertmanager(t, 500), await alertmanager(t, 200)];
  const one = await newSender(t, [group([bad.address, good.address])]);
  one.sender.push(many(2));
  await Promise.all([bad.wait(1), good.wait(1)]);
  const two = await newSender(t, [group([bad.address])]);
  two.sender.push(many(3));
  await bad.wait(2);
  two.sender.push(many(1));
  await bad.wait(3);
  assert.equal(await two.metric("thanos_alert_sender_alerts_dropped_total"), 3);
  assert.equal(await one.metric("thanos_alert_sender_alerts_dropped_total"), 0);
});

test("a full queue loses the oldest, and says so; without Alertmanagers all are dropped", async (t) => {
  const hangs = await alertmanager(t, undefined);
  const {sender, metric} = await newSender(t, [group([hangs.address])]);
  sender.push(many(12_000));
  assert.equal(await metric("thanos_alert_queue_alerts_dropped_total"), 2000);
  const none = await newSender(t, []);
  none.sender.push(many(2));
  assert.equal(await none.metric("thanos_alert_sender_alerts_dropped_total"), 2);
});

test("what goes out has external labels, lacks dropped ones, and is relabelled", () => {
  const file = parseRuleFile("r.yml", "groups: [{name: g, rules: [{alert: A, expr: up}]}]");
  const spec = file.groups[0]?.rules[0] as AlertingSpec;
  const own = {
    labels: Labels.fromObject({alertname: "A", env: "own", gone: "x"}),
    annotations: Labels.EMPTY,
    activeAt: 1,
  } as Alert;
  const options = {
    externalLabels: Labels.fromObject({env: "external", replica: "r0"}),
    dropLabels: ["replica", "gone"],
    relabel: relabelConfigs([{target_label: "team", replacement: "t"}]),
    queryUrl: "http://q",
    queryTemplate: "/x?e={{.Expr}}",
  };
  const sent = outgoing(spec, own, options);
  assert.equal(String(sent?.labels), '{alertname="A", env="external", team="t"}');
  assert.equal(sent?.generatorUrl, "http://q/x?e=up");
  const drop = relabelConfigs([{action: "drop", source_labels: ["alertname"], regex: "A"}]);
  assert.equal(outgoing(spec, own, {...options, relabel: drop}), undefined);
});
