/** Names of objects below `<ulid>/` of a block, in the bucket and on disk. */
export const META_FILE = "meta.json";
export const INDEX_FILE = "index";
export const CHUNKS_DIR = "chunks";
export const DELETION_MARK_FILE = "deletion-mark.json";
export const NO_COMPACT_MARK_FILE = "no-compact-mark.json";
export const NO_DOWNSAMPLE_MARK_FILE = "no-downsample-mark.json";

/** Local only: the part of a remote index that a store gateway keeps. */
export const INDEX_HEADER_FILE = "index-header";

/** Largest meta.json or marker that is read into memory; real ones have a few kB, compacted giants some 100 kB. */
export const MAX_META_BYTES = 32 * 1024 * 1024;
