import assert from "node:assert/strict";
import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {runRuleTestFile} from "./run-file.ts";

const RULES = `groups:
- name: disks
  rules:
  - record: disk:used:ratio
    expr: disk_used_bytes / disk_size_bytes
  - alert: DiskFull
    expr: disk:used:ratio > 0.9
    for: 2m
    labels: {severity: page}
    annotations: {text: "{{ $labels.disk }} of {{ $externalLabels.site }} is {{ $value | humanizePercentage }} full"}
- name: latency
  rules:
  - record: calls:rate2m
    expr: rate(calls[2m])
  - record: product
    expr: left * on (side) right
`;

/** Runs a test file beside the rules above. */
async function run(t: TestContext, text: string, more: {run?: (name: string) => boolean} = {}): Promise<string[]> {
  const dir = tempDir(t);
  writeFileSync(join(dir, "rules.yml"), RULES);
  writeFileSync(join(dir, "test.yml"), text);
  const options = {features: {parse: {}, engine: {}}, ignoreUnknownFields: false, warn: assert.fail, run: more.run};
  return runRuleTestFile(join(dir, "test.yml"), options, t.signal);
}

const FILE = (tests: string): string => `rule_files: ["*les.yml"]\nevaluation_interval: 1m\ntests:\n${tests}`;

const DISKS = `
- name: a disk fills up
  interval: 1m
  external_labels: {site: attic}
  input_series:
  - {series: 'disk_used_bytes{disk="a"}', values: "50 92+1x8"}
  - {series: 'disk_size_bytes{disk="a"}', values: 100x9}
  alert_rule_test:
  - {eval_time: 2m, alertname: DiskFull, exp_alerts: []}
  - eval_time: 4m30s
    alertname: DiskFull
    exp_alerts:
    - exp_labels: {severity: page, disk: a}
      exp_annotations: {text: a of attic is 95% full}
  promql_expr_test:
  - expr: disk:used:ratio
    eval_time: 3m
    exp_samples: [{labels: 'disk:used:ratio{disk="a"}', value: 0.94}]
  - expr: count_over_time(ALERTS{alertstate="pending"}[5m])
    eval_time: 5m
    exp_samples: [{labels: '{alertname="DiskFull", alertstate="pending", disk="a", severity="page"}', value: 2}]
`;

test("rules are evaluated step by step, alerts looked at in between, expressions at the end", async (t) => {
  assert.deepEqual(await run(t, FILE(DISKS)), []);
});

test("what does not hold is told with what was expected and what came", async (t) => {
  const wrong = DISKS.replace("is 95% full", "is fine").replace("value: 0.94", "value: 0.5");
  assert.deepEqual(await run(t, FILE(wrong)), [
    `    name: a disk fills up,
    alertname: DiskFull, time: 4m30s, 
        exp:[
            0:
              Labels:{alertname="DiskFull", disk="a", severity="page"}
              Annotations:{text="a of attic is fine"}
            ], 
        got:[
            0:
              Labels:{alertname="DiskFull", disk="a", severity="page"}
              Annotations:{text="a of attic is 95% full"}
            ]`,
    `    expr: "disk:used:ratio", time: 3m,
        exp: {__name__="disk:used:ratio", disk="a"} 5E-01
        got: {__name__="disk:used:ratio", disk="a"} 9.4E-01`,
  ]);
});

test("histograms go in, through rules, and are compared in the notation of the tests", async (t) => {
  const tests = (count: number): string => `
- interval: 1m
  start_timestamp: 2026-01-01T00:00:00Z
  input_series:
  - {series: calls, values: "{{count:10 sum:5 buckets:[4 6]}}+{{count:60 sum:60 buckets:[30 30]}}x3"}
  promql_expr_test:
  - expr: calls:rate2m
    eval_time: 2m
    exp_samples: [{labels: calls:rate2m, histogram: "{{count:${count} sum:1 counter_reset_hint:gauge buckets:[0.5 0.5]}}"}]
  - {expr: time(), eval_time: 1m, exp_samples: [{value: 1767225660}]}
`;
  assert.deepEqual(await run(t, FILE(tests(1))), []);
  const [failure, ...others] = await run(t, FILE(tests(2)));
  assert.deepEqual(others, []);
  assert.match(
    failure ?? "",
    /exp: .*\{\{count:2 sum:1 .*\n.*got: .*\{\{count:1 sum:1 counter_reset_hint:gauge buckets:\[0\.5 0\.5\]\}\}/,
  );
});

test("values are read as they are written, not as numbers of YAML", async (t) => {
  const tests = `
- input_series: [{series: up, values: 0x3}]
  promql_expr_test: [{expr: "count_over_time(up[10m])", eval_time: 5m, exp_samples: [{labels: "{}", value: 4}]}]
`;
  assert.deepEqual(await run(t, FILE(tests)), []);
});

test("only wanted groups run; a rule that fails ends its group", async (t) => {
  const clash = `
- name: clash
  input_series:
  - {series: 'left{side="a"}', values: 1x5}
  - {series: 'right{side="a", n="1"}', values: 1x5}
  - {series: 'right{side="a", n="2"}', values: 1x5}
  promql_expr_test: [{expr: up, eval_time: 0m}]
`;
  const failures = await run(t, FILE(DISKS + clash));
  assert.equal(failures.length, 1);
  assert.match(failures[0] ?? "", /^ {4}rule: product, time: 0s, err: found duplicate series/);
  assert.deepEqual(await run(t, FILE(DISKS + clash), {run: (name) => name !== "clash"}), []);
});

test("files that cannot be read say where", async (t) => {
  const f = async (text: string, want: RegExp) => assert.match((await run(t, text)).join("\n"), want);
  await f("tests: [{nam: x}]", /field nam not found in tests\[0\]/);
  await f("tests: [{interval: soon}]", /cannot read tests\[0\]\.interval: /);
  await f("tests: {}", /cannot read tests: want a list/);
  await f("group_eval_order: [a, b, a]", /group name repeated in evaluation order: a/);
  await f("tests: [{alert_rule_test: [{eval_time: 1m}]}]", /misses required attribute alertname at eval_time 1m/);
  await f("tests: [{input_series: [{series: 'up{', values: 1}]}]", /up\{/);
  await f("rule_files: [test.yml]", /test\.yml: 1:1: /);
  await f(FILE("- {promql_expr_test: [{expr: sum(, eval_time: 1m}]}"), /err: 1:5: parse error/);
});
