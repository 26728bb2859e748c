import type {Registry} from "@strata/telemetry";

const name = (rest: string): string => `thanos_store_bucket_cache_${rest}`;
const OPERATION = ["operation", "config"] as const;
const ORIGIN = ["origin", "config"] as const;

/** Operations that are cached, with what Thanos calls the kind of their objects. */
const preset = [
  {operation: "iter", config: "blocks-iter"},
  {operation: "exists", config: "meta.jsons"},
  {operation: "get", config: "meta.jsons"},
  {operation: "attributes", config: "chunks"},
  {operation: "get_range", config: "chunks"},
];

/** Metrics of the caching bucket; names and labels are those of Thanos but for the last one. */
export const cachingBucketMetrics = (r: Registry) => ({
  requests: r.counter({
    name: name("operation_requests_total"),
    help: "Operations that the cache was asked for.",
    labels: OPERATION,
    preset,
  }),
  hits: r.counter({
    name: name("operation_hits_total"),
    help: "Operations that the cache answered; a range that was there in part counts by its share.",
    labels: OPERATION,
    preset,
  }),
  requestedBytes: r.counter({
    name: name("getrange_requested_bytes_total"),
    help: "Bytes of ranges that were asked for.",
    labels: ["config"] as const,
    preset: [{config: "chunks"}],
  }),
  fetchedBytes: r.counter({
    name: name("getrange_fetched_bytes_total"),
    help: "Bytes of pieces that came from the cache or the bucket.",
    labels: ORIGIN,
    preset: ["cache", "bucket"].map((origin) => ({origin, config: "chunks"})),
  }),
  refetchedBytes: r.counter({
    name: name("getrange_refetched_bytes_total"),
    help: "Bytes of pieces that were in the cache and read again because they lay between others.",
    labels: ORIGIN,
    preset: [{origin: "bucket", config: "chunks"}],
  }),
  corrupt: r.counter({
    name: "strata_store_bucket_cache_corrupt_values_total",
    help: "Cached values that could not be what they should, and were read anew.",
    labels: ["operation"] as const,
    preset: preset.map(({operation}) => ({operation})),
  }),
});

export type CachingBucketMetrics = ReturnType<typeof cachingBucketMetrics>;
