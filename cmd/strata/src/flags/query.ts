import {
  corsFlags,
  grpcClientTlsFlags,
  grpcServerFlags,
  httpFlags,
  requestLogFlags,
  routePrefixFlags,
  storeLimitFlags,
} from "./shared.ts";
import {
  address,
  bool,
  bytes,
  content,
  dur,
  type FlagTable,
  float,
  godur,
  int,
  label,
  many,
  oneOf,
  path,
  text,
} from "./spec.ts";

const SD = "use --endpoint.sd-config-file";

const clientFlags = {
  ...grpcClientTlsFlags("endpoints", SD),
  "grpc-compression": oneOf(["snappy", "none"], {default: "none", deprecated: SD, help: "Compression of gRPC calls."}),
} satisfies FlagTable;

const engineFlags = {
  "query.timeout": dur({default: "2m", help: "How long a query may take."}),
  "query.promql-engine": oneOf(["prometheus", "thanos"], {
    default: "prometheus",
    help: "Accepted for compatibility: both names are Strata's one engine.",
  }),
  "query.disable-fallback": bool({hidden: true, help: "Accepted for compatibility; there is nothing to fall back to."}),
  "query.enable-x-functions": bool({help: "Know the functions xrate, xincrease and xdelta."}),
  "query.mode": oneOf(["local", "distributed"], {
    default: "local",
    help: "Evaluate here, or push aggregations to queriers below.",
  }),
  "query.max-concurrent": int({default: "20", help: "Queries that run at once; others wait."}),
  "query.lookback-delta": godur({help: "How old a sample may be to count at a step; 5m when left out."}),
  "query.dynamic-lookback-delta": bool({
    default: "true",
    hidden: true,
    help: "Look back further where data is downsampled.",
  }),
  "query.max-memory": bytes({
    default: "4GiB",
    help: "Most memory that one query may hold; beyond it the query fails. 0 means no limit. Strata's own flag.",
  }),
  "query.max-samples": int({
    default: "0",
    help: "Most samples that one query may hold at a time; beyond it the query fails. 0 means no limit. Strata's own flag.",
  }),
  "query.log-queries-longer-than": dur({
    default: "10s",
    help: "Log queries that took this long; 0 logs none. Strata's own flag.",
  }),
  "query.log-queries-larger-than": bytes({
    default: "1GiB",
    help: "Log queries that held so much memory; 0 logs none. Strata's own flag.",
  }),
  "query.max-concurrent-select": int({default: "4", help: "Selections that one query runs at once."}),
  "query.auto-downsampling": bool({
    help: "Without max_source_resolution allow data as coarse as a fifth of the step.",
  }),
  "query.default-evaluation-interval": dur({default: "1m", help: "Step of subqueries that name none."}),
  "query.default-step": dur({default: "1s", help: "Shortest step of range queries that name none."}),
  "query.instant.default.max_source_resolution": dur({
    default: "0s",
    hidden: true,
    help: "Coarsest data for instant queries under --query.auto-downsampling.",
  }),
  "query.metadata.default-time-range": godur({
    default: "0s",
    help: "How far back series and label calls look that name no start; 0 is everything.",
  }),
  "query.active-query-path": path({
    default: "",
    help: "Directory of the file queries.active, which names the running queries; after a crash it says what was running.",
  }),
  "enable-feature": many(
    text({commas: true, help: "Features to switch on: promql-experimental-functions, promql-all and others."}),
  ),
} satisfies FlagTable;

const dedupFlags = {
  "deduplication.func": oneOf(["penalty", "chain"], {
    default: "penalty",
    experimental: true,
    help: "How samples of replicas are merged.",
  }),
  "query.replica-label": many(text({commas: true, help: "External label that tells replicas apart."})),
  "query.partition-label": many(text({help: "External label that splits data between queriers (distributed mode)."})),
  "query.distributed-with-overlapping-interval": bool({
    hidden: true,
    help: "Push down even where the time ranges of queriers overlap.",
  }),
} satisfies FlagTable;

const partialFlags = {
  "query.partial-response": bool({default: "true", help: "Answer with warnings when an endpoint fails."}),
  "rule.partial-response": bool({default: "true", hidden: true, help: "The same for rules."}),
  "target.partial-response": bool({default: "true", hidden: true, help: "The same for targets."}),
  "metric-metadata.partial-response": bool({default: "true", hidden: true, help: "The same for metadata."}),
  "exemplar.partial-response": bool({default: "true", hidden: true, help: "The same for exemplars."}),
  "status.partial-response": bool({default: "true", hidden: true, help: "The same for TSDB statistics."}),
} satisfies FlagTable;

