import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {StrataError} from "@strata/base";
import {goldenDir} from "@strata/base/testing";
import {Labels, METRIC_NAME, parseRfc3339} from "@strata/model";
import {parseSelector} from "@strata/promql";
import {Group, type GroupContext, isStale, NOTHING_REFUSED, parseRuleFile, type RuleVector} from "@strata/rules";
import {nullLogger} from "@strata/telemetry";
import {Api, DEFAULT_TENANT_CONFIG, listen, Router} from "@strata/web";
import {addRulesRoutes} from "@strata/web/api";
import {alertsBody, outgoing} from "./alert-payload.ts";
import {LabelCache, readVector} from "./query-json.ts";
import {rulesBackend, rulesSource} from "./rules-api.ts";

const dir = goldenDir("query", "rules");

type Line = {readonly ms: number} & (
  | {readonly kind: "query"; readonly body: string; readonly status: number; readonly response: string}
  | {readonly kind: "alertmanager"; readonly body: string}
  | {readonly kind: "api"; readonly rules: Json; readonly alerts: Json}
);
type Json = {readonly data: Record<string, unknown>};

const EXTERNAL = Labels.fromObject({ruler: "r1", rule_replica: "a"});
const ALERTS = {
  externalLabels: EXTERNAL,
  dropLabels: ["rule_replica", "dropme"],
  relabel: [],
  queryUrl: "http://query.example/thanos",
  queryTemplate: "/graph?g0.expr={{.Expr}}&g0.tab=1",
};
const signal = new AbortController().signal;

/** One rule's query in the recording: its time (ms), its text, and the answer. */
class Recorded {
  readonly query: string;
  readonly t: number;
  readonly warn: boolean;
  readonly #status: number;
  readonly #response: string;

  constructor({body, status, response}: Extract<Line, {kind: "query"}>) {
    const params = new URLSearchParams(body);
    this.query = params.get("query") ?? "";
    this.t = parseRfc3339(params.get("time") ?? "") as number;
    this.warn = params.get("partial_response") === "true";
    this.#status = status;
    this.#response = response;
  }

  answer(): RuleVector {
    if (this.#status !== 200) throw new StrataError("unavailable", "no query API server reachable");
    return readVector(this.#response, new LabelCache(1000)).result;
  }
}

const recordings = readdirSync(dir).filter((name) => name.endsWith("-live.jsonl.gz"));
assert.ok(recordings.length > 0);

for (const name of recordings) {
  test(`${name}: alerts are posted, shown and stored as the real ruler did`, async (t) => {
    const stem = name.replace("-live.jsonl.gz", "");
    const lines = gunzipSync(readFileSync(join(dir, name)))
      .toString()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    const queries = lines.filter((line) => line.kind === "query").map((line) => new Recorded(line));
    const answers = new Map(queries.map((q) => [`${q.query} ${q.t}`, q]));
    const posted: unknown[] = [];
    const stored = new Map<string, Map<number, number>>();
    const context: GroupContext = {
      query: async ({query, t: at, strategy}) => {
        const found = answers.get(`${query} ${at}`);
        assert.ok(found, `${query} at ${at} was not asked`);
        assert.equal(found.warn, strategy === "warn");
        return found.answer();
      },
      storage: {
        async append(samples) {
          // The real one kept 0 of a histogram that came over HTTP; that is what stands in `values` here.
          samples.labels.forEach((labels, i) => {
            if (isStale(samples.values, i)) return;
            const series = stored.get(labels.toString()) ?? new Map<number, number>();
            series.set(samples.t, samples.values[i] as number);
            stored.set(labels.toString(), series);
          });
          return NOTHING_REFUSED;
        },
      },
      notify: (rule, alerts) =>
        void posted.push(
          ...(JSON.parse(
            alertsBody(
              alerts.flatMap((alert) => outgoing(rule, alert, ALERTS) ?? []),
              "v2",
            ),
          ) as unknown[]),
        ),
      externalLabels: EXTERNAL,
      externalUrl: ALERTS.queryUrl,
      functionUrl: undefined,
      defaultIntervalMs: 2000,
      defaultQueryOffsetMs: 0,
      resendDelayMs: 4000,
      now: () => 0,
    };
    const text = readFileSync(join(dir, `${stem}.yml`), "utf8");
    const file = (lines.find((line) => line.kind === "api") as {rules: Json}).rules.data.groups as {file: string}[];
    const {groups: specs, errors} = parseRuleFile(file[0]?.file ?? "", text, {retypeScalars: true});
    assert.deepEqual(errors, []);
    const groups = specs.map((spec) => new Group(spec, context));
    const getJson = await serveRules(t, groups);

    const rounds = new Map(groups.map((group) => [group, 0]));
    let snapshots = 0;
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i] as Line;
      if (line.kind === "query") {
        const q = new Recorded(line);
        const group = groups.find(({spec}) => spec.rules[0]?.query === q.query);
        // A group is evaluated where its first query stands, if the recording holds its last one, too.
        if (group === undefined || !answers.has(`${group.spec.rules.at(-1)?.query} ${q.t}`)) continue;
        await group.evaluate(q.t + group.queryOffsetMs, signal);
        const round = (rounds.get(group) as number) + 1;
        rounds.set(group, round);
        if (round === 2) group.setRestored();
      }
      // What the real one showed in the middle of an evaluation is somewhere between ours.
      if (line.kind !== "api" || !isQuiet(lines, i, groups)) continue;
      snapshots++;
      assert.deepEqual(plainRules(await getJson("/api/v1/rules")), plainRules(line.rules), `rules before line ${i}`);
      assert.deepEqual(plainAlerts(await getJson("/api/v1/alerts")), plainAlerts(line.alerts), `alerts, line ${i}`);
    }
    assert.ok(snapshots > 50);

    const wantPosted = lines.flatMap((l) => (l.kind === "alertmanager" ? (JSON.parse(l.body) as unknown[]) : []));
    assert.ok(wantPosted.length > 0);
    const texts = (alerts: readonly unknown[]): string[] => alerts.map((alert) => JSON.stringify(alert)).sort();
    assert.deepEqual(texts(posted), texts(wantPosted));
    compareStored(stored, readStored(join(dir, `${stem}-stored.json.gz`)));
  });
}

