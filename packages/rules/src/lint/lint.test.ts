import assert from "node:assert/strict";
import {test} from "node:test";
import {parseExpr} from "@strata/promql";
import {parseRuleFile} from "../rule-file.ts";
import {neverMatches} from "./label-flow.ts";
import {type LintSource, lintRules} from "./lint.ts";

async function lint(rules: string, source?: LintSource): Promise<string[]> {
  const {groups, errors} = parseRuleFile("r.yml", `groups:\n- name: g\n  rules:\n${rules}`);
  assert.deepEqual(errors, []);
  const found = await lintRules(groups, {scrapeIntervalMs: 30_000, source});
  return found.map(({line, rule, check}) => `${line} ${rule} ${check}`);
}

const record = (expr: string): string => `  - {record: "l:m:o", expr: '${expr}'}\n`;
const alert = (expr: string, summary = "x"): string =>
  `  - {alert: A, for: 5m, expr: '${expr}', annotations: {summary: "${summary}"}}\n`;
const f = async (rules: string, ...want: string[]): Promise<void> =>
  assert.deepEqual(
    (await lint(rules)).map((text) => text.split(" ")[2]),
    want,
    rules,
  );

test("sound rules have no findings", async () => {
  await f(record("sum by (job) (rate(x_total[5m]))"));
  await f(record("sum(rate(l:m:o[5m])) + count(x_total) + resets(x_total[1h])"));
  await f(alert("sum by (job) (rate(x_total[1m])) > 1", "{{ $labels.job }} {{ $value | humanize }}"));
  await f(alert('absent(up{job="a"})', "{{ $labels.job }}"));
});

test("windows shorter than two scrapes", async () => {
  await f(record("sum(rate(x_total[59s])) + delta(y[30s])"), "rate-window", "rate-window");
  await f(record("sum(rate(x_total[1m])) + max_over_time(y[1s])"));
});

test("rates of gauges, and counters without a rate", async () => {
  await f(record("rate(process_resident_memory_bytes[5m])"), "rate-of-gauge");
  await f(record("sum(x_total) by (job)"), "counter-without-rate");
  await f(alert("x_total > 5"), "counter-without-rate");
});

test("labels that an aggregation or a join drops", async () => {
  const dropped = "dropped-label";
  await f(alert("sum by (job) (up) == 0", "{{ $labels.instance }}"), dropped);
  await f(alert("sum without (instance) (up) == 0", "{{ .Labels.instance }}"), dropped);
  await f(alert("sum(up) == 0", "{{ if $labels.job }}x{{ end }}"), dropped);
  await f(alert("a * on (job) group_left (team) b", "{{ $labels.team }} {{ $labels.instance }}"));
  await f(alert("a * on (job) b", "{{ $labels.instance }}"), dropped);
  await f(alert("topk(3, up)", "{{ $labels.instance }}"));
  await f(alert('label_replace(sum(up), "x", "y", "", "")', "{{ $labels.x }}"));
  await f(
    alert("histogram_quantile(0.9, sum by (le, job) (rate(h_bucket[5m])))", "{{ $labels.le }} {{ $labels.job }}"),
    dropped,
  );
  await f(alert("vector(1)", "{{ $labels.job }}"), dropped);
  await f(alert('absent(up{job="a"})', "{{ $labels.instance }}"), dropped);
});

test("alerts without `for`, record names, templates that do not render", async () => {
  assert.deepEqual(await lint("  - {alert: A, expr: up == 0}\n  - {record: foo, expr: up}\n"), [
    "4 1 no-for",
    "5 2 record-name",
  ]);
  await f(alert("up", "{{ if gt $value 5 }}x{{ end }}"), "template");
  await f(alert("up", "{{ externalURL }}"), "template");
  await f(alert("up", '{{ query \\"x\\" | first | value }}'));
});

test("joins that can never match", () => {
  const why = (text: string): string | undefined => {
    const expr = parseExpr(text);
    assert.ok(expr.kind === "binary");
    return neverMatches(expr);
  };
  assert.match(why("sum by (a) (x) / sum by (b) (y)") ?? "", /only the left side has a/);
  assert.match(why('x{job="a"} / y{job="b"}') ?? "", /job is "a" on the left and "b" on the right/);
  assert.match(why('x and on (job) sum by (instance) (y{job="a"})') ?? "possible", /possible/);
  assert.match(why('x{job="a"} and on (job) sum by (instance) (y)') ?? "", /only the left side has job/);
  for (const fine of [
    "x / y",
    'x{job="a"} / ignoring (job) y{job="b"}',
    "sum by (a, b) (x) / on (a) group_left () sum by (a) (y)",
    'x{job="a"} / y{job="a"}',
    "sum(x) / sum(y)",
  ]) {
    assert.equal(why(fine), undefined, fine);
  }
});

test("a querier knows which series there are, their types and how often they are scraped", async () => {
  const asked: string[] = [];
  const source: LintSource = {
    async exists(selector) {
      asked.push(selector);
      return !selector.includes("nosuch");
    },
    types: async () =>
      new Map([
        ["temperature_total", "gauge"],
        ["odd", "counter"],
        ["h", "histogram"],
      ]),
    scrapeInterval: async (metric) => (metric === "slow_total" ? 120_000 : 15_000),
  };
  const rules = [
    record('rate(temperature_total[5m]) + temperature_total{a="1"} offset 5m'),
    record("odd"),
    record("rate(h_count[30s])"),
    record("rate(slow_total[3m])"),
    record("nosuch + absent(nosuch2)"),
    record("l:m:o + ALERTS"),
  ];
  assert.deepEqual(await lint(rules.join(""), source), [
    "4 1 rate-of-gauge",
    "5 2 counter-without-rate",
    "7 4 rate-window",
    "8 5 missing-series",
  ]);
  assert.deepEqual(asked, ["temperature_total", 'temperature_total{a="1"}', "odd", "h_count", "slow_total", "nosuch"]);
});
