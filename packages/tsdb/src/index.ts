export {
  type BlockCompaction,
  BlockCursor,
  type BlockDesc,
  type BlockDescription,
  type BlockFile,
  type BlockMeta,
  BlockReader,
  type BlockReaderOptions,
  type BlockReport,
  type BlockRewrite,
  type BlockSource,
  type BlockStats,
  BlockWriter,
  type BlockWriterOptions,
  BufferAccess,
  blockBytes,
  blockChunkMetrics,
  CHUNKS_DIR,
  type ChunkItem,
  type ChunkMetas,
  ChunkSegments,
  type ChunkVisitor,
  type CompactOptions,
  chunkRef,
  compactBlocks,
  compareRefs,
  covers,
  decodeBigEndianIds,
  decodePostingList,
  decodeSeriesContent,
  decodeSeriesEntry,
  decodeTombstones,
  EMPTY_STATS,
  EMPTY_THANOS_META,
  encodeBlockMeta,
  encodeTombstones,
  FileAccess,
  gallop,
  HINT_OUT_OF_ORDER,
  type IdList,
  INDEX_FILE,
  INDEX_HEADER_BYTES,
  INDEX_MAGIC,
  INDEX_V1,
  INDEX_V2,
  IndexReader,
  type IndexToc,
  IndexWriter,
  type Interval,
  inOrderEnd,
  intersect,
  intersects,
  intersectTwo,
  type LabelChange,
  type LabelSource,
  LIST_OVERHEAD,
  MAX_ENTRY_LENGTH_BYTES,
  META_FILE,
  type MergeChunks,
  type MergeSeries,
  matcherValues,
  mergeOverlaps,
  mergeSamples,
  mergeSymbols,
  offsetOf,
  type PostingsSource,
  parseBlockMeta,
  parseIndexHeader,
  parseIndexToc,
  type RandomAccess,
  ROW_STRIDE,
  readBlockMeta,
  readTombstones,
  reordered,
  SERIES_ALIGN,
  type Selection,
  SeriesEntry,
  type SeriesRow,
  type SeriesVisitor,
  StoredChunks,
  type SymbolMap,
  segmentOf,
  selectLabelNames,
  selectLabelValues,
  selectPostings,
  seriesEntrySize,
  subtract,
  type ThanosMeta,
  TMP_FOR_CREATION,
  TMP_FOR_DELETION,
  TOC_BYTES,
  TOMBSTONES_FILE,
  Tombstones,
  touches,
  union,
  type VerifyStage,
  verifyBlock,
  ZERO_TIME,
} from "./blocks.ts";
export {type CommitResult, HeadAppender} from "./head/appender.ts";
export {Db, type DbEvent, type DbOptions} from "./head/db.ts";
export {type ExemplarStatus, MAX_EXEMPLAR_RUNES} from "./head/exemplars.ts";
export {DEFAULT_CHUNK_RANGE, Head, type HeadOptions} from "./head/head.ts";
export {compactHead, compactOutOfOrder, snapshotHead, writeHeadBlock} from "./head/head-blocks.ts";
export {type HeadStatistics, headStatistics} from "./head/head-statistics.ts";
export type {ReplayProgress, ReplayReport} from "./head/replay.ts";
export {APPEND, type AppendStatus} from "./head/series-store.ts";
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
