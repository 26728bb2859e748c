import type {MemoryBucket} from "@strata/objstore/testing";
import {type BlockMeta, EMPTY_STATS, EMPTY_THANOS_META, encodeBlockMeta} from "@strata/tsdb";

export type FakeBlock = {
  readonly ulid: string;
  readonly minTime?: number;
  readonly maxTime?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly level?: number;
  readonly sources?: readonly string[];
  readonly resolution?: number;
  readonly source?: string;
  readonly uploadTime?: string;
  readonly numSamples?: number;
};

/** A meta with the fields that matter to a test; the rest as a fresh two hour block of one sample would have them. */
export function fakeMeta(block: FakeBlock): BlockMeta {
  return {
    ulid: block.ulid,
    minTime: block.minTime ?? 0,
    maxTime: block.maxTime ?? 7_200_000,
    stats: {...EMPTY_STATS, numSamples: block.numSamples ?? 1},
    compaction: {
      level: block.level ?? 1,
      sources: block.sources ?? [block.ulid],
      deletable: false,
      parents: [],
      failed: false,
      hints: [],
    },
    version: 1,
    thanos: {
      ...EMPTY_THANOS_META,
      labels: block.labels ?? {cluster: "a"},
      resolution: block.resolution ?? 0,
      source: block.source ?? "sidecar",
      uploadTime: block.uploadTime ?? EMPTY_THANOS_META.uploadTime,
    },
  };
}

/** Puts a block with a real meta.json and no data. */
export function putFakeBlock(bucket: MemoryBucket, block: FakeBlock): BlockMeta {
  const meta = fakeMeta(block);
  bucket.put(`${block.ulid}/meta.json`, encodeBlockMeta(meta));
  bucket.put(`${block.ulid}/index`, "not an index");
  bucket.put(`${block.ulid}/chunks/000001`, "no chunks");
  return meta;
}
