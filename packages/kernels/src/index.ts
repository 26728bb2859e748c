export {crc32c, crc32cRanges} from "./crc32c.ts";
export {dedupFold, dedupPenalty} from "./dedup.ts";
export {dedupPenaltyTwin, type MergedColumns} from "./dedup-twin.ts";
export {type DownsampledChunk, FloatDownsampler, WINDOW_OP} from "./downsample.ts";
export {downsampleTwin, windowEnd} from "./downsample-twin.ts";
export {
  type HistogramBody,
  type HistogramInput,
  type HistogramSamples,
  histogramDecode,
  histogramEncode,
} from "./histogram.ts";
export {jsonPoints} from "./json-points.ts";
export {jsonFloat, jsonTime} from "./json-points-twin.ts";
export {type Kernel, type KernelExports, kernel, newKernel} from "./kernel.ts";
export {KernelArena} from "./kernel-arena.ts";
export {dropStale, type KernelColumns, rangeWindows, windowSamples} from "./range.ts";
export {avgWindow, dropStaleTwin, RANGE, type RangeFunc, rangeTwin, sumWindow, type Windows} from "./range-twin.ts";
export {snappyDecode, snappyEncode, snappyLength, snappyStreamDecode, snappyStreamEncode} from "./snappy.ts";
export {
  EXEMPLAR,
  HISTOGRAM,
  LabelCache,
  OTHER_WORDS,
  SCATTERED,
  SERIES_FIELD,
  SERIES_WORDS,
  type V2Counts,
  type WriteLimits,
  WriteWindow,
  writeWindow,
} from "./write-request.ts";
export {xorDecode, xorEncode} from "./xor.ts";
export {xorMaxLength} from "./xor-twin.ts";
export {xor2Decode, xor2Encode} from "./xor2.ts";
export {type Hash64, xxhash64, xxhash64Words} from "./xxhash64.ts";
