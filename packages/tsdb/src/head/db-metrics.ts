import type {Registry} from "@strata/telemetry";
import type {Db} from "./db.ts";
import {followCounter, gaugeOf} from "./head-metrics.ts";

/** What a database counts besides its head. */
export class DbStats {
  reloads = 0;
  reloadsFailed = 0;
  /** Rounds in which blocks were due, and those that failed. */
  compactionsTriggered = 0;
  compactionsFailed = 0;
  /** Blocks written. */
  compactions = 0;
  timeRetentions = 0;
  sizeRetentions = 0;
  /** 1: no lock file was in the way; 0: one of a killed process was; −1: no lock is used. */
  cleanStart = -1;
  /** Hears how long writing due blocks, or taking deletions out of blocks, took. */
  onCompaction: (seconds: number) => void = () => {};
  onCleanup: (seconds: number) => void = () => {};
}

const COMPACTION_SECONDS = Array.from({length: 14}, (_, i) => 2 ** i);

/** Puts a database's metrics, named as in Prometheus, into a registry; the head's come by themselves. */
export function watchDb(registry: Registry, db: Db): void {
  const {stats, limits} = db;
  const gauge = gaugeOf.bind(undefined, registry);
  const count = followCounter.bind(undefined, registry);
  const zero = (): number => 0;
  gauge("blocks_loaded", "Blocks open.", () => db.blocks.length);
  gauge("symbol_table_size_bytes", "Size of the open blocks' symbol tables, on disk.", () =>
    db.blocks.reduce((sum, {index}) => sum + index.symbols.extent.to - index.symbols.extent.from, 0),
  );
  gauge("storage_blocks_bytes", "Size of all blocks on disk.", () => db.blocksBytes);
  gauge("lowest_timestamp", "First time in the database, ms.", () => (Number.isFinite(db.minTime) ? db.minTime : 0));
  gauge("retention_limit_seconds", "How long blocks are kept; 0 is for ever.", () => limits.retentionMs / 1000);
  gauge("retention_limit_bytes", "What blocks may take on disk; 0 is without limit.", () => limits.retentionBytes);
  gauge("clean_start", "-1: no lock file is used, 0: an old one was in the way, 1: none was.", () => stats.cleanStart);
  gauge("compaction_populating_block", "Always 0: blocks are not told apart while they are written.", zero);
  count("reloads_total", "Times that the blocks on disk were looked at anew.", () => stats.reloads);
  count("reloads_failures_total", "Those that failed.", () => stats.reloadsFailed);
  count("compactions_triggered_total", "Times that blocks were due.", () => stats.compactionsTriggered);
  count("compactions_failed_total", "Those that failed.", () => stats.compactionsFailed);
  count("compactions_skipped_total", "Always 0: nothing switches compactions off.", zero);
  count("compactions_total", "Blocks written.", () => stats.compactions);
  count("vertical_compactions_total", "Always 0: overlapping blocks are merged elsewhere.", zero);
  count("time_retentions_total", "Times that blocks were deleted for their age.", () => stats.timeRetentions);
  count("size_retentions_total", "Times that blocks were deleted for their size.", () => stats.sizeRetentions);
  const compaction = registry.histogram({
    name: "prometheus_tsdb_compaction_duration_seconds",
    help: "How long writing due blocks took.",
    buckets: COMPACTION_SECONDS,
  });
  stats.onCompaction = (seconds) => compaction.observe(seconds);
  const cleanup = registry.histogram({
    name: "prometheus_tsdb_tombstone_cleanup_seconds",
    help: "How long taking deleted samples out of blocks took.",
  });
  stats.onCleanup = (seconds) => cleanup.observe(seconds);
}
