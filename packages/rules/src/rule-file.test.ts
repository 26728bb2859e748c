import assert from "node:assert/strict";
import {test} from "node:test";
import {parseRuleFile} from "./rule-file.ts";
import {ruleFileErrorText} from "./rule-file-error.ts";

const errors = (text: string): string[] => parseRuleFile("r.yml", text).errors.map(ruleFileErrorText);

test("a file is read with its defaults, group labels below those of rules", () => {
  const {groups, rules} = parseRuleFile(
    "r.yml",
    `groups:
- name: g
  interval: 30s
  query_offset: 1m
  limit: 5
  labels: {team: core, x: group}
  partial_response_strategy: WARN
  rules:
  - record: job:up:sum
    expr: sum   by(job)(up)
    labels: {x: own}
  - alert: Down
    expr: up == 0
    for: 1m30s
    keep_firing_for: 5m
    annotations: {summary: "{{ $labels.job }} down"}
`,
  );
  assert.equal(rules, 2);
  const [group] = groups;
  assert.ok(group);
  assert.deepEqual(
    [group.name, group.intervalMs, group.queryOffsetMs, group.limit, group.strategy],
    ["g", 30_000, 60_000, 5, "warn"],
  );
  const [record, alert] = group.rules;
  assert.equal(record?.query, "sum by (job) (up)");
  assert.equal(String(record?.labels), '{team="core", x="own"}');
  assert.ok(alert?.kind === "alerting");
  assert.deepEqual([alert.forMs, alert.keepFiringForMs, alert.line], [90_000, 300_000, 12]);
});

test("all errors are found at once, each with its place, group and rule", () => {
  assert.deepEqual(
    errors(`groups:
- name: a
  rules:
  - record: bad{name}
    expr: up
  - record: r
    alert: A
    expr: sum(
  - expr: up
  - record: r
    expr: up
    for: 5m
    annotations: {x: y}
- name: a
  interval: 5 minutes
  rules:
  - alert: T
    expr: up
    labels: {__name__: x}
    annotations:
      bad: "{{ nosuch }}"
    summary: x
- rules: []
`),
    [
      'r.yml: 4:13: group "a", rule 1, "bad{name}": braces present in the recording rule name; should it be in expr?: bad{name}',
      `r.yml: 6:13: group "a", rule 2, "A": only one of 'record' and 'alert' must be set`,
      'r.yml: 8:11: group "a", rule 2, "A": could not parse expression: 1:5: parse error: unclosed left parenthesis',
      `r.yml: 9:5: group "a", rule 3, "": one of 'record' or 'alert' must be set`,
      `r.yml: 10:13: group "a", rule 4, "r": invalid field 'annotations' in recording rule`,
      `r.yml: 10:13: group "a", rule 4, "r": invalid field 'for' in recording rule`,
      'r.yml: 14:3: groupname: "a" is repeated in the same file',
      'r.yml: 15:3: group "a": interval: unknown unit " minutes" in duration "5 minutes"',
      'r.yml: 22:5: group "a", rule 1, "T": field summary not found in type rulefmt.Rule',
      'r.yml: 19:13: group "a", rule 1, "T": invalid label name: __name__',
      'r.yml: 21:7: group "a", rule 1, "T": annotation "bad": template: __alert_T:1: function "nosuch" not defined',
      "r.yml: 23:3: Groupname must not be empty",
    ],
  );
});

test("what is no rule file is one clear error", () => {
  assert.deepEqual(errors(""), []);
  assert.match(errors("groups: [")[0] ?? "", /^r\.yml: 1:\d+: cannot read YAML/);
  assert.match(errors("groups: 5")[0] ?? "", /groups is not a list/);
  assert.match(errors("[1, 2]")[0] ?? "", /is not a mapping/);
  assert.match(errors("rules: []")[0] ?? "", /field rules not found in type rulefmt\.RuleGroups/);
});

test("texts are those of the file, or retyped as Thanos does", () => {
  const text = `groups:
- name: g
  rules:
  - alert: A
    expr: 1
    labels: {a: yes, b: 010, c: 1e3, d: 1.50, e: "yes", f: 0x10, g: ~, h: 1_000, i: off, j: plain}
`;
  const labels = (retypeScalars: boolean) =>
    parseRuleFile("r.yml", text, {retypeScalars}).groups[0]?.rules[0]?.labels.toObject();
  assert.deepEqual(labels(false), {
    a: "yes",
    b: "010",
    c: "1e3",
    d: "1.50",
    e: "yes",
    f: "0x10",
    h: "1_000",
    i: "off",
    j: "plain",
  });
  assert.deepEqual(labels(true), {
    a: "true",
    b: "8",
    c: "1000",
    d: "1.5",
    e: "yes",
    f: "16",
    h: "1000",
    i: "false",
    j: "plain",
  });
});

test("anchors, merges and further documents", () => {
  const file = parseRuleFile(
    "r.yml",
    `groups:
- name: g
  rules:
  - &base
    alert: A
    expr: up
    labels: &l {severity: page}
  - <<: *base
    alert: B
    labels: {<<: *l, team: x}
---
groups: []
`,
  );
  assert.deepEqual(file.errors, []);
  assert.deepEqual(
    file.groups[0]?.rules.map((rule) => [rule.name, rule.query, String(rule.labels)]),
    [
      ["A", "up", '{severity="page"}'],
      ["B", "up", '{severity="page", team="x"}'],
    ],
  );
  assert.match(file.warnings[0] ?? "", /only the first of 2 YAML documents/);
});
