import type {Histogram, Registry} from "@strata/telemetry";

/** Compat: bounds of the original, the first one and the factor between them. */
const bounds = (first: number, factor: number, count: number): number[] =>
  Array.from({length: count}, (_, i) => first * factor ** i);

/** Metrics of the chunks of a head's blocks. Merged blocks are not counted, so that a compactor's stay empty. */
export const blockChunkMetrics = (
  r: Registry,
): {readonly bytes: Histogram; readonly samples: Histogram; readonly range: Histogram} => ({
  bytes: r.histogram({
    name: "prometheus_tsdb_compaction_chunk_size_bytes",
    help: "Bytes of the chunks that a head's blocks are made of.",
    buckets: bounds(32, 1.5, 12),
  }),
  samples: r.histogram({
    name: "prometheus_tsdb_compaction_chunk_samples",
    help: "Samples of those chunks.",
    buckets: bounds(4, 1.5, 12),
  }),
  range: r.histogram({
    name: "prometheus_tsdb_compaction_chunk_range_seconds",
    help: "What those chunks span. Compat: in milliseconds, whatever the name says.",
    buckets: bounds(100, 4, 10),
  }),
});
