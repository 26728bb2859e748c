import {
  BEGIN_OF_TIME,
  corsFlags,
  END_OF_TIME,
  hashFlags,
  httpFlags,
  objstoreFlags,
  routePrefixFlags,
  selectorFlags,
} from "./shared.ts";
import {bool, bytes, dur, type FlagTable, godur, int, many, oneOf, path, text, time} from "./spec.ts";

const debugFlags = {
  "debug.halt-on-error": bool({
    hidden: true,
    help: "Stop at a block that cannot be handled, instead of setting it aside and going on.",
  }),
  "debug.accept-malformed-index": bool({hidden: true, help: "Do not check indexes."}),
  "debug.max-compaction-level": int({
    default: "4",
    hidden: true,
    help: "Highest level to compact to (2h, 8h, 2d, 14d).",
  }),
} satisfies FlagTable;

export const retentionFlags = {
  "retention.resolution-raw": dur({default: "0d", help: "How long raw samples are kept; 0d is for ever."}),
  "retention.resolution-5m": dur({default: "0d", help: "How long 5 m samples are kept; 0d is for ever."}),
  "retention.resolution-1h": dur({default: "0d", help: "How long 1 h samples are kept; 0d is for ever."}),
} satisfies FlagTable;

export const compactFlags = {
  ...httpFlags,
  "data-dir": path({default: "./data", help: "Where blocks are worked on; may be lost."}),
  ...objstoreFlags,
  "consistency-delay": godur({default: "30m", help: "Leave alone blocks uploaded less than this ago."}),
  ...retentionFlags,
  wait: bool({short: "w", help: "Stay and look for work again and again."}),
  "wait-interval": godur({default: "5m", help: "Pause between two rounds."}),
  "downsampling.disable": bool({help: "Do not downsample."}),
  "block-discovery-strategy": oneOf(["concurrent", "recursive"], {
    default: "concurrent",
    help: "List the bucket by block directories, many at once, or in one recursive listing.",
  }),
  "block-meta-fetch-concurrency": int({default: "32", help: "meta.json objects read at once."}),
  "block-files-concurrency": int({default: "1", help: "Files of one block transferred at once."}),
  "block-viewer.global.sync-block-interval": godur({
    default: "1m",
    help: "How often the page of all blocks is refreshed.",
  }),
  "block-viewer.global.sync-block-timeout": godur({default: "5m", help: "How long a refresh may take."}),
  "compact.cleanup-interval": godur({
    default: "5m",
    help: "How often marked and partial blocks are deleted; 0s never.",
  }),
  "compact.progress-interval": godur({
    default: "5m",
    help: "How often the metrics of work to do are computed; 0s never.",
  }),
  "compact.concurrency": int({default: "1", help: "Groups compacted at once."}),
  "compact.blocks-fetch-concurrency": int({default: "1", help: "Blocks of a group downloaded at once."}),
  "downsample.concurrency": int({default: "1", help: "Blocks downsampled at once."}),
  "delete-delay": dur({default: "48h", help: "Time between mark and deletion of a block; 0 deletes at once."}),
  "compact.enable-vertical-compaction": bool({hidden: true, help: "Merge blocks that overlap in time."}),
  "deduplication.func": oneOf(["", "penalty"], {
    default: "",
    experimental: true,
    help: "How overlapping blocks merge: equal samples one to one, or replicas by penalty.",
  }),
  "deduplication.replica-label": many(
    text({commas: true, experimental: true, help: "External label that tells replicas apart; they are merged."}),
  ),
  ...hashFlags,
  "compact.block-max-index-size": bytes({
    default: "64GB",
    hidden: true,
    help: "Do not compact blocks beyond this index.",
  }),
  "compact.skip-block-with-out-of-order-chunks": bool({hidden: true, help: "Set such blocks aside."}),
  ...debugFlags,
  "min-time": time({default: BEGIN_OF_TIME, help: "Handle only blocks with samples from this time on."}),
  "max-time": time({default: END_OF_TIME, help: "Handle only blocks with samples up to this time."}),
  ...selectorFlags,
  "web.disable": bool({help: "Serve no page and no API."}),
  ...routePrefixFlags,
  ...corsFlags,
  "bucket-web-label": text({default: "", help: "External label by which the page groups blocks."}),
  "disable-admin-operations": bool({help: "Refuse to mark blocks through the API."}),
} satisfies FlagTable;
