import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {join} from "node:path";
import {after, describe, test} from "node:test";
import {anySkip, repoRoot, requireTool} from "@strata/base/testing";
import {listCommands} from "@strata/strata/docs";
import {panelRules} from "./dashboards.ts";
import {flagsPage} from "./generate/flags-page.ts";
import {metricsPage} from "./generate/metrics-page.ts";
import {metricsOfComponents, type RunningComponents} from "./generate/running-components.ts";
import {readRules, ruleProblems} from "./rule-series.ts";

const page = (name: string): string => readFileSync(join(repoRoot, "docs", name), "utf8");

/** Lines that one text has and the other has not: a whole page as a difference would help nobody. */
function assertSame(file: string, want: string): void {
  const [have, wanted] = [new Set(page(file).split("\n")), new Set(want.split("\n"))];
  const stale = [...have].filter((line) => !wanted.has(line)).map((line) => `- ${line}`);
  const missing = [...wanted].filter((line) => !have.has(line)).map((line) => `+ ${line}`);
  assert.deepEqual([...stale, ...missing], [], `docs/${file} is stale: npm run docs writes it anew`);
  assert.equal(page(file), want, `docs/${file} is stale: npm run docs writes it anew`);
}

test("docs/flags.md is what the flag tables say", async () => {
  assertSame("flags.md", flagsPage(await listCommands()));
});

const tools = anySkip(requireTool("prometheus"), requireTool("redis-server"), requireTool("memcached"));

describe("running components", {skip: tools}, () => {
  let running: Promise<RunningComponents> | undefined;
  const cleanups: (() => unknown)[] = [];
  const started = () => (running ??= metricsOfComponents({after: (cleanup) => void cleanups.push(cleanup)}));
  after(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  test("docs/metrics.md is what they register", async () => {
    assertSame("metrics.md", metricsPage((await started()).metrics));
  });

  test("they show what rules and dashboards select and group by", async () => {
    const {metrics, expositions} = await started();
    assert.deepEqual(ruleProblems(readRules(), metrics, expositions), []);
    // Dashboards may ask for what comes with use.
    const problems = ruleProblems(panelRules(), metrics, expositions);
    assert.deepEqual(
      problems.filter((problem) => problem.includes(" has no label ")),
      [],
    );
  });
});

test("rules that ask for what nobody shows are found", () => {
  const metrics = new Map([["store", [{name: "a_total", type: "counter", help: "", labels: ["part"]}]]]);
  const f = (expr: string, want: readonly string[], exposition = 'a_total{part="index"} 0\n'): void =>
    assert.deepEqual(ruleProblems([{alert: "A", expr}], metrics, [exposition]), want);
  const absent = ["A: a_total has no such series at the start"];
  f("increase(a_total[5m]) > 0", []);
  f("increase(a_total[5m]) > 0", absent, "");
  f('rate(a_total{part="index"}[5m]) > 0', []);
  f('rate(a_total{part="chunk"}[5m]) > 0', absent);
  f("sum by (job, tenant) (rate(a_total[5m])) > 0", ["A: a_total has no label tenant"]);
  f('count by (part, n) (count_values by (part) ("n", a_total)) > 1', []);
});
