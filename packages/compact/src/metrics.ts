import type {Registry} from "@strata/telemetry";
import {blockChunkMetrics} from "@strata/tsdb/blocks";
import {QUARANTINE_REASON} from "./bucket/marks.ts";
import {RESOLUTION} from "./downsample/resolution.ts";
import {EXCLUDE_REASON} from "./plan/limited-plan.ts";

/** Compat: bounds of the original's histograms, seconds. */
const GARBAGE_SECONDS = [0.01, 0.1, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 60, 90, 120, 240, 360, 720];
const DOWNSAMPLE_SECONDS = [60, 300, 900, 1800, 3600, 7200, 14_400];
const COMPACTION_SECONDS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192];

const RESOLUTIONS = Object.values(RESOLUTION).map((resolution) => ({resolution: String(resolution)}));
/** What a backlog consists of. */
export const BACKLOGS = ["compaction", "downsampling", "retention"] as const;

export type CompactMetrics = ReturnType<typeof compactMetrics>;

/** Metrics of the compactor; those named `strata_` are ours alone. */
export const compactMetrics = (r: Registry) => {
  const byResolution = (name: string, help: string) =>
    r.counter({name: `thanos_compact_${name}`, help, labels: ["resolution"] as const, preset: RESOLUTIONS});
  const counter = (name: string, help: string) => r.counter({name: `thanos_compact_${name}`, help});
  const gauge = (name: string, help: string) => r.gauge({name: `thanos_compact_${name}`, help});
  return {
    halted: gauge("halted", "1 once the compactor has halted for an error."),
    retries: counter("retries_total", "Rounds that failed with what a retry may mend."),
    iterations: counter("iterations_total", "Rounds that ended well."),
    cleanupLoops: counter("block_cleanup_loops_total", "Rounds of deleting marked blocks and aborted uploads."),
    partialUploads: counter("aborted_partial_uploads_deletion_attempts_total", "Aborted uploads that were deleted."),
    cleaned: counter("blocks_cleaned_total", "Marked blocks that were deleted."),
    cleanupFailures: counter("block_cleanup_failures_total", "Marked blocks that could not be deleted."),
    marked: r.counter({
      name: "thanos_compact_blocks_marked_total",
      help: "Marks that were put on blocks.",
      labels: ["marker", "reason"] as const,
      preset: [
        {marker: "deletion-mark.json", reason: ""},
        ...Object.values(EXCLUDE_REASON).map((reason) => ({marker: "no-compact-mark.json", reason})),
      ],
    }),
    garbageCollected: counter("garbage_collected_blocks_total", "Blocks marked because another one holds their data."),
    garbageCollections: counter("garbage_collection_total", "Searches for blocks whose data another one holds."),
    garbageFailures: counter("garbage_collection_failures_total", "Such searches that failed."),
    garbageSeconds: r.histogram({
      name: "thanos_compact_garbage_collection_duration_seconds",
      help: "How long such searches took.",
      buckets: GARBAGE_SECONDS,
    }),
    compactions: byResolution("group_compactions_total", "Merges that made a new block."),
    runsStarted: byResolution("group_compaction_runs_started_total", "Groups that were looked at."),
    runsCompleted: byResolution("group_compaction_runs_completed_total", "Groups that were worked through."),
    failures: byResolution("group_compactions_failures_total", "Groups that failed."),
    vertical: byResolution("group_vertical_compactions_total", "Merges of blocks that overlap in time."),
    downsamplings: byResolution("downsample_total", "Blocks that were downsampled."),
    downsampleFailures: byResolution("downsample_failures_total", "Blocks that could not be downsampled."),
    downsampleSeconds: r.histogram({
      name: "thanos_compact_downsample_duration_seconds",
      help: "How long downsampling a block took.",
      buckets: DOWNSAMPLE_SECONDS,
      labels: ["resolution"] as const,
      preset: RESOLUTIONS,
    }),
    todoCompactions: gauge("todo_compactions", "Merges still to do."),
    todoCompactionBlocks: gauge("todo_compaction_blocks", "Blocks that go into merges still to do."),
    todoDownsampleBlocks: gauge("todo_downsample_blocks", "Blocks still to be downsampled."),
    todoDeletionBlocks: gauge("todo_deletion_blocks", "Blocks beyond their retention that are not marked yet."),
    deleteDelay: r.gauge({
      name: "thanos_delete_delay_seconds",
      help: "Time between a block's mark and its deletion.",
    }),
    merges: r.counter({name: "prometheus_tsdb_compactions_total", help: "Merges of blocks."}),
    verticalMerges: r.counter({
      name: "prometheus_tsdb_vertical_compactions_total",
      help: "Merges of blocks that overlap in time.",
    }),
    mergeSeconds: r.histogram({
      name: "prometheus_tsdb_compaction_duration_seconds",
      help: "How long merges took.",
      buckets: COMPACTION_SECONDS,
    }),
    chunks: blockChunkMetrics(r),
    backlogSamples: r.gauge({
      name: "strata_compact_backlog_samples",
      help: "Samples in blocks that wait for the kind of work.",
      labels: ["work"] as const,
      preset: BACKLOGS.map((work) => ({work})),
    }),
    backlogHours: r.gauge({
      name: "strata_compact_backlog_hours",
      help: "Hours of data, summed over groups, that wait for the kind of work.",
      labels: ["work"] as const,
      preset: BACKLOGS.map((work) => ({work})),
    }),
    quarantined: r.counter({
      name: "strata_compact_quarantined_blocks_total",
      help: "Blocks set aside because they cannot be handled; their marks say why.",
      labels: ["reason"] as const,
      // There before the first one, or nobody sees it as an increase.
      preset: [...Object.values(QUARANTINE_REASON), EXCLUDE_REASON.outOfOrder].map((reason) => ({reason})),
    }),
    held: r.gauge({
      name: "strata_compact_retention_held_blocks",
      help: "Blocks beyond their retention that are kept because the coarser block they should have become is missing.",
      labels: ["resolution"] as const,
      preset: RESOLUTIONS,
    }),
    keptMarked: r.gauge({
      name: "strata_compact_kept_marked_blocks",
      help: "Blocks due for deletion that are kept because no other block holds their data.",
    }),
    rivals: r.gauge({
      name: "strata_compact_rivals",
      help: "Other compactors seen at work on the same blocks.",
    }),
  };
};
