import {tmpdir} from "node:os";
import {join} from "node:path";
import {retentionFlags} from "./compact.ts";
import {
  BEGIN_OF_TIME,
  corsFlags,
  END_OF_TIME,
  hashFlags,
  httpFlags,
  requiredObjstoreFlags,
  routePrefixFlags,
  selectorFlags,
} from "./shared.ts";
import {
  address,
  bool,
  content,
  dur,
  type FlagTable,
  godur,
  int,
  label,
  many,
  oneOf,
  path,
  text,
  time,
  uint,
  ulid,
} from "./spec.ts";

const windowFlags = {
  "min-time": time({default: BEGIN_OF_TIME, help: "Only blocks with samples from this time on."}),
  "max-time": time({default: END_OF_TIME, help: "Only blocks with samples up to this time."}),
} satisfies FlagTable;

const sweepFlags = {
  "delete-delay": godur({default: "48h", help: "Time between mark and deletion of a block."}),
  "consistency-delay": godur({default: "30m", help: "Leave alone blocks uploaded less than this ago."}),
  "block-sync-concurrency": int({default: "20", help: "meta.json objects read at once."}),
} satisfies FlagTable;

const metaTimeout = godur({default: "5m", help: "How long reading the metas may take."});

export const bucketVerifyFlags = {
  ...requiredObjstoreFlags,
  "objstore-backup.config": content({help: "Bucket to which blocks are copied before a repair removes them."}),
  repair: bool({short: "r", help: "Mend what is found."}),
  issues: many(
    text({
      short: "i",
      default: ["index_known_issues", "overlapped_blocks"],
      help: "What to look for: index_known_issues, overlapped_blocks, duplicated_compaction.",
    }),
  ),
  id: many(ulid({help: "Only this block."})),
  "delete-delay": dur({default: "0s", help: "Time between mark and deletion of a removed block."}),
} satisfies FlagTable;

export const bucketLsFlags = {
  ...requiredObjstoreFlags,
  ...selectorFlags,
  output: text({short: "o", default: "", help: "json, wide, or a template over a meta; ids only when left out."}),
  "exclude-delete": bool({help: "Leave out blocks marked for deletion."}),
  ...windowFlags,
  timeout: metaTimeout,
} satisfies FlagTable;

/** What `bucket inspect` shows of a block. */
export const INSPECT_COLUMNS = [
  "ULID",
  "FROM",
  "UNTIL",
  "RANGE",
  "UNTIL-DOWN",
  "#SERIES",
  "#SAMPLES",
  "#CHUNKS",
  "COMP-LEVEL",
  "COMP-FAILED",
  "LABELS",
  "RESOLUTION",
  "SOURCE",
] as const;

export const bucketInspectFlags = {
  ...requiredObjstoreFlags,
  selector: many(label({short: "l", help: "Only blocks with this external label."})),
  "sort-by": many(oneOf(INSPECT_COLUMNS, {default: ["FROM", "UNTIL"], help: "Column to sort by."})),
  timeout: metaTimeout,
  output: oneOf(["table", "tsv", "csv"], {default: "table", help: "Form of the output."}),
} satisfies FlagTable;

export const bucketWebFlags = {
  ...httpFlags,
  ...requiredObjstoreFlags,
  ...selectorFlags,
  ...routePrefixFlags,
  ...corsFlags,
  refresh: godur({default: "30m", help: "How often the bucket is looked at."}),
  timeout: metaTimeout,
  label: text({default: "", help: "External label by which the page groups blocks."}),
  "disable-admin-operations": bool({help: "Refuse to mark blocks through the API."}),
  ...windowFlags,
} satisfies FlagTable;

