// What the dashboards show. Every metric here has to be on docs/metrics.md, which a test looks at.
import {badFrom, dashboard, goodFrom, lines, number, quantile, rate, rows, share} from "./dashboard-form.mjs";

const RED_5XX = 'code=~"5.."';
const GRPC_BAD = 'grpc_code=~"Unknown|ResourceExhausted|Internal|Unavailable|DataLoss"';

/** What every process has. */
const process = (memoryNote = "Resident memory of the process.") => [
  "Process",
  lines("Memory", "bytes", [["process_resident_memory_bytes{$on}", "{{instance}}"]], {description: memoryNote}),
  lines("CPU", "short", [[rate("process_cpu_seconds_total", "$on", "instance"), "{{instance}}"]], {
    description: "Cores in use.",
  }),
  lines("Event loop busy", "percentunit", [["nodejs_eventloop_utilization{$on}", "{{instance}}"]], {
    max: 1,
    description: "Near 1 the main thread is the bottleneck: probes and metrics come late.",
  }),
];

/** Requests, errors and durations of an HTTP API. */
const http = (title, handlers) => {
  const on = `$on,handler=~"${handlers}"`;
  return [
    title,
    lines("Requests", "reqps", [[rate("http_requests_total", on, "handler, code"), "{{handler}} {{code}}"]]),
    lines("Errors", "percentunit", [
      [
        share(rate("http_requests_total", `${on},${RED_5XX}`, "handler"), rate("http_requests_total", on, "handler")),
        "{{handler}}",
      ],
    ]),
    lines("Duration", "s", [
      [quantile(0.5, "http_request_duration_seconds", on, "handler"), "{{handler}} p50"],
      [quantile(0.99, "http_request_duration_seconds", on, "handler"), "{{handler}} p99"],
    ]),
  ];
};

const grpc = (side) => {
  const name = `grpc_${side}`;
  return [
    side === "server" ? "gRPC answered" : "gRPC asked of endpoints",
    lines("Calls", "reqps", [
      [rate(`${name}_handled_total`, "$on", "grpc_method, grpc_code"), "{{grpc_method}} {{grpc_code}}"],
    ]),
    lines("Errors", "percentunit", [
      [
        share(
          rate(`${name}_handled_total`, `$on,${GRPC_BAD}`, "grpc_method"),
          rate(`${name}_started_total`, "$on", "grpc_method"),
        ),
        "{{grpc_method}}",
      ],
    ]),
    lines("Duration", "s", [
      [quantile(0.5, `${name}_handling_seconds`, "$on", "grpc_method"), "{{grpc_method}} p50"],
      [quantile(0.99, `${name}_handling_seconds`, "$on", "grpc_method"), "{{grpc_method}} p99"],
    ]),
  ];
};

const bucket = [
  "Object storage",
  lines("Operations", "ops", [[rate("thanos_objstore_bucket_operations_total", "$on", "operation"), "{{operation}}"]]),
  lines("Failures", "percentunit", [
    [
      share(
        rate("thanos_objstore_bucket_operation_failures_total", "$on", "operation"),
        rate("thanos_objstore_bucket_operations_total", "$on", "operation"),
      ),
      "{{operation}}",
    ],
  ]),
  lines("Duration, p99", "s", [
    [quantile(0.99, "thanos_objstore_bucket_operation_duration_seconds", "$on", "operation"), "{{operation}}"],
  ]),
];

const shipping = [
  "Upload of blocks",
  lines(
    "Blocks uploaded",
    "short",
    [["sum by (instance) (increase(thanos_shipper_uploads_total{$on}[1h]))", "{{instance}}"]],
    {
      description: "In the last hour; a block every two hours for each tenant or Prometheus is usual.",
    },
  ),
  lines("Failures", "short", [
    ["sum by (instance) (increase(thanos_shipper_upload_failures_total{$on}[1h]))", "{{instance}} uploads"],
    ["sum by (instance) (increase(thanos_shipper_dir_sync_failures_total{$on}[1h]))", "{{instance}} rounds"],
  ]),
  number(
    "Since the last upload",
    "s",
    [["time() - max(thanos_objstore_bucket_last_successful_upload_time{$on} > 0)"]],
    badFrom(4 * 3600),
  ),
];

