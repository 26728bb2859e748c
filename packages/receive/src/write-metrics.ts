import type {Registry} from "@strata/telemetry";

export type WriteMetrics = ReturnType<typeof writeMetrics>;

const SIZES = [10, 50, 100, 500, 1000, 5000, 10000];

/** What the write endpoints count. */
export const writeMetrics = (r: Registry) => ({
  series: r.histogram({
    name: "thanos_receive_write_timeseries",
    help: "Series of a write request.",
    labels: ["code", "tenant"],
    buckets: SIZES,
  }),
  samples: r.histogram({
    name: "thanos_receive_write_samples",
    help: "Samples of a write request.",
    labels: ["code", "tenant"],
    buckets: SIZES,
  }),
  startTimesDropped: r.counter({
    name: "strata_receive_start_times_dropped_total",
    help: "Start times of samples that were left out: the feature st-storage is off.",
  }),
  metadataDropped: r.counter({
    name: "strata_receive_metadata_dropped_total",
    help: "Metadata entries that were left out.",
  }),
});