export const bucketReplicateFlags = {
  ...httpFlags,
  ...requiredObjstoreFlags,
  "objstore-to.config": content({help: "Bucket to copy blocks to."}),
  resolution: many(godur({default: ["0s", "5m", "1h"], help: "Resolution of blocks to copy."})),
  "compaction-min": int({default: "1", help: "Lowest compaction level to copy."}),
  "compaction-max": int({default: "4", help: "Highest compaction level to copy."}),
  compaction: many(int({help: "Compaction level to copy; overrides the two above."})),
  matcher: text({default: "", help: 'Only blocks whose external labels match, such as {cluster="eu"}.'}),
  "single-run": bool({help: "Copy what is there, then end."}),
  ...windowFlags,
  id: many(ulid({help: "Copy this block, then end."})),
  "ignore-marked-for-deletion": bool({help: "Leave out blocks marked for deletion."}),
} satisfies FlagTable;

export const bucketDownsampleFlags = {
  ...httpFlags,
  ...requiredObjstoreFlags,
  "wait-interval": godur({default: "5m", help: "Pause between two rounds."}),
  "downsample.concurrency": int({default: "1", help: "Blocks downsampled at once."}),
  "block-files-concurrency": int({default: "1", help: "Files of one block transferred at once."}),
  "data-dir": path({default: "./data", help: "Where blocks are worked on; may be lost."}),
  ...hashFlags,
} satisfies FlagTable;

export const bucketCleanupFlags = {
  ...requiredObjstoreFlags,
  ...selectorFlags,
  ...sweepFlags,
} satisfies FlagTable;

export const bucketMarkFlags = {
  ...requiredObjstoreFlags,
  id: many(ulid({required: true, help: "Block to mark."})),
  marker: oneOf(["deletion-mark.json", "no-compact-mark.json", "no-downsample-mark.json"], {
    required: true,
    help: "Which mark.",
  }),
  details: text({default: "", help: "Why; needed unless the mark is removed."}),
  remove: bool({help: "Remove the mark."}),
} satisfies FlagTable;

export const bucketRewriteFlags = {
  ...requiredObjstoreFlags,
  id: many(ulid({required: true, help: "Block to rewrite."})),
  "tmp.dir": path({default: join(tmpdir(), "thanos-rewrite"), help: "Where blocks are worked on."}),
  "dry-run": bool({default: "true", help: "Only show what would change."}),
  "prom-blocks": bool({help: "The blocks are Prometheus's own, without external labels."}),
  "delete-blocks": bool({help: "Mark the originals for deletion afterwards."}),
  ...hashFlags,
  "rewrite.to-delete-config": content({help: "Series and time ranges to delete, as YAML."}),
  "rewrite.to-relabel-config": content({help: "Relabelling of series, as YAML."}),
  "rewrite.add-change-log": bool({default: "true", help: "Write what changed into change.log."}),
} satisfies FlagTable;

export const bucketRetentionFlags = {
  ...requiredObjstoreFlags,
  ...selectorFlags,
  ...sweepFlags,
  ...retentionFlags,
} satisfies FlagTable;

export const bucketUploadBlocksFlags = {
  ...requiredObjstoreFlags,
  path: path({default: "./data", help: "Directory with the blocks."}),
  label: many(label({help: "External label to add."})),
  "shipper.upload-compacted": bool({help: "Upload compacted blocks, too."}),
  "shipper.upload-concurrency": uint({default: "5", help: "Files of a block uploaded at once."}),
} satisfies FlagTable;

export const rulesCheckFlags = {
  rules: many(path({required: true, help: "Rule file or PrometheusRule manifest to check; * is allowed in names."})),
  lint: bool({help: "Also look for what is valid, but likely wrong. Ends with 3 when there is something."}),
  output: oneOf(["text", "json", "github"], {default: "text", help: "Form of the findings of --lint."}),
  query: address({default: "", help: "Querier to ask for series, types and scrape intervals, for --lint."}),
  "scrape-interval": dur({default: "30s", help: "Scrape interval of metrics that no querier knows, for --lint."}),
} satisfies FlagTable;

export const testRulesFlags = {
  run: many(text({help: "Run only test groups in whose name this regular expression finds something."})),
  "ignore-unknown-fields": bool({help: "Pass over fields of a test file that are not known."}),
  "enable-feature": many(
    text({
      commas: true,
      help: "Features of the language to switch on: promql-experimental-functions, promql-all and others.",
    }),
  ),
} satisfies FlagTable;
