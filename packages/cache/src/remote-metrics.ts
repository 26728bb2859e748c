import type {Registry} from "@strata/telemetry";

const OPERATIONS = ["getmulti", "set"] as const;
const FAILURES = ["timeout", "malformed-key", "server-error", "network-error", "other"];
const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 3, 6, 10];
const BYTES = [32, 256, 512, 1024, 32 << 10, 256 << 10, 512 << 10, 1 << 20, 32 << 20, 256 << 20, 512 << 20];

/**
 * Metrics of one remote cache. `kind` is in their names, as in Thanos; all of them carry `name`. Compat: Thanos counts
 * operations of memcached only; here Redis has the same families.
 */
export const remoteCacheMetrics = (registry: Registry, kind: "redis" | "memcached", cache: string) => {
  const r = registry.sub({name: cache});
  const name = (rest: string) => `thanos_${kind}_${rest}`;
  const labels = ["operation"] as const;
  const reasons = ["operation", "reason"] as const;
  const preset = OPERATIONS.map((operation) => ({operation}));
  return {
    requests: r.counter({name: `thanos_cache_${kind}_requests_total`, help: "Items asked of the cache."}),
    hits: r.counter({name: `thanos_cache_${kind}_hits_total`, help: "Items that the cache had."}),
    operations: r.counter({name: name("operations_total"), help: "Operations tried.", labels, preset}),
    failures: r.counter({
      name: name("operation_failures_total"),
      help: "Operations that failed.",
      labels: reasons,
      preset: OPERATIONS.flatMap((operation) => FAILURES.map((reason) => ({operation, reason}))),
    }),
    skipped: r.counter({
      name: name("operation_skipped_total"),
      help: "Items not asked for or not sent.",
      labels: reasons,
      preset: ["max-item-size", "async-buffer-full", "circuit-open"].map((reason) => ({operation: "set", reason})),
    }),
    seconds: r.histogram({
      name: name("operation_duration_seconds"),
      help: "How long operations took.",
      labels,
      buckets: SECONDS,
    }),
    dataBytes: r.histogram({
      name: name("operation_data_size_bytes"),
      help: "Bytes of values that one operation moved.",
      labels,
      buckets: BYTES,
    }),
  };
};

export type RemoteCacheMetrics = ReturnType<typeof remoteCacheMetrics>;