const overview = dashboard({
  uid: "strata-overview",
  title: "Strata / Overview",
  description: "Is it well, and what does it cost: all components on one page.",
  sections: [
    [
      "Health",
      number("Ready", "short", [['sum(thanos_status{$on,check="ready"})']], {width: 4}),
      number("Not ready", "short", [['count(thanos_status{$on,check="ready"} == 0) or vector(0)']], {
        width: 4,
        ...badFrom(1),
      }),
      number(
        "Endpoints of queriers",
        "short",
        [["min(sum by (instance) (thanos_store_nodes_grpc_connections{$on}))"]],
        {width: 4, ...goodFrom(1)},
      ),
      number("Blocks served", "short", [["sum(thanos_bucket_store_blocks_loaded{$on})"]], {width: 4}),
      number("Series in heads", "short", [["sum(prometheus_tsdb_head_series{$on})"]], {width: 4}),
      number(
        "Blocks set aside",
        "short",
        [["sum(increase(strata_compact_quarantined_blocks_total{$on}[1d])) or vector(0)"]],
        {width: 4, ...badFrom(1)},
      ),
    ],
    [
      "Reading and writing",
      lines("Queries", "reqps", [
        [
          rate("http_requests_total", '$on,handler=~"query|query_range|query_batch"', "handler, code"),
          "{{handler}} {{code}}",
        ],
      ]),
      lines("Range queries, p99", "s", [
        [quantile(0.99, "http_request_duration_seconds", '$on,handler="query_range"', "job"), "{{job}}"],
      ]),
      lines("Samples written", "short", [
        [rate("prometheus_tsdb_head_samples_appended_total", "$on", "job"), "{{job}}"],
      ]),
    ],
    [
      "Cost",
      lines("Memory by component", "bytes", [["sum by (job) (process_resident_memory_bytes{$on})", "{{job}}"]], {
        stack: true,
      }),
      lines("CPU by component", "short", [[rate("process_cpu_seconds_total", "$on", "job"), "{{job}}"]], {stack: true}),
      lines("Failed bucket operations", "ops", [
        [rate("thanos_objstore_bucket_operation_failures_total", "$on", "job, operation"), "{{job}} {{operation}}"],
      ]),
    ],
    [
      "Versions",
      rows("What runs where", "short", [["count by (job, version, revision, goversion) (thanos_build_info{$on})"]], {
        width: 24,
      }),
    ],
  ],
});

const query = dashboard({
  uid: "strata-query",
  title: "Strata / Query",
  component: "query",
  description: "The querier: its API, the queries it runs, the endpoints it asks.",
  sections: [
    http("Instant, range and batched queries", "query|query_range|query_batch"),
    [
      "Queries under way",
      lines("Running, and the most that may", "short", [
        ["thanos_query_concurrent_gate_queries_in_flight{$on}", "{{instance}} running"],
        ["max(thanos_query_concurrent_gate_queries_max{$on})", "limit"],
      ]),
      lines(
        "Waiting for their turn, p99",
        "s",
        [[quantile(0.99, "thanos_query_concurrent_gate_queries_duration_seconds", "$on", "instance"), "{{instance}}"]],
        {
          description:
            "Above a second: raise --query.max-concurrent, add a querier, or look for the query that holds the places.",
        },
      ),
      lines("Endpoints that answer", "short", [
        ["sum by (instance, store_type) (thanos_store_nodes_grpc_connections{$on})", "{{instance}} {{store_type}}"],
      ]),
    ],
    grpc("client"),
    http("Series and labels", "series|label_names|label_values"),
    [
      "DNS",
      lines("Lookups that failed", "percentunit", [
        [
          share(
            rate("thanos_query_endpoints_dns_failures_total", "$on", "instance"),
            rate("thanos_query_endpoints_dns_lookups_total", "$on", "instance"),
          ),
          "{{instance}}",
        ],
      ]),
      lines("Series calls broken off", "short", [
        [rate("thanos_store_selects_dropped_total", "$on", "reason"), "{{reason}}"],
      ]),
    ],
    process("The main thread and all query threads together. A query's buffers are counted and bounded."),
  ],
});

