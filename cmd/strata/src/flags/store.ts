import {
  BEGIN_OF_TIME,
  corsFlags,
  END_OF_TIME,
  grpcServerFlags,
  httpFlags,
  prefixFlags,
  requestLogFlags,
  requiredObjstoreFlags,
  selectorFlags,
  storeLimitFlags,
} from "./shared.ts";
import {bool, bytes, content, dur, type FlagTable, float, godur, int, oneOf, path, text, time, uint} from "./spec.ts";

export const storeFlags = {
  ...httpFlags,
  ...grpcServerFlags,
  "data-dir": path({default: "./data", help: "Where index-headers and other local copies are kept; may be lost."}),
  "cache-index-header": bool({
    default: "true",
    help: "Keep index-headers and metas in --data-dir between starts; without it in memory, and nothing on disk.",
  }),
  "index-cache-size": bytes({
    default: "250MB",
    help: "Memory for index entries, unless --index-cache.config says more; untouched, an eighth of --store.memory-budget at the most.",
  }),
  "index-cache.config": content({help: "Index cache: YAML with `type` (IN-MEMORY, MEMCACHED, REDIS) and `config`."}),
  "store.caching-bucket.config": content({hidden: true, help: "Cache in front of the bucket, same form."}),
  "chunk-pool-size": bytes({default: "2GB", help: "What --store.memory-budget is when it is not given."}),
  "store.memory-budget": bytes({
    default: "0",
    help: "Most memory for what calls hold: postings, series and chunks. Calls wait for their turn, and fail when one needs more.",
  }),
  "store.grpc.touched-series-limit": uint({
    default: "0",
    sharesWith: "store.limits.request-series",
    deprecated: "use --store.limits.request-series",
    help: "Old name of --store.limits.request-series.",
  }),
  "store.grpc.series-sample-limit": uint({
    default: "0",
    sharesWith: "store.limits.request-samples",
    deprecated: "use --store.limits.request-samples",
    help: "Old name of --store.limits.request-samples.",
  }),
  "store.grpc.downloaded-bytes-limit": bytes({
    default: "0",
    help: "Most bytes one Series call may fetch from the bucket; 0 means no limit.",
  }),
  "store.grpc.series-max-concurrency": int({default: "20", help: "Series calls that run at once."}),
  ...requiredObjstoreFlags,
  "objstore-parquet.config": content({help: "Bucket of blocks converted to Parquet, which are then not served here."}),
  "sync-block-duration": godur({default: "15m", help: "How often the bucket is looked at for new blocks."}),
  "block-discovery-strategy": oneOf(["concurrent", "recursive"], {
    default: "concurrent",
    help: "List the bucket by block directories, many at once, or in one recursive listing.",
  }),
  "block-sync-concurrency": uint({default: "20", help: "Blocks loaded at once."}),
  "block-meta-fetch-concurrency": uint({default: "32", help: "meta.json objects read at once."}),
  "min-time": time({default: BEGIN_OF_TIME, help: "Serve only blocks with samples from this time on."}),
  "max-time": time({default: END_OF_TIME, help: "Serve only blocks with samples up to this time."}),
  ...selectorFlags,
  "consistency-delay": dur({default: "0s", help: "Leave out blocks uploaded less than this ago."}),
  "ignore-deletion-marks-delay": dur({
    default: "24h",
    help: "How long blocks marked for deletion are still served; below the compactor's --delete-delay.",
  }),
  "store.enable-index-header-lazy-reader": bool({help: "Load index-headers when a query needs them."}),
  "store.index-header-lazy-reader-idle-timeout": godur({
    default: "5m",
    hidden: true,
    help: "Unload a lazily loaded index-header after this time without use.",
  }),
  "store.index-header-posting-offsets-in-mem-sampling": int({
    default: "32",
    hidden: true,
    help: "Keep one of so many posting offsets in memory.",
  }),
  "store.index-header-lazy-download-strategy": oneOf(["eager", "lazy"], {
    default: "eager",
    help: "Fetch index-headers at start or when first needed.",
  }),
  "store.enable-lazy-expanded-postings": bool({
    help: "Do not fetch postings that are larger than the series they save; check these on their labels instead.",
  }),
  "store.posting-group-max-key-series-ratio": float({
    default: "100",
    help: "With lazy postings: put off a matcher with more values than this times the series found so far; 0 for no bound.",
  }),
  "debug.series-batch-size": int({
    default: "10000",
    hidden: true,
    help: "Series of a block read together; some hundred unless set.",
  }),
  "debug.estimated-max-series-size": uint({
    default: "65536",
    hidden: true,
    help: "Bytes guessed for a series entry where its block does not say, and at the most.",
  }),
  "debug.estimated-max-chunk-size": uint({
    default: "16000",
    hidden: true,
    help: "Bytes guessed for a chunk where its block does not say, and at the most.",
  }),
  "web.disable": bool({help: "Do not serve the page of blocks."}),
  ...prefixFlags,
  "bucket-web-label": text({default: "", help: "External label by which the page groups blocks."}),
  ...corsFlags,
  ...requestLogFlags,
  ...storeLimitFlags,
  "matcher-cache-size": int({default: "0", help: "Regular expressions of requests to keep compiled; 0 keeps none."}),
  "disable-admin-operations": bool({help: "Refuse to mark blocks through the API."}),
} satisfies FlagTable;