/** A snapshot is two requests: what is evaluated so soon after it may be in the second one. */
const SNAPSHOT_MS = 100;

/** Whether line `at` lies in no group's evaluation: the query before it was its group's last, and the next is not near. */
function isQuiet(lines: readonly Line[], at: number, groups: readonly Group[]): boolean {
  const next = lines.slice(at + 1).find((line) => line.kind === "query");
  if (next !== undefined && next.ms - (lines[at] as Line).ms < SNAPSHOT_MS) return false;
  const before = new Map<Group, string>();
  for (const line of lines.slice(Math.max(0, at - 40), at)) {
    if (line.kind !== "query") continue;
    const {query} = new Recorded(line);
    const group = groups.find(({spec}) => spec.rules.some((rule) => rule.query === query));
    if (group !== undefined) before.set(group, query);
  }
  return [...before].every(([{spec}, query]) => spec.rules.at(-1)?.query === query);
}

async function serveRules(t: {after(fn: () => Promise<void>): void}, groups: readonly Group[]) {
  const router = new Router();
  const api = new Api(router, {routePrefix: "", cors: true, log: nullLogger()});
  const defaults = {replicaLabels: [], partialResponse: false, tenants: DEFAULT_TENANT_CONFIG};
  addRulesRoutes(api, rulesBackend(rulesSource(() => groups, EXTERNAL)), defaults, "Alerts");
  const server = await listen({address: "127.0.0.1:0", router, log: nullLogger()});
  t.after(() => server.close(0));
  return async (path: string): Promise<Json> => (await (await fetch(new URL(path, server.url))).json()) as Json;
}

/** Without what depends on the moment; times cut to milliseconds. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (key, v: unknown) => {
    if (key === "evaluationTime" || key === "lastEvaluation") return undefined;
    if (key === "activeAt") return new Date(parseRfc3339(v as string) as number).toISOString();
    if (key === "alerts" || key === "Alerts") return Array.isArray(v) ? sorted(v) : v;
    return v;
  });

const plainRules = ({data}: Json): unknown => plain(data);
const plainAlerts = ({data}: Json): unknown => plain(data);

const sorted = (items: readonly unknown[]): unknown[] => [...items].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
const keyOf = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) =>
    typeof v === "object" && v !== null && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort()) : v,
  );

type StoredSeries = {readonly metric: Record<string, string>; readonly values: readonly [number, string][]};

function readStored(path: string): Record<string, StoredSeries[]> {
  const answers = JSON.parse(gunzipSync(readFileSync(path)).toString()) as Record<
    string,
    {data: {result: StoredSeries[]}}
  >;
  return Object.fromEntries(Object.entries(answers).map(([selector, {data}]) => [selector, data.result]));
}

/** Every sample of the ruler's own series, both ways, in the time that both cover. */
function compareStored(
  got: ReadonlyMap<string, ReadonlyMap<number, number>>,
  want: Record<string, StoredSeries[]>,
): void {
  for (const [selector, series] of Object.entries(want)) {
    const matchers = parseSelector(selector.startsWith("{") || /[a-z]/i.test(selector) ? selector : `{${selector}}`);
    const name = matchers.find((m) => m.name === METRIC_NAME)?.value ?? "";
    for (const {metric, values} of series) {
      // Series of other sources lack the ruler's external label.
      if (metric.ruler !== EXTERNAL.get("ruler")) continue;
      const {ruler: _, ...own} = metric;
      // What is computed of the ruler's own series carries the label already.
      const ours = got.get(Labels.fromObject(own).toString()) ?? got.get(Labels.fromObject(metric).toString());
      assert.ok(ours, `${name} ${JSON.stringify(own)} is not stored`);
      const last = Math.max(...ours.keys());
      const wanted = new Map(values.map(([s, v]) => [Math.round(s * 1000), Number(v)]));
      for (const [t, v] of wanted) {
        if (t > last) continue;
        assert.equal(ours.get(t), v, `${name} ${JSON.stringify(own)} at ${t}`);
      }
      for (const t of ours.keys())
        assert.ok(wanted.has(t) || t > Math.max(...wanted.keys()), `${name} at ${t} is extra`);
    }
  }
}
