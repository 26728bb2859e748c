import {errorText, StrataError} from "@strata/base";
import {type Cache, type CacheContext, LruCache, REMOTE_CACHES, remoteCache, unsupportedCache} from "@strata/cache";
import {parseGoDuration} from "@strata/model";
import type {Registry} from "@strata/telemetry";
import {parse} from "yaml";

export type CacheSettings = {
  readonly cache: Cache;
  readonly isInProcess: boolean;
  /** ms; 0 keeps answers as long as there is room. */
  readonly ttlMs: number;
};

const FIELDS = ["max_size", "max_size_items", "validity"];
const UNITS: Readonly<Record<string, number>> = {B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40};
/** What a number of items counts for where no size is given: an answer of a hundred series and a day. */
const BYTES_AN_ITEM = 1 << 20;

/** How long a remote cache keeps an answer where its configuration does not say. */
const EXPIRATION = "24h";

/**
 * The cache of `--query-range.response-cache-config` or `--labels.response-cache-config`; undefined where both sizes of one
 * in memory are 0, which means none. Throws `bad_data` in one line.
 */
export async function resultsCacheFromConfig(text: string, context: CacheContext): Promise<CacheSettings | undefined> {
  const top = mapping(parse(text) ?? {}, "the configuration");
  const given = String(top.type ?? "");
  const config = mapping(top.config ?? {}, "config");
  if (given.toUpperCase() === "IN-MEMORY") return inMemory(config, context);
  const type = REMOTE_CACHES.find((one) => one === given.toUpperCase());
  if (type === undefined) throw unsupportedCache("response cache", given);
  let ttlMs = 0;
  const cache = await remoteCache(type, config, context, (fields) => {
    ttlMs = durationOf("expiration", fields.text("expiration", EXPIRATION));
  });
  return {cache, isInProcess: false, ttlMs};
}

function inMemory(config: Record<string, unknown>, {name, registry}: CacheContext): CacheSettings | undefined {
  const unknown = Object.keys(config).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) throw bad(`field ${unknown} not found; known are ${FIELDS.join(", ")}`);
  const items = Number(config.max_size_items ?? 0);
  if (!Number.isSafeInteger(items) || items < 0)
    throw bad(`cannot use ${String(config.max_size_items)} as max_size_items`);
  const maxBytes = sizeOf(config.max_size) || items * BYTES_AN_ITEM;
  if (maxBytes === 0) return undefined;
  const labels = {cache: name, tripperware: name};
  const metrics = memoryMetrics(registry);
  const cache = new LruCache({
    name,
    maxBytes,
    maxItemBytes: Math.max(BYTES_AN_ITEM, Math.floor(maxBytes / 4)),
    events: {
      added(_, bytes) {
        metrics.added.with(labels).inc();
        metrics.entries.with(labels).inc();
        metrics.bytes.with(labels).inc(bytes);
      },
      evicted(_, bytes) {
        metrics.evicted.with(labels).inc();
        metrics.entries.with(labels).dec();
        metrics.bytes.with(labels).dec(bytes);
      },
    },
  });
  const watched = counted(cache, (asked, found) => {
    metrics.gets.with(labels).inc(asked);
    metrics.misses.with(labels).inc(asked - found);
  });
  return {cache: watched, isInProcess: true, ttlMs: durationOf("validity", config.validity)};
}

function counted(cache: LruCache, count: (asked: number, found: number) => void): Cache {
  return {
    name: cache.name,
    async getMany(keys) {
      const values = await cache.getMany(keys);
      count(keys.length, values.filter((value) => value !== undefined).length);
      return values;
    },
    set: (key, value, ttlMs) => cache.set(key, value, ttlMs),
    close: () => cache.close(),
  };
}

function sizeOf(value: unknown): number {
  const text = String(value ?? "");
  if (text === "" || text === "0") return 0;
  const found = /^(\d+(?:\.\d+)?)([KMGT]?)i?B$/i.exec(text);
  if (found === null)
    throw bad(`cannot use ${JSON.stringify(text)} as max_size: want a number with a unit, such as 512MB`);
  return Math.floor(Number(found[1]) * (UNITS[`${(found[2] as string).toUpperCase()}B`] as number));
}

function durationOf(key: string, value: unknown): number {
  if (value === undefined || value === null || value === 0) return 0;
  try {
    return parseGoDuration(String(value));
  } catch (err) {
    throw bad(`cannot use ${JSON.stringify(value)} as ${key}: ${errorText(err)}`);
  }
}

function mapping(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw bad(`${what} must be a mapping`);
}

const bad = (message: string): StrataError => new StrataError("bad_data", message);

const memoryMetrics = (r: Registry) => {
  const labels = ["cache", "tripperware"] as const;
  return {
    added: r.counter({name: "querier_cache_added_new_total", help: "Answers put into the cache.", labels}),
    gets: r.counter({name: "querier_cache_gets_total", help: "Keys asked for.", labels}),
    misses: r.counter({name: "querier_cache_misses_total", help: "Keys that were not there.", labels}),
    evicted: r.counter({name: "querier_cache_evicted_total", help: "Answers that had to go.", labels}),
    entries: r.gauge({name: "querier_cache_entries", help: "Answers in the cache.", labels}),
    bytes: r.gauge({name: "querier_cache_memory_bytes", help: "Bytes of the answers in the cache.", labels}),
  };
};
