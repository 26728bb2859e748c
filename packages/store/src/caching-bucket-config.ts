import {xxhash64} from "@strata/bytes";
import {type CacheContext, memoryCache, REMOTE_CACHES, remoteCache, unsupportedCache} from "@strata/cache";
import {parseGoDuration} from "@strata/model";
import type {Bucket} from "@strata/objstore";
import {readCacheDocument} from "./cache-document.ts";
import {CachingBucket} from "./caching-bucket.ts";
import {memoryLimits} from "./index-cache-config.ts";

const WHAT = "caching bucket";
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * `bucket` behind the cache that `--store.caching-bucket.config` describes; `path` is the file that it came from, "" for
 * none. Throws `bad_data` with a one-line text.
 */
export async function cachingBucketFromConfig(
  yamlText: string,
  path: string,
  bucket: Bucket,
  context: Omit<CacheContext, "name">,
): Promise<CachingBucket> {
  const document = readCacheDocument(yamlText, WHAT);
  const f = document.fields;
  const ttl = (key: string, otherwise: number) => f.parsed(key, parseGoDuration, otherwise);
  const options = {
    registry: context.registry,
    configHash: hashOf(yamlText + path),
    subrangeBytes: f.whole("chunk_subrange_size", 16_000),
    maxSubrangeReads: f.whole("max_chunks_get_range_requests", 3),
    maxMetaBytes: f.size("metafile_max_size", 1 << 20),
    attributesTtl: ttl("chunk_object_attrs_ttl", 24 * HOUR_MS),
    subrangeTtl: ttl("chunk_subrange_ttl", 24 * HOUR_MS),
    listTtl: ttl("blocks_iter_ttl", 5 * MINUTE_MS),
    existsTtl: ttl("metafile_exists_ttl", 2 * HOUR_MS),
    missingTtl: ttl("metafile_doesnt_exist_ttl", 15 * MINUTE_MS),
    contentTtl: ttl("metafile_content_ttl", 24 * HOUR_MS),
  };
  f.finish();
  if (options.subrangeBytes === 0) throw f.bad("chunk_subrange_size must be greater than 0");
  const remote = REMOTE_CACHES.find((type) => type === document.type);
  const named = {...context, name: "caching-bucket"};
  if (remote !== undefined) {
    return new CachingBucket(bucket, {...options, cache: await remoteCache(remote, document.config, named)});
  }
  if (document.type !== "IN-MEMORY") throw unsupportedCache(WHAT, document.writtenType);
  return new CachingBucket(bucket, {...options, cache: memoryCache({...named, ...memoryLimits(document)})});
}

/** Compat: as gateways of Thanos with the same configuration call it. */
function hashOf(text: string): string {
  const bytes = Buffer.from(text);
  return xxhash64(bytes, 0, bytes.length).toString();
}