const frontend = dashboard({
  uid: "strata-query-frontend",
  title: "Strata / Query frontend",
  component: "query-frontend",
  description: "The front end: what is split, sharded, cached and asked again.",
  sections: [
    [
      "Requests",
      lines("By what they ask for", "reqps", [[rate("thanos_query_frontend_queries_total", "$on", "op"), "{{op}}"]]),
      lines("Errors", "percentunit", [
        [
          share(
            rate("http_requests_total", `$on,handler="query-frontend",${RED_5XX}`, "instance"),
            rate("http_requests_total", '$on,handler="query-frontend"', "instance"),
          ),
          "{{instance}}",
        ],
      ]),
      lines("Duration", "s", [
        [quantile(0.5, "http_request_duration_seconds", '$on,handler="query-frontend"', ""), "p50"],
        [quantile(0.99, "http_request_duration_seconds", '$on,handler="query-frontend"', ""), "p99"],
      ]),
    ],
    [
      "Results cache",
      lines(
        "Hits",
        "percentunit",
        [
          [
            share(
              rate("cortex_cache_hits_total", "$on", "tripperware"),
              rate("cortex_cache_fetched_keys_total", "$on", "tripperware"),
            ),
            "{{tripperware}}",
          ],
        ],
        {max: 1},
      ),
      lines("Size in memory", "bytes", [
        ["sum by (instance, cache) (querier_cache_memory_bytes{$on})", "{{instance}} {{cache}}"],
      ]),
      lines("Put in, and had to go", "ops", [
        [rate("querier_cache_added_new_total", "$on", "cache"), "{{cache}} added"],
        [rate("querier_cache_evicted_total", "$on", "cache"), "{{cache}} evicted"],
      ]),
    ],
    [
      "Downstream",
      lines("Parts by split", "reqps", [
        [rate("thanos_frontend_split_queries_total", "$on", "tripperware"), "{{tripperware}}"],
      ]),
      lines("Could be sharded", "reqps", [
        [rate("thanos_frontend_sharding_middleware_queries_total", "$on", "shardable"), "{{shardable}}"],
      ]),
      lines(
        "Asked again",
        "short",
        [
          [
            `${rate("cortex_query_frontend_retries_sum", "$on", "tripperware")} / ${rate("cortex_query_frontend_retries_count", "$on", "tripperware")}`,
            "{{tripperware}}",
          ],
        ],
        {
          description: "Retries a request; above 0 the querier behind fails or does not answer.",
        },
      ),
      lines("Shared with an equal request", "reqps", [
        [rate("strata_frontend_shared_requests_total", "$on", "instance"), "{{instance}}"],
      ]),
      lines("Damaged cache values", "ops", [[rate("strata_frontend_cache_damaged_total", "$on", "name"), "{{name}}"]]),
      lines("Coarser data asked for", "reqps", [
        [rate("thanos_frontend_downsampled_extra_queries_total", "$on", "tripperware"), "{{tripperware}}"],
      ]),
    ],
    process(),
  ],
});

