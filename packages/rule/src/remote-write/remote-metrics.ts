import type {Registry} from "@strata/telemetry";

export type RemoteMetrics = ReturnType<typeof remoteMetrics>;

/** Metrics of remote write, under the names that Prometheus gave them. */
export const remoteMetrics = (r: Registry) => {
  const labels = ["remote_name", "url"] as const;
  const spec = (name: string, help: string) => ({name: `prometheus_remote_storage_${name}`, help, labels});
  return {
    samples: r.counter(spec("samples_total", "Samples that a receiver took.")),
    failed: r.counter(spec("samples_failed_total", "Samples that a receiver refused for good.")),
    retried: r.counter(spec("samples_retried_total", "Samples that were sent again after a failure.")),
    bytes: r.counter(spec("bytes_total", "Bytes of samples sent, compressed.")),
    pending: r.gauge(spec("samples_pending", "Samples that are being sent.")),
    shards: r.gauge(spec("shards", "Requests at a time.")),
    shardsMin: r.gauge(spec("shards_min", "Fewest requests at a time.")),
    shardsMax: r.gauge(spec("shards_max", "Most requests at a time.")),
    sentTime: r.gauge(spec("queue_highest_sent_timestamp_seconds", "Time of the newest sample sent.")),
    seconds: r.histogram(spec("sent_batch_duration_seconds", "How long sending a request took.")),
  };
};
