import assert from "node:assert/strict";
import {writeFileSync} from "node:fs";
import {createServer} from "node:http";
import type {AddressInfo} from "node:net";
import {join} from "node:path";
import {type TestContext, test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {runStrata} from "../testing/run-strata.ts";

function files(t: TestContext, texts: Readonly<Record<string, string>>): string {
  const dir = tempDir(t);
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(dir, name), text);
  return dir;
}

const GOOD = 'groups: [{name: g, rules: [{record: "job:up:sum", expr: "sum by (job) (up)"}]}]\n';
const BAD = `groups:
- name: g
  rules:
  - record: r
    expr: sum(
  - alert: A
    expr: up
    annotations: {x: "{{ nosuch }}"}
`;
const SUSPECT = "groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]\n";

test("good files end with 0, and their rules are counted", async (t) => {
  const dir = files(t, {"a.yml": GOOD, "b.yml": GOOD});
  const {code, out, err} = await runStrata("tools", "rules-check", `--rules=${dir}/*.yml`);
  assert.equal(code, 0, err);
  assert.equal(out, "");
  assert.equal(err.match(/result=SUCCESS rulesfound=1/g)?.length, 2);
});

test("bad files end with 1, all errors named with their places; the others are still checked", async (t) => {
  const dir = files(t, {"a.yml": BAD, "b.yml": GOOD});
  const {code, err} = await runStrata("tools", "rules-check", `--rules=${dir}/*.yml`, `--rules=${dir}/none.yml`);
  assert.equal(code, 1);
  assert.match(err, /result=FAILED/);
  assert.match(err, /a\.yml: 5:11: group \\"g\\", rule 1, \\"r\\": could not parse expression: 1:5: parse error/);
  assert.match(err, /a\.yml: 8:18: group \\"g\\", rule 2, \\"A\\": annotation .*function .*nosuch.* not defined/);
  assert.match(err, /matching file not found/);
  assert.match(err, /result=SUCCESS rulesfound=1/);
  assert.match(err, /3 errors in rule files/);
});

test("manifests of kind PrometheusRule are read, any number in a file", async (t) => {
  const manifest = (expr: string): string =>
    `apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: m}\nspec: {groups: [{name: g, rules: [{record: r, expr: "${expr}"}]}]}\n`;
  const dir = files(t, {"a.yml": `kind: Service\n---\n${manifest("up")}---\n${manifest("sum(")}`});
  const {code, err} = await runStrata("tools", "rules-check", `--rules=${dir}/a.yml`);
  assert.equal(code, 1);
  assert.match(err, /a\.yml: 11:\d+: group \\"g\\", rule 1, \\"r\\": could not parse expression/);
});

test("lint ends with 3 when it finds something, in three forms", async (t) => {
  const dir = files(t, {"a.yml": SUSPECT});
  const lint = (...more: string[]) => runStrata("tools", "rules-check", `--rules=${dir}/a.yml`, "--lint", ...more);
  const text = await lint();
  assert.equal(text.code, 3, text.err);
  assert.match(text.out, /a\.yml:1: group "g", rule 1, "A": the alert has no `for`.* \[no-for\]\n$/);
  const json = JSON.parse((await lint("--output=json")).out) as Record<string, unknown>[];
  assert.deepEqual(
    json.map(({line, group, rule, name, check, severity}) => [line, group, rule, name, check, severity]),
    [[1, "g", 1, "A", "no-for", "warning"]],
  );
  const github = await lint("--output=github");
  assert.match(github.out, /^::warning file=.*a\.yml,line=1,title=A \(no-for\)::the alert has no `for`.*\n$/);
  assert.equal((await runStrata("tools", "rules-check", `--rules=${dir}/a.yml`)).code, 0);
});

test("lint asks a querier for series, types and scrape intervals", async (t) => {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://x");
    const answers: Record<string, unknown> = {
      "/p/api/v1/metadata": {memory_bytes: [{type: "gauge"}]},
      "/p/api/v1/series": url.searchParams.get("match[]") === "gone" ? [] : [{}],
      "/p/api/v1/query": {resultType: "vector", result: [{metric: {}, value: [1, "10"]}]},
    };
    response.end(JSON.stringify({status: "success", data: answers[url.pathname]}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const {port} = server.address() as AddressInfo;
  const dir = files(t, {
    "a.yml": 'groups: [{name: g, rules: [{record: "a:b:c", expr: "rate(memory_bytes[1m]) + gone"}]}]\n',
  });
  const query = `--query=127.0.0.1:${port}/p`;
  const {code, out, err} = await runStrata("tools", "rules-check", `--rules=${dir}/a.yml`, "--lint", query);
  assert.equal(code, 3, err);
  const checks = out
    .trim()
    .split("\n")
    .map((line) => /\[([a-z-]+)\]$/.exec(line)?.[1]);
  assert.deepEqual(checks, ["rate-window", "rate-of-gauge", "missing-series"]);
});
