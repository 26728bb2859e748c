import {join} from "node:path";
import type {Registry} from "@strata/telemetry";
import {blockChunkMetrics} from "../block-chunk-metrics.ts";
import {logBytes, WAL_DIR, WBL_DIR} from "../wal/segments.ts";
import type {WalWriter} from "../wal/wal-writer.ts";
import type {Head} from "./head.ts";
import {OPEN} from "./series-store.ts";
import {STALE_HIGH, STALE_LOW} from "./stale-histogram.ts";

const tsdb = (rest: string): string => `prometheus_tsdb_${rest}`;
const TYPES = ["float", "histogram"] as const;
/** Seconds by which a sample may be late: 10 min to 12 h. */
const LATE_SECONDS = [600, 1800, 3600, 7200, 10_800, 21_600, 43_200];

/** Registers a counter that follows a number which something counts by itself. */
export function followCounter(registry: Registry, name: string, help: string, read: () => number): void {
  const counter = registry.counter({name: tsdb(name), help});
  registry.onScrape(follow(read, (by) => counter.inc(by)));
}

function follow(read: () => number, add: (by: number) => void): () => void {
  let last = 0;
  return () => {
    const now = read();
    add(Math.max(0, now - last));
    last = now;
  };
}

export function gaugeOf(registry: Registry, name: string, help: string, read: () => number): void {
  registry.gauge({name: tsdb(name), help, collect: (gauge) => gauge.set(read())});
}

/** Puts a head's metrics, named as in Prometheus, into a registry; values are read when it is scraped. */
export function watchHead(registry: Registry, head: Head): void {
  watchSeries(registry, head);
  watchSamples(registry, head);
  watchMaintenance(registry, head);
  watchExemplars(registry, head);
  watchLog(registry, "wal", join(head.dir, WAL_DIR), () => head.wal);
  if (head.wbl !== undefined) watchLog(registry, "out_of_order_wbl", join(head.dir, WBL_DIR), () => head.wbl);
}

function watchSeries(registry: Registry, head: Head): void {
  const {stats, store} = head;
  const gauge = gaugeOf.bind(undefined, registry);
  const count = followCounter.bind(undefined, registry);
  gauge("head_series", "Series in the head.", () => head.series);
  gauge("head_stale_series", "Series whose last sample is a stale marker.", () => staleSeries(head));
  gauge("head_chunks", "Chunks in the head.", () => store.chunks.size + store.openChunks);
  gauge("head_min_time", "First time in the head, ms.", () => orZero(head.minTime));
  gauge("head_max_time", "Last time in the head, ms.", () => orZero(head.maxTime));
  gauge("head_active_appenders", "Transactions that are not over.", () => stats.activeAppenders);
  gauge("head_chunks_storage_size_bytes", "Size of the head's chunk files.", () => store.files.bytes);
  gauge("isolation_high_watermark", "Number of the last commit.", () => stats.commits);
  gauge("isolation_low_watermark", "Number of the oldest commit that a read under way goes by.", () =>
    Math.min(stats.commits, store.hidden.oldest),
  );
  count("head_appenders_created_total", "Transactions begun.", () => stats.appenders);
  count("head_series_created_total", "Series added to the head.", () => stats.seriesCreated);
  count("head_series_removed_total", "Series removed from the head.", () => stats.seriesRemoved);
  count("head_series_not_found_total", "Samples of series that the head does not have.", () => stats.seriesNotFound);
  count("head_chunks_created_total", "Chunks begun in the head.", () => store.counts.created);
  count("head_chunks_removed_total", "Chunks dropped from the head.", () => store.counts.removed);
  count("mmap_chunks_total", "Chunks laid down in the head's chunk files.", () => store.counts.mapped);
}

function watchSamples(registry: Registry, {stats, observe}: Head): void {
  const byType = (name: string, help: string, read: Readonly<Record<(typeof TYPES)[number], () => number>>): void => {
    const family = registry.counter({name: tsdb(name), help, labels: ["type"]});
    for (const type of TYPES) {
      const counter = family.with({type});
      registry.onScrape(follow(read[type], (by) => counter.inc(by)));
    }
  };
  byType("head_samples_appended_total", "Samples appended, late ones included.", {
    float: () => stats.floats + stats.lateFloats,
    histogram: () => stats.histograms + stats.lateHistograms,
  });
  byType("head_out_of_order_samples_appended_total", "Samples appended out of order.", {
    float: () => stats.lateFloats,
    histogram: () => stats.lateHistograms,
  });
  const {float, histogram} = stats.refused;
  byType("out_of_order_samples_total", "Samples refused for being out of order where that is not allowed.", {
    float: () => float.outOfOrder,
    histogram: () => histogram.outOfOrder,
  });
  byType("out_of_bound_samples_total", "Samples refused for being older than the head takes.", {
    float: () => float.outOfBounds,
    histogram: () => histogram.outOfBounds,
  });
  byType("too_old_samples_total", "Samples refused for being older than the out-of-order window.", {
    float: () => float.tooOld,
    histogram: () => histogram.tooOld,
  });
  const late = registry.histogram({
    name: tsdb("sample_ooo_delta"),
    help: "Seconds by which samples were late, whether taken or refused.",
    buckets: LATE_SECONDS,
  });
  observe.lateness = (seconds) => late.observe(seconds);
}

