import assert from "node:assert/strict";
import {FLEET_END} from "./fleet.ts";

/** A query over the last `hours` of a fleet; an instant query where `step` is 0. */
export type Query = {readonly name: string; readonly hours: number; readonly step: number; readonly expr: string};

/** What dashboards ask for, from one instant to everything there is. */
export const QUERIES: readonly Query[] = [
  {name: "sum of rates, 24 h", hours: 24, step: 60, expr: "sum by (job) (rate(http_requests_total[5m]))"},
  {name: "sum of rates, now", hours: 0, step: 0, expr: "sum by (job) (rate(http_requests_total[5m]))"},
  {name: "sum of rates, 1 h", hours: 1, step: 15, expr: "sum by (job) (rate(http_requests_total[5m]))"},
  {name: "sum of rates, 6 h", hours: 6, step: 30, expr: "sum by (job, code) (rate(http_requests_total[5m]))"},
  {
    name: "histogram quantile, 6 h",
    hours: 6,
    step: 60,
    expr: "histogram_quantile(0.99, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m])))",
  },
  {name: "raw gauges, 24 h", hours: 24, step: 120, expr: "node_load1"},
  {
    name: "max over time, 24 h",
    hours: 24,
    step: 300,
    expr: "max by (namespace) (max_over_time(node_memory_MemAvailable_bytes[1h]))",
  },
  {
    name: "error ratio, 24 h",
    hours: 24,
    step: 120,
    expr: 'sum by (job) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (job) (rate(http_requests_total[5m]))',
  },
  {
    name: "topk, 6 h",
    hours: 6,
    step: 60,
    expr: 'topk(5, sum by (pod) (rate(node_cpu_seconds_total{mode!="idle"}[5m])))',
  },
  {name: "count of everything, 24 h", hours: 24, step: 300, expr: 'count({__name__=~".+"})'},
];

/** The body of a query's answer. */
export async function ask(
  url: string,
  {hours, step, expr}: Query,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const end = FLEET_END / 1000 - 1;
  const params =
    step === 0
      ? {query: expr, time: String(end)}
      : {query: expr, start: String(end + 1 - hours * 3600), end: String(end), step: String(step)};
  const path = step === 0 ? "query" : "query_range";
  const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams({...params, ...more})}`, {
    headers: {"accept-encoding": "identity"},
  });
  const body = await response.text();
  assert.equal(response.status, 200, body);
  return body;
}
