export * from "./blocks.ts";
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
