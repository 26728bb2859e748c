/** One query of the comparison: `range` in ms makes it a range query that ends at the given time. */
export type Case = {readonly query: string; readonly range?: number; readonly step?: number};

const HOUR = 3_600_000;

/** Forty queries over the made history: instant ones and ranges of one hour up to the whole of it. */
export const historyQueries: readonly Case[] = [
  {query: "node_load1"},
  {query: "http_requests_total"},
  {query: 'sum(http_requests_total{code=~"4..|5.."})'},
  {query: "sum by (job) (rate(http_requests_total[5m]))"},
  {query: "count by (__name__) ({__name__=~'.+'})"},
  {query: "topk(3, rate(http_requests_total[10m]))"},
  {query: "histogram_quantile(0.9, sum by (le) (rate(request_duration_seconds_bucket[10m])))"},
  {query: "max_over_time(node_load1[1h])"},
  {query: 'absent(node_load1{instance="none"})'},
  {query: "increase(http_requests_total[3h])"},
  {query: "node_memory_free_bytes offset 1d"},
  {query: "quantile_over_time(0.5, temperature_celsius[2h:7m])"},
  {query: "node_load1", range: HOUR, step: 60_000},
  {query: "http_requests_total", range: 2 * HOUR, step: 60_000},
  {query: "sum by (job) (rate(http_requests_total[5m]))", range: 6 * HOUR, step: 60_000},
  {query: "sum by (job, code) (rate(http_requests_total[5m]))", range: 24 * HOUR, step: 300_000},
  {query: "sum(irate(http_requests_total[5m]))", range: 6 * HOUR, step: 120_000},
  {query: "increase(http_requests_total[1h])", range: 70 * HOUR, step: HOUR},
  {query: "resets(http_requests_total[6h])", range: 70 * HOUR, step: HOUR},
  {query: "delta(node_memory_free_bytes[30m])", range: 24 * HOUR, step: 600_000},
  {query: "deriv(node_load1[30m])", range: 12 * HOUR, step: 600_000},
  {query: "avg_over_time(node_load1[10m])", range: 24 * HOUR, step: 300_000},
  {query: "min_over_time(temperature_celsius[15m])", range: 24 * HOUR, step: 300_000},
  {query: "max_over_time(node_load1[1h])", range: 70 * HOUR, step: HOUR},
  {query: "sum_over_time(node_load1[20m])", range: 12 * HOUR, step: 300_000},
  {query: "count_over_time(node_load1[20m])", range: 70 * HOUR, step: HOUR},
  {query: "stddev_over_time(node_load1[30m])", range: 12 * HOUR, step: 600_000},
  {query: "last_over_time(node_load1[3h])", range: 24 * HOUR, step: 1_800_000},
  {query: "changes(node_load1[1h])", range: 24 * HOUR, step: 1_800_000},
  {query: "avg by (job) (node_load1)", range: 24 * HOUR, step: 300_000},
  {query: "stddev(node_load1)", range: 12 * HOUR, step: 300_000},
  {query: "quantile(0.75, node_memory_free_bytes)", range: 12 * HOUR, step: 300_000},
  {query: "bottomk(2, node_load1)", range: 6 * HOUR, step: 300_000},
  {query: "max without (instance) (node_load1) - min without (instance) (node_load1)", range: 24 * HOUR, step: 300_000},
  {
    query: 'sum by (job) (rate(http_requests_total{code="500"}[10m])) / sum by (job) (rate(http_requests_total[10m]))',
    range: 24 * HOUR,
    step: 300_000,
  },
  {query: "node_load1 > 1 and node_memory_free_bytes > 0", range: 12 * HOUR, step: 300_000},
  {query: "node_load1 > bool 1", range: 12 * HOUR, step: 300_000},
  {query: "clamp_max(abs(temperature_celsius), 20) * 2 ^ 0.5", range: 12 * HOUR, step: 300_000},
  {query: "max_over_time(sum by (job) (rate(http_requests_total[5m]))[1h:5m])", range: 12 * HOUR, step: 900_000},
  {
    query: "histogram_quantile(0.95, sum by (le, instance) (rate(request_duration_seconds_bucket[15m])))",
    range: 24 * HOUR,
    step: 600_000,
  },
];

/** Queries over what Prometheus scrapes while the test runs. */
export const liveQueries: readonly Case[] = [
  {query: "up"},
  {query: "sum by (handler) (prometheus_http_requests_total)"},
  {query: "count({job='prometheus'})"},
  {query: "prometheus_tsdb_head_samples_appended_total", range: 10_000, step: 1000},
  {query: "sum by (job) (scrape_samples_scraped)", range: 10_000, step: 1000},
];
