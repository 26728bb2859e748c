import {ConfigFields} from "@strata/base";
import {type CacheContext, REMOTE_CACHES, remoteCache, unsupportedCache} from "@strata/cache";
import {parseGoDuration} from "@strata/model";
import {type CacheDocument, readCacheDocument} from "./cache-document.ts";
import {ITEM_TYPES, type ItemType} from "./cache-keys.ts";
import {
  DEFAULT_CACHE_BYTES,
  DEFAULT_CACHE_ITEM_BYTES,
  type IndexCache,
  memoryIndexCache,
  remoteIndexCache,
} from "./index-cache.ts";

const WHAT = "index cache";
const TTL_MS = 24 * 3_600_000;

/**
 * The index cache that `--index-cache.config` describes; an empty text is one in memory of `defaultBytes`
 * (`--index-cache-size`). Throws `bad_data` with a one-line text.
 */
export async function indexCacheFromConfig(
  yamlText: string,
  defaultBytes: number,
  context: Omit<CacheContext, "name">,
): Promise<IndexCache> {
  const {registry} = context;
  if (yamlText.trim() === "") {
    return memoryIndexCache({registry, maxBytes: defaultBytes, maxItemBytes: DEFAULT_CACHE_ITEM_BYTES});
  }
  const document = readCacheDocument(yamlText, WHAT);
  const enabled = enabledItems(document.fields);
  const ttlMs = document.fields.parsed("ttl", parseGoDuration, TTL_MS);
  document.fields.finish();
  const remote = REMOTE_CACHES.find((type) => type === document.type);
  if (remote !== undefined) {
    const cache = await remoteCache(remote, document.config, {...context, name: "index-cache"});
    return remoteIndexCache(cache, {registry, enabled, ttlMs});
  }
  if (document.type !== "IN-MEMORY") throw unsupportedCache(WHAT, document.writtenType);
  return memoryIndexCache({registry, ...memoryLimits(document), enabled});
}

/** Sizes of a cache in memory. */
export function memoryLimits({config, fields}: CacheDocument): {maxBytes: number; maxItemBytes: number} {
  const f = new ConfigFields("config of IN-MEMORY cache", config);
  const maxBytes = f.size("max_size", 0) || DEFAULT_CACHE_BYTES;
  const maxItemBytes = f.size("max_item_size", 0) || DEFAULT_CACHE_ITEM_BYTES;
  f.finish();
  if (maxItemBytes <= maxBytes) return {maxBytes, maxItemBytes};
  throw fields.bad(`max item size (${maxItemBytes}) cannot be bigger than overall cache size (${maxBytes})`);
}

function enabledItems(f: ConfigFields): readonly ItemType[] | undefined {
  const items = f.list("enabled_items");
  if (items.length === 0) return undefined;
  return items.map((item) => {
    const type = ITEM_TYPES.find((known) => known === item);
    if (type !== undefined) return type;
    throw f.bad(`unsupported item type ${item} in enabled_items; known are ${ITEM_TYPES.join(", ")}`);
  });
}
