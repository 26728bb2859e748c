// What the module exports. Only re-exports here; a name that other kernels use but JavaScript does not stays out.
export {alloc, allocated, allocSize, free} from "./alloc";
export {crc32c} from "./crc32c";
export {histogramFloatDecode, histogramIntDecode, histogramLive} from "./histogram";
export {
  histogramAppend, histogramBegin, histogramSampleSize, histogramStartHeader, histogramStateSize,
} from "./histogram-encode";
export {snappyDecode, snappyEncode, snappyLength, snappyMaxLength} from "./snappy";
export {snappyStreamDecode, snappyStreamEncode, snappyStreamLength, snappyStreamMaxLength} from "./snappy-stream";
export {xorCount, xorDecode, xorDecodeMany, xorEncode} from "./xor";
export {floatDecode, floatDecodeMany, xor2Decode, xor2Encode} from "./xor2";
export {xxhash64, xxhash64To} from "./xxhash64";
export {dropStale, rangeFresh, rangeTotal, rangeWindows} from "./range";
export {dedupFold, dedupPenalty, dedupReach} from "./dedup";
export {
  applyCounterResets, downsampleBegin, downsampleChunks, downsampleClean, downsampleDirectory, downsampleDrain, downsampleEnd,
  downsampleOpen, downsamplePush, downsampleStateSize, windowColumn,
} from "./downsample";
export {decimalPowerCount, decimalPowers, jsonPoints} from "./json-points";
export {labelCacheClear, labelCacheFind, labelCacheSet} from "./label-cache";
export {
  ringIndex, ringModulo, ringSections, writeCount, writeGather, writeLabelFault, writeRingHashes, writeWalk,
} from "./write-request";
export {writeFromV2} from "./write-v2";
