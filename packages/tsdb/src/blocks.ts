// What reads, writes and merges blocks, without head, log and tools. PERF: half the files, which a compactor's threads start
// without.
export {blockBytes} from "./block-bytes.ts";
export {blockChunkMetrics} from "./block-chunk-metrics.ts";
export {
  type BlockCompaction,
  type BlockDesc,
  type BlockFile,
  type BlockMeta,
  type BlockRewrite,
  type BlockSource,
  type BlockStats,
  EMPTY_STATS,
  EMPTY_THANOS_META,
  encodeBlockMeta,
  HINT_OUT_OF_ORDER,
  inOrderEnd,
  parseBlockMeta,
  type ThanosMeta,
  ZERO_TIME,
} from "./block-meta.ts";
export {BlockReader, type BlockReaderOptions, META_FILE, readBlockMeta} from "./block-reader.ts";
export {
  CHUNKS_DIR,
  ChunkSegments,
  type ChunkVisitor,
  chunkRef,
  offsetOf,
  segmentOf,
} from "./chunk-segments.ts";
export {BlockCursor, type SymbolMap} from "./compact/block-cursor.ts";
export type {ChunkItem} from "./compact/chunk-item.ts";
export {type CompactOptions, compactBlocks, type MergeSeries} from "./compact/compact-blocks.ts";
export {mergeSymbols} from "./compact/merge-symbols.ts";
export {type MergeChunks, mergeOverlaps, mergeSamples} from "./compact/overlap-chunks.ts";
export {
  INDEX_FILE,
  INDEX_HEADER_BYTES,
  INDEX_MAGIC,
  INDEX_V1,
  INDEX_V2,
  type IndexToc,
  parseIndexHeader,
  parseIndexToc,
  SERIES_ALIGN,
  TOC_BYTES,
} from "./index/index-format.ts";
export {IndexReader, type SeriesVisitor} from "./index/index-reader.ts";
export {decodeBigEndianIds, decodePostingList, LIST_OVERHEAD} from "./index/posting-list.ts";
export {gallop, type IdList, intersect, intersects, intersectTwo, subtract, union} from "./index/postings-ops.ts";
export {type LabelSource, selectLabelNames, selectLabelValues} from "./index/select-labels.ts";
export {matcherValues, type PostingsSource, type Selection, selectPostings} from "./index/select-postings.ts";
export {
  decodeSeriesContent,
  decodeSeriesEntry,
  MAX_ENTRY_LENGTH_BYTES,
  SeriesEntry,
  seriesEntrySize,
} from "./index/series-entry.ts";
export {BufferAccess, FileAccess, type RandomAccess} from "./random-access.ts";
export {type LabelChange, reordered} from "./series-order.ts";
export {ROW_STRIDE, type SeriesRow} from "./series-row.ts";
export {StoredChunks} from "./stored-chunks.ts";
export {
  covers,
  decodeTombstones,
  encodeTombstones,
  type Interval,
  readTombstones,
  TOMBSTONES_FILE,
  Tombstones,
  touches,
} from "./tombstones.ts";
export {type BlockReport, type VerifyStage, verifyBlock} from "./verify-block.ts";
export {
  type BlockDescription,
  BlockWriter,
  type BlockWriterOptions,
  TMP_FOR_CREATION,
  TMP_FOR_DELETION,
} from "./writer/block-writer.ts";
export {type ChunkMetas, compareRefs, IndexWriter} from "./writer/index-writer.ts";
