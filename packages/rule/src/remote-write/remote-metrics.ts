import type {Registry} from "@strata/telemetry";
import type {SampleCounts} from "./write-request.ts";

export type RemoteMetrics = ReturnType<typeof remoteMetrics>;

/** Labels of what is told of one receiver. */
export type RemoteLabels = {readonly remote_name: string; readonly url: string};

/** Metrics of remote write, under the names that Prometheus gave them. */
export const remoteMetrics = (r: Registry) => {
  const labels = ["remote_name", "url"] as const;
  const named = (name: string, help: string) => ({name: `prometheus_remote_storage_${name}`, help});
  const spec = (name: string, help: string) => ({...named(name, help), labels});
  /** A counter for floats and one for histograms. */
  const pair = (name: string, help: string) => {
    const samples = r.counter(spec(`samples${name}`, `Samples ${help}`));
    const histograms = r.counter(spec(`histograms${name}`, `Native histograms ${help}`));
    return (of: RemoteLabels, counts: SampleCounts): void => {
      samples.with(of).inc(counts.samples);
      histograms.with(of).inc(counts.histograms);
    };
  };
  return {
    sent: pair("_total", "that a receiver took."),
    failed: pair("_failed_total", "that a receiver refused for good."),
    retried: pair("_retried_total", "that were sent again after a failure."),
    dropped: r.counter({
      ...named("samples_dropped_total", "Samples and native histograms that were not to be sent, or too old."),
      labels: [...labels, "reason"],
    }),
    samplesIn: r.counter(named("samples_in_total", "Samples that rules gave.")),
    histogramsIn: r.counter(named("histograms_in_total", "Native histograms that rules gave.")),
    highest: r.gauge(named("highest_timestamp_in_seconds", "Time of the newest sample that rules gave.")),
    bytes: r.counter(spec("bytes_total", "Bytes of samples sent, compressed.")),
    pending: r.gauge(spec("samples_pending", "Samples that are being sent.")),
    shards: r.gauge(spec("shards", "Requests at a time.")),
    shardsDesired: r.gauge(spec("shards_desired", "Requests at a time that would send all that waits.")),
    shardsMin: r.gauge(spec("shards_min", "Fewest requests at a time.")),
    shardsMax: r.gauge(spec("shards_max", "Most requests at a time.")),
    samplesPerSend: r.gauge(spec("max_samples_per_send", "Most samples in a request.")),
    readTime: r.gauge(spec("queue_highest_timestamp_seconds", "Time of the newest sample on its way.")),
    sentTime: r.gauge(spec("queue_highest_sent_timestamp_seconds", "Time of the newest sample sent.")),
    seconds: r.histogram(spec("sent_batch_duration_seconds", "How long sending a request took.")),
  };
};