const store = dashboard({
  uid: "strata-store",
  title: "Strata / Store gateway",
  component: "store",
  description: "The store gateway: blocks, Series calls, caches, the bucket.",
  sections: [
    [
      "Blocks",
      lines("Served", "short", [["thanos_bucket_store_blocks_loaded{$on}", "{{instance}}"]]),
      lines("Could not be loaded", "short", [
        ["sum by (instance) (increase(thanos_bucket_store_block_load_failures_total{$on}[1h]))", "{{instance}}"],
      ]),
      lines(
        "Parts that could not be read",
        "short",
        [["sum by (part) (increase(strata_bucket_store_read_failures_total{$on}[1h]))", "{{part}}"]],
        {
          description: "Damaged or missing parts of blocks, found while answering.",
        },
      ),
    ],
    grpc("server"),
    [
      "Series calls",
      lines("Waiting for their turn, p99", "s", [
        [quantile(0.99, "thanos_bucket_store_series_gate_queries_duration_seconds", "$on", "instance"), "{{instance}}"],
      ]),
      lines("Blocks a call", "short", [
        [quantile(0.99, "thanos_bucket_store_series_blocks_queried", "$on", ""), "p99"],
        [quantile(0.5, "thanos_bucket_store_series_blocks_queried", "$on", ""), "p50"],
      ]),
      lines("Series a call", "short", [
        [quantile(0.99, "thanos_bucket_store_series_result_series", "$on", ""), "p99"],
        [quantile(0.5, "thanos_bucket_store_series_result_series", "$on", ""), "p50"],
      ]),
      lines("Bytes fetched", "Bps", [
        [rate("thanos_bucket_store_series_data_size_fetched_bytes_sum", "$on", "data_type"), "{{data_type}}"],
      ]),
      lines("Where time goes", "s", [
        [quantile(0.99, "thanos_bucket_store_series_get_all_duration_seconds", "$on", ""), "postings and series, p99"],
        [quantile(0.99, "thanos_bucket_store_series_merge_duration_seconds", "$on", ""), "merge and chunks, p99"],
      ]),
      lines("Broken off because of a limit", "short", [
        [rate("thanos_bucket_store_queries_dropped_total", "$on", "reason"), "{{reason}}"],
      ]),
    ],
    [
      "Caches",
      lines(
        "Index cache, hits",
        "percentunit",
        [
          [
            share(
              rate("thanos_store_index_cache_hits_total", "$on", "item_type"),
              rate("thanos_store_index_cache_requests_total", "$on", "item_type"),
            ),
            "{{item_type}}",
          ],
        ],
        {max: 1},
      ),
      lines("Index cache, size", "bytes", [
        ["sum by (instance) (thanos_store_index_cache_total_size_bytes{$on})", "{{instance}}"],
      ]),
      lines(
        "Caching bucket, hits",
        "percentunit",
        [
          [
            share(
              rate("thanos_store_bucket_cache_operation_hits_total", "$on", "operation, config"),
              rate("thanos_store_bucket_cache_operation_requests_total", "$on", "operation, config"),
            ),
            "{{operation}} {{config}}",
          ],
        ],
        {max: 1},
      ),
    ],
    bucket,
    process("What calls hold is bounded by --store.memory-budget; beside it a block costs some 20 kB."),
  ],
});

const compact = dashboard({
  uid: "strata-compact",
  title: "Strata / Compact",
  component: "compact",
  description: "The compactor: work to do, work done, what was set aside.",
  sections: [
    [
      "State",
      number("Halted", "short", [["max(thanos_compact_halted{$on})"]], {width: 4, ...badFrom(1)}),
      number("Compactors seen", "short", [["max(strata_compact_rivals{$on}) + 1"]], {width: 4, ...badFrom(2)}),
      number(
        "Blocks set aside, a day",
        "short",
        [["sum(increase(strata_compact_quarantined_blocks_total{$on}[1d])) or vector(0)"]],
        {width: 4, ...badFrom(1)},
      ),
      number("Held by retention", "short", [["sum(strata_compact_retention_held_blocks{$on}) or vector(0)"]], {
        width: 4,
        ...badFrom(1),
      }),
      number("Marked, but kept", "short", [["max(strata_compact_kept_marked_blocks{$on})"]], {width: 4, ...badFrom(1)}),
      number("Rounds, an hour", "short", [["sum(increase(thanos_compact_iterations_total{$on}[1h]))"]], {
        width: 4,
        ...goodFrom(1),
      }),
    ],
    [
      "Work to do",
      lines(
        "Blocks that wait",
        "short",
        [
          ["sum(thanos_compact_todo_compaction_blocks{$on})", "to merge"],
          ["sum(thanos_compact_todo_downsample_blocks{$on})", "to downsample"],
          ["sum(thanos_compact_todo_deletion_blocks{$on})", "to delete"],
        ],
        {description: "Should go up and down. What only goes up needs more concurrency or a second shard."},
      ),
      lines("Hours of data that wait", "short", [["sum by (work) (strata_compact_backlog_hours{$on})", "{{work}}"]]),
      lines("Samples that wait", "short", [["sum by (work) (strata_compact_backlog_samples{$on})", "{{work}}"]]),
    ],
    [
      "Merging",
      lines("Merges", "short", [
        ["sum by (resolution) (increase(thanos_compact_group_compactions_total{$on}[1h]))", "{{resolution}}"],
      ]),
      lines("Groups that failed", "short", [
        ["sum by (resolution) (increase(thanos_compact_group_compactions_failures_total{$on}[1h]))", "{{resolution}}"],
      ]),
      lines("Duration of merges", "s", [
        [quantile(0.99, "prometheus_tsdb_compaction_duration_seconds", "$on", ""), "p99"],
      ]),
    ],
    [
      "Downsampling and deletion",
      lines("Blocks downsampled", "short", [
        ["sum by (resolution) (increase(thanos_compact_downsample_total{$on}[1h]))", "{{resolution}}"],
      ]),
      lines("Could not be downsampled", "short", [
        ["sum by (resolution) (increase(thanos_compact_downsample_failures_total{$on}[1h]))", "{{resolution}}"],
      ]),
      lines("Marked and deleted", "short", [
        ["sum by (marker, reason) (increase(thanos_compact_blocks_marked_total{$on}[1h]))", "{{marker}} {{reason}}"],
        ["sum(increase(thanos_compact_blocks_cleaned_total{$on}[1h]))", "deleted"],
        ["sum(increase(thanos_compact_block_cleanup_failures_total{$on}[1h]))", "could not be deleted"],
      ]),
    ],
    [
      "Looking at the bucket",
      lines("Blocks by state", "short", [["sum by (state) (thanos_blocks_meta_synced{$on})", "{{state}}"]]),
      lines("Duration of a look", "s", [
        [quantile(0.99, "thanos_blocks_meta_sync_duration_seconds", "$on", ""), "p99"],
      ]),
      lines("Looks that failed", "short", [
        ["sum(increase(thanos_blocks_meta_sync_failures_total{$on}[1h]))", "failed"],
      ]),
    ],
    bucket,
    process(),
  ],
});