function watchMaintenance(registry: Registry, head: Head): void {
  const {stats, observe} = head;
  const count = followCounter.bind(undefined, registry);
  gaugeOf(
    registry,
    "data_replay_duration_seconds",
    "How long start-up read what was on disk.",
    () => stats.replaySeconds,
  );
  count("head_truncations_total", "Attempts to drop old samples from the head.", () => stats.truncations);
  count("head_truncations_failed_total", "Those that failed.", () => stats.truncationsFailed);
  count("checkpoint_creations_total", "Attempts to write a checkpoint of the log.", () => stats.checkpoints);
  count("checkpoint_creations_failed_total", "Those that failed.", () => stats.checkpointsFailed);
  count("checkpoint_deletions_total", "Attempts to remove old checkpoints.", () => stats.checkpointDeletions);
  count("checkpoint_deletions_failed_total", "Those that failed.", () => stats.checkpointDeletionsFailed);
  count("wal_corruptions_total", "Damage found in the log.", () => stats.walCorruptions);
  count("mmap_chunk_corruptions_total", "Damage found in the head's chunk files.", () => stats.chunkCorruptions);
  count("snapshot_replay_error_total", "Snapshots of memory that could not be read.", () => stats.snapshotErrors);
  const gc = registry.summary({
    name: tsdb("head_gc_duration_seconds"),
    help: "How long dropping old samples and series took.",
    quantiles: [],
  });
  observe.collect = (seconds) => gc.observe(seconds);
  const cut = registry.summary({
    name: tsdb("wal_truncate_duration_seconds"),
    help: "How long shortening the log took.",
    quantiles: [],
  });
  observe.truncateLog = (seconds) => cut.observe(seconds);
  const {bytes, samples, range} = blockChunkMetrics(registry);
  observe.blockChunk = (size, n, span) => {
    bytes.observe(size);
    samples.observe(n);
    range.observe(span);
  };
}

function watchExemplars(registry: Registry, {stats, exemplars}: Head): void {
  const gauge = gaugeOf.bind(undefined, registry);
  const count = followCounter.bind(undefined, registry);
  count("exemplar_exemplars_appended_total", "Exemplars appended.", () => stats.exemplars);
  count("exemplar_out_of_order_exemplars_total", "Exemplars refused for their time.", () => stats.exemplarsOutOfOrder);
  gauge("exemplar_exemplars_in_storage", "Exemplars kept.", () => exemplars.size);
  gauge("exemplar_max_exemplars", "Exemplars that are kept at the most.", () => exemplars.capacity);
  gauge("exemplar_series_with_exemplars_in_storage", "Series with exemplars.", () => exemplars.series);
  gauge(
    "exemplar_last_exemplars_timestamp_seconds",
    "Time of the oldest exemplar kept.",
    () => exemplars.oldest / 1000,
  );
}

function watchLog(registry: Registry, log: string, dir: string, writer: () => WalWriter | undefined): void {
  const count = (name: string, help: string, read: (log: WalWriter) => number): void =>
    followCounter(registry, `${log}_${name}`, help, () => {
      const open = writer();
      return open === undefined ? 0 : read(open);
    });
  count("page_flushes_total", "Writes to the log's file.", ({stats}) => stats.flushes);
  count("completed_pages_total", "Pages of the log that are full.", ({stats}) => stats.completedPages);
  count("record_part_writes_total", "Parts of records written.", ({stats}) => stats.parts);
  count("record_parts_bytes_written_total", "Bytes of those, headers included.", ({stats}) => stats.partBytes);
  count("truncations_total", "Attempts to remove old segments.", ({stats}) => stats.truncations);
  count("truncations_failed_total", "Those that failed.", ({stats}) => stats.truncationsFailed);
  count("writes_failed_total", "Records that could not be written.", ({stats}) => stats.writesFailed);
  const saved = registry
    .counter({
      name: tsdb(`${log}_record_bytes_saved_total`),
      help: "Bytes that compression took off records.",
      labels: ["compression"],
    })
    .with({compression: writer()?.compression ?? "none"});
  registry.onScrape(
    follow(
      () => writer()?.stats.savedBytes ?? 0,
      (by) => saved.inc(by),
    ),
  );
  gaugeOf(registry, `${log}_segment_current`, "Segment being written.", () => writer()?.segment ?? -1);
  gaugeOf(registry, `${log}_storage_size_bytes`, "Size of the log.", () => logBytes(dir));
  const sync = registry.summary({
    name: tsdb(`${log}_fsync_duration_seconds`),
    help: "How long syncing the log to disk took.",
    quantiles: [0.5, 0.9, 0.99],
  });
  const open = writer();
  if (open !== undefined) open.stats.onSync = (seconds) => sync.observe(seconds);
}

/** Read by a scan, which is cheaper than to keep count at every sample. */
function staleSeries({store}: Head): number {
  const {table, open, floats} = store;
  let stale = 0;
  for (let slot = 0; slot < table.slots; slot++) {
    if (table.ref[slot] === 0) continue;
    const chunk = open[slot] === OPEN.object ? store.objects.get(slot) : undefined;
    if (chunk !== undefined && chunk.kind !== "floats") stale += chunk.endsStale ? 1 : 0;
    else if (floats.words[2 * slot] === STALE_LOW && floats.words[2 * slot + 1] === STALE_HIGH) stale++;
  }
  return stale;
}

const orZero = (t: number): number => (Number.isFinite(t) ? t : 0);
