import type {Registry} from "@strata/telemetry";

/** Where the blocks of a bucket ended up in one sync. */
export const SYNC_STATES = [
  "corrupted-meta-json",
  "no-meta-json",
  "loaded",
  "too-fresh",
  "failed",
  "label-excluded",
  "time-excluded",
  "duplicate",
  "marked-for-deletion",
  "marked-for-no-compact",
  "parquet-migrated",
] as const;

export type SyncState = (typeof SYNC_STATES)[number] | "marked-for-no-downsample" | "parquet-converted";

/** Counts of one sync, filled by the fetcher and its filters. */
export class SyncCounts {
  readonly states = new Map<SyncState, number>(SYNC_STATES.map((state) => [state, 0]));
  /** Metas whose replica labels were removed. */
  replicaLabelsRemoved = 0;

  add(state: SyncState, blocks = 1): void {
    this.states.set(state, (this.states.get(state) ?? 0) + blocks);
  }
}

/** Compat: bounds of the original; a sync takes milliseconds with a warm cache and minutes over a huge cold bucket. */
const SYNC_SECONDS = [0.01, 1, 10, 100, 300, 600, 1000];

/** Metrics of block metadata sync; `prefix` is `thanos_` but for the bucket viewers. */
export const fetcherMetrics = (r: Registry, prefix: string) => ({
  baseSyncs: r.counter({name: `${prefix}blocks_meta_base_syncs_total`, help: "Rounds of the shared meta fetcher."}),
  cacheBusts: r.counter({
    name: `${prefix}blocks_meta_base_cache_busts_total`,
    help: "Metas read again because the object changed.",
  }),
  syncs: r.counter({name: `${prefix}blocks_meta_syncs_total`, help: "Rounds of block metadata synchronisation."}),
  failures: r.counter({
    name: `${prefix}blocks_meta_sync_failures_total`,
    help: "Rounds that failed or were incomplete.",
  }),
  seconds: r.histogram({
    name: `${prefix}blocks_meta_sync_duration_seconds`,
    help: "How long rounds of block metadata synchronisation took.",
    buckets: SYNC_SECONDS,
  }),
  synced: r.gauge({
    name: `${prefix}blocks_meta_synced`,
    help: "Blocks by what the last round made of them.",
    labels: ["state"] as const,
    preset: SYNC_STATES.map((state) => ({state})),
  }),
  modified: r.gauge({
    name: `${prefix}blocks_meta_modified`,
    help: "Metas that the last round changed.",
    labels: ["modified"] as const,
    preset: [{modified: "replica-label-removed"}],
  }),
});

export type FetcherMetrics = ReturnType<typeof fetcherMetrics>;

/** Shows the counts of a finished round. */
export function publish(metrics: FetcherMetrics, counts: SyncCounts): void {
  for (const [state, blocks] of counts.states) metrics.synced.with({state}).set(blocks);
  metrics.modified.with({modified: "replica-label-removed"}).set(counts.replicaLabelsRemoved);
}