const sidecar = dashboard({
  uid: "strata-sidecar",
  title: "Strata / Sidecar",
  component: "sidecar",
  description: "The sidecar: its Prometheus, the calls it answers, the blocks it uploads.",
  sections: [
    [
      "Prometheus",
      number("Reached", "short", [["min(thanos_sidecar_prometheus_up{$on})"]], goodFrom(1)),
      number("Last reload", "short", [["min(thanos_sidecar_reloader_last_reload_successful{$on})"]], goodFrom(1)),
      number(
        "Reloads that failed, a day",
        "short",
        [["sum(increase(thanos_sidecar_reloader_reloads_failed_total{$on}[1d]))"]],
        badFrom(1),
      ),
    ],
    grpc("server"),
    shipping,
    bucket,
    process(),
  ],
});

const receive = dashboard({
  uid: "strata-receive",
  title: "Strata / Receive",
  component: "receive",
  description: "The receiver: writes, replication, tenants' databases, uploads.",
  sections: [
    http("Writes", "receive|otlp"),
    [
      "Tenants",
      lines("Samples written", "short", [
        [rate("thanos_receive_write_samples_sum", '$on,code=~"2.."', "tenant"), "{{tenant}}"],
      ]),
      lines("Samples refused", "short", [
        [rate("thanos_receive_write_samples_sum", '$on,code!~"2.."', "tenant, code"), "{{tenant}} {{code}}"],
      ]),
      lines("Refused for too many series", "reqps", [
        [rate("thanos_receive_head_series_limited_requests_total", "$on", "tenant"), "{{tenant}}"],
      ]),
    ],
    [
      "Replication",
      lines("Copies", "ops", [[rate("thanos_receive_replications_total", "$on", "result"), "{{result}}"]]),
      lines("Forwarded", "reqps", [[rate("thanos_receive_forward_requests_total", "$on", "result"), "{{result}}"]]),
      lines("Waiting for a worker, p99", "s", [
        [quantile(0.99, "thanos_receive_forward_delay_seconds", "$on", "instance"), "{{instance}}"],
      ]),
      number(
        "Hashrings in use",
        "short",
        [['count(count by (config) (count_values by (job) ("config", thanos_receive_config_hash{$on})))']],
        {...badFrom(2), description: "More than one for long: receivers do not agree on the ring."},
      ),
      number(
        "Last reload of the ring",
        "short",
        [["min(thanos_receive_config_last_reload_successful{$on})"]],
        goodFrom(1),
      ),
    ],
    [
      "Databases",
      lines("Series", "short", [["sum by (instance) (prometheus_tsdb_head_series{$on})", "{{instance}}"]]),
      lines("Samples appended", "short", [
        [rate("prometheus_tsdb_head_samples_appended_total", "$on", "instance, type"), "{{instance}} {{type}}"],
      ]),
      lines("Refused", "short", [
        [rate("prometheus_tsdb_out_of_order_samples_total", "$on", ""), "out of order"],
        [rate("prometheus_tsdb_out_of_bound_samples_total", "$on", ""), "out of bounds"],
        [rate("prometheus_tsdb_too_old_samples_total", "$on", ""), "too old"],
      ]),
      lines("Log on disk", "bytes", [
        ["sum by (instance) (prometheus_tsdb_wal_storage_size_bytes{$on})", "{{instance}}"],
      ]),
      lines("Log, writes that failed", "short", [
        ["sum by (instance) (increase(prometheus_tsdb_wal_writes_failed_total{$on}[1h]))", "{{instance}}"],
      ]),
      lines("Blocks on disk", "bytes", [
        ["sum by (instance) (prometheus_tsdb_storage_blocks_bytes{$on})", "{{instance}}"],
      ]),
    ],
    shipping,
    grpc("server"),
    bucket,
    process("Grows with the series of all tenants' heads."),
  ],
});