const tenancyFlags = {
  "query.tenant-header": text({default: "THANOS-TENANT", help: "Request header that names the tenant."}),
  "query.default-tenant-id": text({default: "default-tenant", help: "Tenant of requests that name none."}),
  "query.tenant-certificate-field": oneOf(["", "organization", "organizationalUnit", "commonName"], {
    default: "",
    help: "Take the tenant from this field of the client's certificate.",
  }),
  "query.enforce-tenancy": bool({help: "Let a query see only series of its tenant."}),
  "query.tenant-federation": bool({
    help: "Let a|b in the tenant header mean both tenants, with --query.enforce-tenancy. Strata's own flag.",
  }),
  "query.tenant-label-name": text({default: "tenant_id", help: "Label that names the tenant of a series."}),
} satisfies FlagTable;

const ADDRESS_FORM = "host:port, or a name behind dns+, dnssrv+, dnssrvnoa+";

const endpointFlags = {
  endpoint: many(address({deprecated: SD, help: `Endpoint to query: ${ADDRESS_FORM}.`})),
  "endpoint-strict": many(
    address({deprecated: SD, help: "Endpoint that is asked even while it does not answer; no dns+ names."}),
  ),
  "endpoint-group": many(
    address({deprecated: SD, experimental: true, help: "DNS name of like endpoints, of which each call asks one."}),
  ),
  "endpoint-group-strict": many(
    address({deprecated: SD, experimental: true, help: "The same, asked even while it does not answer."}),
  ),
  "endpoint.sd-config": content({expandEnv: false, help: "Endpoints with their client settings, as YAML."}),
  "endpoint.sd-config-reload-interval": dur({default: "5m", help: "How often that file is read again."}),
  "endpoint.info-timeout": dur({
    default: "5s",
    hidden: true,
    help: "How long and how often endpoints are asked who they are.",
  }),
  "store.sd-files": many(path({deprecated: SD, help: "Files that list endpoints; * is allowed in names."})),
  "store.sd-interval": dur({default: "5m", deprecated: SD, help: "How often those files are read again."}),
  "store.sd-dns-interval": dur({default: "30s", help: "How often DNS names are resolved again."}),
  "store.sd-dns-resolver": oneOf(["miekgdns", "golang"], {
    default: "miekgdns",
    hidden: true,
    help: "Accepted for compatibility; Node resolves.",
  }),
  "store.unhealthy-timeout": dur({default: "5m", help: "Forget an endpoint that has not answered for this long."}),
  "store.response-timeout": dur({
    default: "0ms",
    help: "Longest pause between two frames of an endpoint; 0 is no limit.",
  }),
  "inject-test-addresses": many(address({hidden: true, help: "Endpoints for tests."})),
  "selector-label": many(label({help: "Label to show to queriers above this one."})),
  "selector.relabel-config": content({
    help: "Relabelling (keep, drop, hashmod) over endpoints' label sets: which to ask.",
  }),
  "query.conn-metric.label": many(
    oneOf(["external_labels", "store_type"], {
      default: ["external_labels", "store_type"],
      help: "Labels of the gauge that counts connections.",
    }),
  ),
  "grpc.proxy-strategy": oneOf(["eager", "lazy"], {
    default: "eager",
    hidden: true,
    help: "Accepted for compatibility; answers are always merged as they come.",
  }),
  "query.lazy-retrieval-max-buffered-responses": int({
    default: "20",
    hidden: true,
    help: "Frames buffered for each endpoint.",
  }),
} satisfies FlagTable;

const telemetryFlags = {
  "query.telemetry.request-duration-seconds-quantiles": many(
    float({
      default: ["0.1", "0.25", "0.75", "1.25", "1.75", "2.5", "3", "5", "10"],
      help: "Bounds of the histogram of Store calls, in seconds.",
    }),
  ),
  "query.telemetry.request-samples-quantiles": many(
    float({default: ["100", "1000", "10000", "100000", "1000000"], help: "Classes of samples for that histogram."}),
  ),
  "query.telemetry.request-series-seconds-quantiles": many(
    float({default: ["10", "100", "1000", "10000", "100000"], help: "Classes of series for that histogram."}),
  ),
} satisfies FlagTable;

export const queryFlags = {
  ...httpFlags,
  ...grpcServerFlags,
  ...clientFlags,
  ...routePrefixFlags,
  ...engineFlags,
  ...dedupFlags,
  ...partialFlags,
  ...endpointFlags,
  ...telemetryFlags,
  "alert.query-url": text({default: "", help: "Address under which alerts link to this page."}),
  ...tenancyFlags,
  ...corsFlags,
  ...requestLogFlags,
  ...storeLimitFlags,
} satisfies FlagTable;
