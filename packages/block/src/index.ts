export {
  CHUNKS_DIR,
  DELETION_MARK_FILE,
  INDEX_FILE,
  INDEX_HEADER_FILE,
  META_FILE,
  NO_COMPACT_MARK_FILE,
  NO_DOWNSAMPLE_MARK_FILE,
} from "./block-files.ts";
export {
  blockFiles,
  deleteBlock,
  downloadBlock,
  type HashFunc,
  readLocalMeta,
  segmentFiles,
  type UploadOptions,
  uploadBlock,
} from "./block-transfer.ts";
export {BucketAccess} from "./bucket-access.ts";
export {externalLabels, groupKey, resolutionOf} from "./external-labels.ts";
export {buildIndexHeader} from "./index-header/build.ts";
export {type IndexHeaderEvents, LazyIndexHeader} from "./index-header/lazy-index-header.ts";
export {NO_RANGE, type PostingOffsets, type ValueRanges} from "./index-header/posting-offsets.ts";
export {IndexHeaderReader} from "./index-header/reader.ts";
export {IndexHealth, IndexWalk, indexHealth} from "./index-health.ts";
export {encodeMark, type Mark, type MarkKind, readMark, removeMark, writeMark} from "./markers.ts";
export {
  BaseFetcher,
  type BaseFetcherOptions,
  type BucketView,
  type DiscoveryStrategy,
} from "./meta-fetcher/base-fetcher.ts";
export {
  consistencyDelayFilter,
  DeletionMarkFilter,
  DuplicateFilter,
  labelShardFilter,
  type MetaFilter,
  replicaLabelRemover,
  timePartitionFilter,
} from "./meta-fetcher/filters.ts";
export {type FetchResult, MetaFetcher} from "./meta-fetcher/meta-fetcher.ts";
export {parquetConvertedFilter} from "./meta-fetcher/parquet-filter.ts";
export {type FetcherMetrics, fetcherMetrics} from "./meta-fetcher/sync-state.ts";
export {SHIPPER_STATE_FILE, Shipper, type ShipperOptions} from "./shipper.ts";