const rule = dashboard({
  uid: "strata-rule",
  title: "Strata / Rule",
  component: "rule",
  description: "The ruler: evaluations, alerts, uploads.",
  sections: [
    [
      "Evaluations",
      lines("Evaluations", "ops", [[rate("prometheus_rule_evaluations_total", "$on", "instance"), "{{instance}}"]]),
      lines("Failures", "percentunit", [
        [
          share(
            rate("prometheus_rule_evaluation_failures_total", "$on", "rule_group"),
            rate("prometheus_rule_evaluations_total", "$on", "rule_group"),
          ),
          "{{rule_group}}",
        ],
      ]),
      lines("With warnings", "ops", [
        [rate("thanos_rule_evaluation_with_warnings_total", "$on", "strategy"), "{{strategy}}"],
      ]),
    ],
    [
      "Groups",
      lines(
        "Duration as a share of the interval",
        "percentunit",
        [
          [
            "prometheus_rule_group_last_duration_seconds{$on} / prometheus_rule_group_interval_seconds{$on}",
            "{{rule_group}}",
          ],
        ],
        {
          description: "Above 1 iterations are missed.",
        },
      ),
      lines("Iterations missed", "short", [
        ["sum by (rule_group) (increase(prometheus_rule_group_iterations_missed_total{$on}[1h]))", "{{rule_group}}"],
      ]),
      lines("Rules loaded", "short", [["sum by (instance) (thanos_rule_loaded_rules{$on})", "{{instance}}"]]),
    ],
    [
      "Alerts",
      lines("Sent", "ops", [
        [rate("thanos_alert_sender_alerts_sent_total", "$on", "alertmanager"), "{{alertmanager}}"],
      ]),
      lines("Lost", "ops", [
        [rate("thanos_alert_sender_alerts_dropped_total", "$on", ""), "no Alertmanager took them"],
        [rate("thanos_alert_queue_alerts_dropped_total", "$on", ""), "the queue was full"],
        [rate("thanos_alert_sender_errors_total", "$on", "alertmanager"), "{{alertmanager}} failed"],
      ]),
      lines("Posting, p99", "s", [
        [quantile(0.99, "thanos_alert_sender_latency_seconds", "$on", "alertmanager"), "{{alertmanager}}"],
      ]),
      number(
        "Last reload of the rules",
        "short",
        [["min(thanos_rule_config_last_reload_successful{$on})"]],
        goodFrom(1),
      ),
      lines("Queue", "short", [["thanos_alert_queue_length{$on}", "{{instance}}"]]),
    ],
    shipping,
    grpc("server"),
    process(),
  ],
});

/** All dashboards, by their uid. */
export const DASHBOARDS = [overview, query, frontend, store, compact, sidecar, receive, rule];
