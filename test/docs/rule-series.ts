import {readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {repoRoot} from "@strata/base/testing";
import type {Matcher} from "@strata/model";
import {type Expr, parseExpr, type VectorSelector, walk} from "@strata/promql";
import {parse} from "yaml";
import type {MetricsOf} from "./generate/running-components.ts";

export type Rule = {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};

/** The folder of recording rules and alerts about Strata. */
export const RULES = "deploy/monitoring/rules";
/** The folder of their unit tests. */
export const RULE_TESTS = "deploy/monitoring/tests";
export const ruleFiles = readdirSync(join(repoRoot, RULES)).map((name) => `${RULES}/${name}`);

export const readRules = (): readonly Rule[] =>
  ruleFiles.flatMap((path) => {
    const {groups} = parse(readFileSync(join(repoRoot, path), "utf8")) as {groups: {rules: Rule[]}[]};
    return groups.flatMap((group) => group.rules);
  });

type Series = {readonly name: string; readonly labels: ReadonlyMap<string, string>};

/** Labels that scraping adds. */
const SCRAPED = ["job", "instance"];
/** Labels whose values come with what happens: a failure, a code, a tenant. */
const LATER = new Set(["code", "grpc_code", "result"]);
/** Counters that have a series only once they count, and go on counting as long as there is reason for the alert. */
const COUNT_ON = new Set(["thanos_receive_head_series_limited_requests_total"]);

/**
 * What rules ask for and nobody shows: labels that a metric has not, label values that no series has, and counters whose
 * first increase would not be seen because they have no series before it.
 */
export function ruleProblems(
  rules: readonly Rule[],
  metrics: MetricsOf,
  expositions: readonly string[],
): readonly string[] {
  const shown = expositions.flatMap((text) => text.split("\n").flatMap(seriesOf));
  const records = new Set(rules.flatMap(({record}) => record ?? []));
  const problems: string[] = [];
  for (const {alert, record, expr} of rules) {
    walk(parseExpr(expr), (node, parents) => {
      if (node.kind !== "vector") return true;
      const name = nameOf(node);
      if (name === "up" || records.has(name)) return true;
      const series = shown.filter((one) => one.name === name);
      const known = new Set([
        ...SCRAPED,
        ...labelsOf(name, metrics),
        ...series.flatMap(({labels}) => [...labels.keys()]),
      ]);
      const where = `${alert ?? record}: ${name}`;
      for (const label of [...node.matchers.map((matcher) => matcher.name), ...groupings(parents)])
        if (label !== "__name__" && !known.has(label)) problems.push(`${where} has no label ${label}`);
      const matchers = node.matchers.filter((matcher) => matcher.name !== "__name__" && !LATER.has(matcher.name));
      const found = series.filter(({labels}) => matchers.every((matcher) => matches(matcher, labels)));
      const isNeeded = matchers.length > 0 || isFirstIncrease(parents);
      if (isNeeded && found.length === 0 && !COUNT_ON.has(name))
        problems.push(`${where} has no such series at the start`);
      return true;
    });
  }
  return [...new Set(problems)];
}

const nameOf = ({matchers}: VectorSelector): string => matchers.find(({name}) => name === "__name__")?.value ?? "";

const matches = (matcher: Matcher, labels: ReadonlyMap<string, string>): boolean =>
  matcher.matches(labels.get(matcher.name) ?? "");

/** Whether any increase at all, the first included, is what the alert waits for: `increase(…) > 0`. */
const isFirstIncrease = (parents: readonly Expr[]): boolean =>
  parents.some((node) => node.kind === "call" && node.func.name === "increase");

/** Labels that aggregations around a selector group by, but for those that they make themselves. */
function groupings(parents: readonly Expr[]): readonly string[] {
  const made = parents.flatMap((node) =>
    node.kind === "aggregate" && node.param?.kind === "string" ? [node.param.value] : [],
  );
  const by = parents.flatMap((node) => (node.kind === "aggregate" && !node.without ? node.grouping : []));
  return by.filter((label) => !made.includes(label));
}

/** Labels with which components register a metric. */
function labelsOf(name: string, metrics: MetricsOf): readonly string[] {
  const base = name.replace(/_(bucket|sum|count)$/, "");
  const found = [...metrics.values()].flat().filter((metric) => metric.name === name || metric.name === base);
  return [...found.flatMap(({labels}) => labels), ...(name.endsWith("_bucket") ? ["le"] : [])];
}

/** The series of a line of the text format; none for comments. */
function seriesOf(line: string): readonly Series[] {
  const [, name, labels = ""] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? /.exec(line) ?? [];
  if (name === undefined) return [];
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(
    ([, key = "", value = ""]) => [key, value] as const,
  );
  return [{name, labels: new Map(pairs)}];
}
