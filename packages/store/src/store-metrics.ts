import type {Registry} from "@strata/telemetry";

/** Compat: requests carry a tenant in Thanos; without tenancy it is this one. */
export const DEFAULT_TENANT = "default-tenant";

const SECONDS = [0.001, 0.01, 0.1, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 60, 90, 120];
const exponential = (start: number, count: number): number[] => Array.from({length: count}, (_, i) => start * 2 ** i);

const TENANT = ["tenant"] as const;
const DATA = ["data_type", "tenant"] as const;

const name = (rest: string): string => `thanos_bucket_store_${rest}`;

/** Metrics of the store gateway; names and labels are those of Thanos but for the last ones, which it has not. */
export const storeMetrics = (r: Registry) => ({
  blockLoads: r.counter({name: name("block_loads_total"), help: "Attempts to load a block."}),
  blockLoadFailures: r.counter({name: name("block_load_failures_total"), help: "Blocks that could not be loaded."}),
  blockDrops: r.counter({name: name("block_drops_total"), help: "Attempts to drop a block."}),
  blockDropFailures: r.counter({name: name("block_drop_failures_total"), help: "Blocks that could not be dropped."}),
  blockLoadSeconds: r.histogram({
    name: name("block_load_duration_seconds"),
    help: "How long loading a block took.",
    buckets: [0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120],
  }),
  blocksLoaded: r.gauge({name: name("blocks_loaded"), help: "Blocks being served."}),
  lastLoaded: r.gauge({
    name: name("blocks_last_loaded_timestamp_seconds"),
    help: "When a block was last loaded.",
  }),
  blocksQueried: r.histogram({
    name: name("series_blocks_queried"),
    help: "Blocks that a Series call read.",
    labels: TENANT,
    buckets: exponential(1, 10),
  }),
  dataTouched: r.histogram({
    name: name("series_data_touched"),
    help: "Items of a kind that a Series call used.",
    labels: DATA,
    buckets: exponential(200, 15),
  }),
  dataFetched: r.histogram({
    name: name("series_data_fetched"),
    help: "Items of a kind that a Series call downloaded.",
    labels: DATA,
    buckets: exponential(200, 15),
  }),
  sizeTouched: r.histogram({
    name: name("series_data_size_touched_bytes"),
    help: "Bytes of a kind that a Series call used.",
    labels: DATA,
    buckets: exponential(1024, 15),
  }),
  sizeFetched: r.histogram({
    name: name("series_data_size_fetched_bytes"),
    help: "Bytes of a kind that a Series call downloaded.",
    labels: DATA,
    buckets: exponential(1024, 15),
  }),
  resultSeries: r.histogram({
    name: name("series_result_series"),
    help: "Series that a Series call gave.",
    labels: TENANT,
    buckets: exponential(1, 15),
  }),
  getAllSeconds: r.histogram({
    name: name("series_get_all_duration_seconds"),
    help: "How long it took until all blocks of a Series call had their postings and first series.",
    labels: TENANT,
    buckets: SECONDS,
  }),
  mergeSeconds: r.histogram({
    name: name("series_merge_duration_seconds"),
    help: "How long merging and reading chunks took in a Series call.",
    labels: TENANT,
    buckets: SECONDS,
  }),
  seriesRefetches: r.counter({
    name: name("series_refetches_total"),
    help: "Series entries larger than expected that took a second read.",
    labels: TENANT,
  }),
  chunkRefetches: r.counter({
    name: name("chunk_refetches_total"),
    help: "Chunks larger than expected that took a second read.",
    labels: TENANT,
  }),
  sentChunkBytes: r.histogram({
    name: name("sent_chunk_size_bytes"),
    help: "Bytes of chunks that a Series call gave.",
    labels: TENANT,
    buckets: [32, 256, 512, 1024, 32 << 10, 256 << 10, 512 << 10, 1 << 20, 32 << 20, 256 << 20, 512 << 20],
  }),
  queriesDropped: r.counter({
    name: name("queries_dropped_total"),
    help: "Calls ended because they went over a limit.",
    labels: ["reason", "tenant"] as const,
    preset: ["series", "chunks", "bytes"].map((reason) => ({reason, tenant: DEFAULT_TENANT})),
  }),
  emptyPostings: r.counter({
    name: name("empty_postings_total"),
    help: "Blocks in which no series matched.",
    labels: TENANT,
  }),
  lazyExpanded: r.counter({
    name: name("lazy_expanded_postings_total"),
    help: "Selections of a block that left matchers to be checked on the series.",
  }),
  lazyGroups: r.counter({
    name: name("lazy_expanded_posting_groups_total"),
    help: "Matchers that were checked on the series: their values were too many, or their posting lists too large.",
    labels: ["reason"] as const,
    preset: [{reason: "keys_limit"}, {reason: "postings_size"}],
  }),
  lazyBytes: r.counter({
    name: name("lazy_expanded_posting_size_bytes_total"),
    help: "Bytes of posting lists that were not fetched for their size.",
  }),
  lazyOverfetched: r.counter({
    name: name("lazy_expanded_posting_series_overfetched_size_bytes_total"),
    help: "Bytes of series that were fetched and then refused by such a matcher.",
  }),
  codecErrors: r.counter({
    name: name("cached_postings_compression_errors_total"),
    help: "Cached posting lists that could not be read or written.",
    labels: ["op", "tenant"] as const,
    preset: ["encode", "decode"].map((op) => ({op, tenant: DEFAULT_TENANT})),
  }),
  gateSeconds: r.histogram({
    name: name("series_gate_queries_duration_seconds"),
    help: "How long Series calls waited for their turn.",
    buckets: SECONDS,
  }),
  gateInFlight: r.gauge({name: name("series_gate_queries_in_flight"), help: "Series calls that have their turn."}),
  gateMax: r.gauge({name: name("series_gate_queries_max"), help: "Series calls that may run at once."}),
  gateTotal: r.counter({name: name("series_gate_queries_total"), help: "Series calls that asked for their turn."}),
  headerLoads: r.counter({name: name("indexheader_lazy_load_total"), help: "Index-headers opened on use."}),
  headerLoadFailures: r.counter({
    name: name("indexheader_lazy_load_failed_total"),
    help: "Index-headers that could not be opened.",
  }),
  headerUnloads: r.counter({name: name("indexheader_lazy_unload_total"), help: "Idle index-headers closed."}),
  headerUnloadFailures: r.counter({
    name: name("indexheader_lazy_unload_failed_total"),
    help: "Idle index-headers that could not be closed.",
  }),
  headerLoadSeconds: r.histogram({
    name: name("indexheader_lazy_load_duration_seconds"),
    help: "How long opening an index-header took.",
    buckets: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 30, 60, 90, 120, 300],
  }),
  headerDownloadSeconds: r.histogram({
    name: name("indexheader_download_duration_seconds"),
    help: "How long building an index-header from the bucket took.",
    buckets: [0.1, 0.2, 0.5, 1, 2, 5, 15, 30, 60, 90, 120, 300],
  }),
  /** Not in Thanos, which fails the whole call instead. */
  readFailures: r.counter({
    name: "strata_bucket_store_read_failures_total",
    help: "Parts of blocks that could not be read while a call was answered: the block's index, or single chunks.",
    labels: ["part"] as const,
    preset: [{part: "index"}, {part: "chunk"}],
  }),
});

export type StoreMetrics = ReturnType<typeof storeMetrics>;
