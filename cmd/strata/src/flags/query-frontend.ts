import {corsFlags, httpFlags, requestLogFlags} from "./shared.ts";
import {bool, content, type FlagTable, godur, int, many, oneOf, text} from "./spec.ts";

const rangeFlags = {
  "query-range.align-range-with-step": bool({
    default: "true",
    help: "Move start and end to multiples of the step, so that answers can be cached.",
  }),
  "query-range.request-downsampled": bool({
    default: "true",
    help: "Ask again for coarser data where an answer is empty.",
  }),
  "query-range.split-interval": godur({default: "24h", help: "Split range queries at multiples of this; 0 does not."}),
  "query-range.min-split-interval": godur({default: "0", help: "Dynamic splitting: shortest part."}),
  "query-range.max-split-interval": godur({default: "0", help: "Dynamic splitting: longest part."}),
  "query-range.horizontal-shards": int({default: "0", help: "Dynamic splitting: number of parts."}),
  "query-range.max-retries-per-request": int({default: "5", help: "Tries of a range query."}),
  "query-range.max-query-length": godur({default: "0", help: "Longest range; 0 is no limit."}),
  "query-range.max-query-parallelism": int({default: "14", help: "Parts of one query asked at once."}),
  "query-range.response-cache-max-freshness": godur({default: "1m", help: "Do not cache what is newer than this."}),
  "query-range.partial-response": bool({
    default: "true",
    help: "Allow answers with warnings where the request does not say.",
  }),
  "query-range.response-cache-config": content({help: "Cache of range queries: YAML with `type` and `config`."}),
} satisfies FlagTable;

const labelsFlags = {
  "labels.split-interval": godur({default: "24h", help: "Split series and label calls at multiples of this."}),
  "labels.max-retries-per-request": int({default: "5", help: "Tries of a series or label call."}),
  "labels.max-query-parallelism": int({default: "14", help: "Parts of one such call asked at once."}),
  "labels.response-cache-max-freshness": godur({default: "1m", help: "Do not cache what is newer than this."}),
  "labels.partial-response": bool({
    default: "true",
    help: "Allow answers with warnings where the request does not say.",
  }),
  "labels.default-time-range": godur({default: "24h", help: "How far back calls look that name no start."}),
  "labels.response-cache-config": content({help: "Cache of series and label calls: YAML with `type` and `config`."}),
} satisfies FlagTable;

export const queryFrontendFlags = {
  ...httpFlags,
  ...corsFlags,
  ...rangeFlags,
  ...labelsFlags,
  "query.max-retries-per-request": int({default: "5", help: "Tries of an instant query."}),
  "query-frontend.enable-x-functions": bool({help: "Know the functions xrate, xincrease and xdelta."}),
  "enable-feature": many(text({help: "Features to switch on: promql-experimental-functions and others."})),
  "cache-compression-type": oneOf(["", "snappy", "lz4", "none"], {
    default: "",
    help: "Compression of cached values; left open, lz4 in Redis and memcached and none in memory.",
  }),
  "query-frontend.downstream-url": text({default: "http://localhost:9090", help: "The querier behind this front end."}),
  "query-frontend.downstream-tripper-config": content({help: "HTTP transport to the querier, as YAML."}),
  "query-frontend.compress-responses": bool({help: "Compress answers."}),
  "query-frontend.log-queries-longer-than": godur({
    default: "0",
    help: "Log queries that take longer; 0 logs none, a negative duration all.",
  }),
  "query-frontend.force-query-stats": bool({
    help: "Ask for statistics always; log them and send them as Server-Timing.",
  }),
  "query-frontend.org-id-header": many(
    text({deprecated: "use --query-frontend.tenant-header", help: "Header that names whose cache is used."}),
  ),
  "query-frontend.forward-header": many(text({help: "Request header to pass on to the querier."})),
  "query-frontend.tenant-header": text({default: "THANOS-TENANT", hidden: true, help: "Header that names the tenant."}),
  "query-frontend.default-tenant-id": text({
    default: "default-tenant",
    hidden: true,
    help: "Tenant of requests without one.",
  }),
  "query-frontend.tenant-certificate-field": oneOf(["", "organization", "organizationalUnit", "commonName"], {
    default: "",
    hidden: true,
    help: "Take the tenant from this field of the client's certificate.",
  }),
  "query-frontend.max-concurrent-downstream": int({
    default: "200",
    help: "Requests to the querier at once, over all tenants; places go to the tenants in turn.",
  }),
  "query-frontend.max-outstanding-per-tenant": int({
    default: "2048",
    help: "Requests of one tenant that may wait for a place; further ones are refused with 429.",
  }),
  "query-frontend.vertical-shards": int({
    default: "0",
    help: "Parts into which aggregations are sharded; below 2 none.",
  }),
  "query-frontend.slow-query-logs-user-header": text({
    default: "",
    help: "Header that names the user in the slow-query log.",
  }),
  ...requestLogFlags,
} satisfies FlagTable;
