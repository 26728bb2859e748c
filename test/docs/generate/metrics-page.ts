import {code, table} from "./markdown.ts";
import type {NotedMetric} from "./note-metrics.ts";
import type {MetricsOf} from "./running-components.ts";

/** docs/metrics.md: what each running component registered; what all have stands once, at the top. */
export function metricsPage(metrics: MetricsOf): string {
  const [first = [], ...rest] = [...metrics.values()];
  const everywhere = new Set(
    first.map(({name}) => name).filter((name) => rest.every((list) => list.some((metric) => metric.name === name))),
  );
  const parts = [
    "# Metrics",
    "",
    "Every metric of every component, written by `npm run docs` from what the running components register. Names, types and",
    "labels are those of Thanos and Prometheus where they have the metric. A histogram has `_bucket`, `_sum` and `_count`, a",
    "summary `_sum`, `_count` and a series for each `quantile`. A metric without series yet is not on `/metrics`.",
    "`strata standalone` has those of its parts.",
    "",
    "## Every component",
    "",
    ...rows(first.filter(({name}) => everywhere.has(name)).map((metric) => withAllLabels(metric, metrics))),
    "",
  ];
  for (const [component, list] of metrics) {
    const [base = "", variant] = component.split(", ");
    const known = new Set(everywhere);
    if (variant !== undefined) for (const {name} of metrics.get(base) ?? []) known.add(name);
    parts.push(`## ${component}`, "", ...rows(list.filter(({name}) => !known.has(name))), "");
  }
  return `${parts.join("\n").trimEnd()}\n`;
}

/** Components may have a label more, as those with tenants do. */
function withAllLabels(metric: NotedMetric, metrics: MetricsOf): NotedMetric {
  const same = [...metrics.values()].flat().filter(({name}) => name === metric.name);
  return {...metric, labels: [...new Set(same.flatMap(({labels}) => labels))]};
}

const rows = (list: readonly NotedMetric[]): string[] =>
  table(
    ["metric", "type", "labels", "what it says"],
    list.map(({name, type, labels, help}) => [code(name), type, labels.map(code).join(", "), help]),
  );

/** The names on the page with their types: what dashboards, rules and pages may use. */
export function metricsOnPage(page: string): Map<string, string> {
  return new Map(
    [...page.matchAll(/^\| `([a-zA-Z_:][\w:]*)` \| (\w+) \|/gm)].map(([, name = "", type = ""]) => [name, type]),
  );
}

/** Names as series have them: with the suffixes of histograms and summaries. */
export function seriesNames(metrics: ReadonlyMap<string, string>): Set<string> {
  return new Set(
    [...metrics].flatMap(([name, type]) => {
      if (type === "histogram") return [`${name}_bucket`, `${name}_sum`, `${name}_count`];
      return type === "summary" ? [name, `${name}_sum`, `${name}_count`] : [name];
    }),
  );
}
