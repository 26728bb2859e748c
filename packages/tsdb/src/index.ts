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
  parseBlockMeta,
  type ThanosMeta,
  ZERO_TIME,
} from "./block-meta.ts";
export {BufferAccess, FileAccess, type RandomAccess} from "./random-access.ts";
