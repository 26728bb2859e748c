export {
  CHUNKS_DIR,
  DELETION_MARK_FILE,
  INDEX_FILE,
  INDEX_HEADER_FILE,
  META_FILE,
  NO_COMPACT_MARK_FILE,
  NO_DOWNSAMPLE_MARK_FILE,
} from "./block-files.ts";
export {BucketAccess} from "./bucket-access.ts";
export {buildIndexHeader} from "./index-header/build.ts";
export {type IndexHeaderEvents, LazyIndexHeader} from "./index-header/lazy-index-header.ts";
export {NO_RANGE, type ValueRanges} from "./index-header/postings-table.ts";
export {IndexHeaderReader} from "./index-header/reader.ts";
