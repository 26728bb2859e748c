import type {Registry} from "@strata/telemetry";

/** Which pipeline a request goes through; the label `tripperware`. */
export type Tripperware = "query_range" | "query_instant" | "labels";

const EACH: readonly {tripperware: Tripperware}[] = [
  {tripperware: "query_range"},
  {tripperware: "query_instant"},
  {tripperware: "labels"},
];
const OPS = ["query", "query_range", "label_names", "label_values", "series"];

export type FrontendMetrics = ReturnType<typeof frontendMetrics>;

export const frontendMetrics = (r: Registry) => ({
  queries: r.counter({
    name: "thanos_query_frontend_queries_total",
    help: "Requests by what they ask for.",
    labels: ["op"],
    preset: OPS.map((op) => ({op})),
  }),
  split: r.counter({
    name: "thanos_frontend_split_queries_total",
    help: "Parts that requests were split into.",
    labels: ["tripperware"],
    preset: EACH,
  }),
  downsampled: r.counter({
    name: "thanos_frontend_downsampled_extra_queries_total",
    help: "Requests for coarser data made in addition.",
    labels: ["tripperware"],
    preset: [{tripperware: "query_range"}],
  }),
  sharding: r.counter({
    name: "thanos_frontend_sharding_middleware_queries_total",
    help: "Queries by whether they could be sharded.",
    labels: ["shardable", "tripperware"],
    preset: (["query_range", "query_instant"] as const).flatMap((tripperware) =>
      ["true", "false"].map((shardable) => ({shardable, tripperware})),
    ),
  }),
  retries: r.histogram({
    name: "cortex_query_frontend_retries",
    help: "How often a request was asked again.",
    labels: ["tripperware"],
    buckets: [0, 1, 2, 3, 4, 5],
    preset: EACH,
  }),
  stageSeconds: r.histogram({
    name: "cortex_frontend_query_range_duration_seconds",
    help: "Time spent in each stage of a pipeline.",
    labels: ["method", "status_code", "tripperware"],
  }),
  shared: r.counter({
    name: "strata_frontend_shared_requests_total",
    help: "Requests downstream that an equal one under way answered, too.",
  }),
});
