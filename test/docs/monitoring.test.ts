import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {pathToFileURL} from "node:url";
import {repoRoot} from "@strata/base/testing";
import {type Expr, parseExpr, selectorsOf} from "@strata/promql";
import {parse} from "yaml";
import {DASHBOARDS, type Dashboard, filledIn, readDashboards} from "./dashboards.ts";
import {metricsOnPage, seriesNames} from "./generate/metrics-page.ts";
import {anchorsOf, parsePage} from "./page.ts";
import {RULE_TESTS, readRules} from "./rule-series.ts";

const read = (...path: string[]): string => readFileSync(join(repoRoot, ...path), "utf8");
const exported = seriesNames(metricsOnPage(read("docs/metrics.md")));

const rules = readRules();
/** Made by rules or by Prometheus itself. */
const derived = new Set(["up", ...rules.flatMap(({record}) => record ?? [])]);

/** Names that an expression selects. */
const metricsOf = (expr: Expr): string[] =>
  selectorsOf(expr).map((matchers) => matchers.find(({name}) => name === "__name__")?.value ?? "");

/** Names that an expression selects and nobody exports. */
const unknownMetrics = (expr: Expr): string[] =>
  metricsOf(expr).filter((name) => !exported.has(name) && !derived.has(name));

test("every metric of recording rules and alerts is exported", () => {
  assert.ok(rules.length > 0);
  for (const {record, alert, expr} of rules)
    assert.deepEqual(unknownMetrics(parseExpr(expr)), [], record ?? alert ?? expr);
});

test("every alert has a severity, says what is the matter, and links to its runbook", () => {
  const anchors = anchorsOf(parsePage("docs/runbooks.md", read("docs/runbooks.md")));
  const used = new Set<string>();
  for (const {alert, labels, annotations} of rules) {
    if (alert === undefined) continue;
    assert.match(labels?.severity ?? "", /^(critical|warning)$/, alert);
    assert.ok((annotations?.summary ?? "") !== "" && (annotations?.description ?? "") !== "", alert);
    const [, anchor = ""] =
      /^https:\/\/strata\.example\/docs\/runbooks\.md#(.+)$/.exec(annotations?.runbook_url ?? "") ?? [];
    assert.ok(anchors.has(anchor), `${alert}: docs/runbooks.md has no #${anchor}`);
    used.add(anchor);
  }
  const idle = [...anchors].filter((anchor) => anchor.startsWith("strata") && !used.has(anchor));
  assert.deepEqual(idle, [], "sections of docs/runbooks.md without an alert");
});

test("dashboards parse, and every metric of theirs is exported", () => {
  const dashboards = readDashboards();
  assert.ok(dashboards.size > 0);
  for (const [file, {uid, panels, templating}] of dashboards) {
    assert.equal(file, `${uid}.json`);
    let targets = 0;
    for (const {title, targets: own} of panels) {
      for (const {expr} of own ?? []) {
        targets++;
        assert.deepEqual(unknownMetrics(parseExpr(filledIn(expr))), [], `${file}, ${title}: ${expr}`);
      }
    }
    assert.ok(targets > 5, file);
    for (const {query} of templating.list) {
      const text = (query as {query?: string}).query ?? "";
      const [, selector] = /^label_values\((.+), \w+\)$/.exec(text) ?? [];
      if (selector !== undefined)
        assert.deepEqual(unknownMetrics(parseExpr(filledIn(selector))), [], `${file}: ${text}`);
    }
  }
});

test("dashboards are what their definitions make", async () => {
  const url = pathToFileURL(join(repoRoot, "scripts/lib/dashboard-definitions.mjs")).href;
  const {DASHBOARDS: made} = (await import(url)) as {DASHBOARDS: readonly Dashboard[]};
  assert.deepEqual(made.map(({uid}) => `${uid}.json`).sort(), readdirSync(join(repoRoot, DASHBOARDS)).sort());
  for (const dashboard of made)
    assert.equal(
      read(DASHBOARDS, `${dashboard.uid}.json`),
      `${JSON.stringify(dashboard, null, 2)}\n`,
      `${dashboard.uid} is stale: npm run docs writes it anew`,
    );
});

test("the data source has the uid, exemplars and alerts that dashboards count on", () => {
  const {datasources} = parse(read("deploy/grafana/provisioning/datasources/strata.yml")) as {
    datasources: {uid: string; type: string; jsonData: Record<string, unknown>}[];
  };
  assert.deepEqual(
    datasources.map(({uid, type, jsonData}) => [
      uid,
      type,
      jsonData.manageAlerts,
      Array.isArray(jsonData.exemplarTraceIdDestinations),
    ]),
    [["strata", "prometheus", true, true]],
  );
});

type RuleTest = {
  readonly input_series: readonly {readonly series: string}[];
  readonly alert_rule_test?: readonly {readonly alertname: string; readonly exp_alerts: readonly unknown[]}[];
  readonly promql_expr_test?: readonly {readonly expr: string}[];
};
const testsOf = (file: string): readonly RuleTest[] => (parse(read(RULE_TESTS, file)) as {tests: RuleTest[]}).tests;

test("every alert has a test in which it fires and one in which it does not, every record one of its value", () => {
  const tests = readdirSync(join(repoRoot, RULE_TESTS)).flatMap(testsOf);
  const checks = tests.flatMap((one) => one.alert_rule_test ?? []);
  const having = (fires: boolean) =>
    new Set(checks.filter((one) => one.exp_alerts.length > 0 === fires).map(({alertname}) => alertname));
  const recorded = new Set(tests.flatMap((one) => one.promql_expr_test ?? []).map(({expr}) => expr));
  const [firing, silent] = [having(true), having(false)];
  const lacking = rules.filter(({alert, record}) =>
    alert === undefined ? !recorded.has(record ?? "") : !firing.has(alert) || !silent.has(alert),
  );
  assert.deepEqual(
    lacking.map(({alert, record}) => alert ?? record),
    [],
  );
});

test("the healthy fleet, in which no alert fires, has every metric that alerts ask for", () => {
  const series = testsOf("healthy.test.yml").flatMap((one) => one.input_series.map((input) => input.series));
  const there = new Set(series.map((one) => one.replace(/\{.*/, "")));
  const lacking = rules.flatMap(({expr}) => metricsOf(parseExpr(expr)).filter((name) => !there.has(name)));
  assert.deepEqual(
    lacking.filter((name) => !rules.some(({record}) => record === name)),
    [],
  );
});
