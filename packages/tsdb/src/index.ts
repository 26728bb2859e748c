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
export {type CommitResult, HeadAppender} from "./head/appender.ts";
export {Db, type DbEvent, type DbOptions} from "./head/db.ts";
export {type ExemplarStatus, MAX_EXEMPLAR_RUNES} from "./head/exemplars.ts";
export {DEFAULT_CHUNK_RANGE, Head, type HeadOptions} from "./head/head.ts";
export {compactHead, compactOutOfOrder, snapshotHead, writeHeadBlock} from "./head/head-blocks.ts";
export {type HeadStatistics, headStatistics} from "./head/head-statistics.ts";
export type {ReplayProgress, ReplayReport} from "./head/replay.ts";
export {APPEND, type AppendStatus} from "./head/series-store.ts";
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
export {analysisLines, analyzeBlock, type BlockAnalysis} from "./tools/analyze-block.ts";
export {type BenchOptions, type BenchStage, benchWrite} from "./tools/bench-write.ts";
export {
  BlocksFromSamples,
  type BlocksFromSamplesOptions,
  blockRange,
  SHORTEST_BLOCK,
} from "./tools/blocks-from-samples.ts";
export {DataDir, type DataDirOptions} from "./tools/data-dir.ts";
export {type DumpOptions, dumpLine, dumpSamples, openMetricsLine} from "./tools/dump-samples.ts";
export {parseGoFloat} from "./tools/go-text.ts";
export {goldenDataLines, goldenHeadLines} from "./tools/golden-data-dir.ts";
export {goldenDump, goldenSamples} from "./tools/golden-dump.ts";
export {type ImportOptions, importOpenMetrics} from "./tools/import-openmetrics.ts";
export {type ListedBlock, listBlocks, listLines} from "./tools/list-blocks.ts";
export {type BlockReport, type VerifyStage, verifyBlock} from "./verify-block.ts";
export type {WalCompression} from "./wal/compression.ts";
export {
  decodeHistogramRecord,
  encodeHistogramRecords,
  type HistogramSample,
} from "./wal/histogram-records.ts";
export {
  decodeSeries,
  type RefExemplar,
  type RefMetadata,
  readLabels,
  SeriesRecord,
  writeLabels,
} from "./wal/other-records.ts";
export {RECORD} from "./wal/record-type.ts";
export {decodeSamples, encodeSamples, SampleColumns} from "./wal/sample-records.ts";
export {listSegments, type Segment, WAL_DIR} from "./wal/segments.ts";
export {SegmentReader} from "./wal/wal-reader.ts";
export {type WalSync, WalWriter, type WalWriterOptions} from "./wal/wal-writer.ts";
export {
  type BlockDescription,
  BlockWriter,
  type BlockWriterOptions,
  TMP_FOR_CREATION,
  TMP_FOR_DELETION,
} from "./writer/block-writer.ts";
export {type ChunkMetas, compareRefs, IndexWriter} from "./writer/index-writer.ts";
