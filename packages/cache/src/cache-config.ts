import {ConfigFields, StrataError} from "@strata/base";
import type {Logger, Registry} from "@strata/telemetry";
import type {Cache} from "./cache.ts";
import type {ResolveAddresses} from "./memcached-client.ts";
import {MEMCACHED_SET_BATCH, memcachedConfig} from "./memcached-config.ts";
import {redisConfig} from "./redis-config.ts";
import {RemoteCache} from "./remote-cache.ts";
import {remoteCacheMetrics} from "./remote-metrics.ts";

export type CacheContext = {
  /** In metrics and log lines: `index-cache`, `caching-bucket`. */
  readonly name: string;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly resolve: ResolveAddresses;
};

/** Cache types that live elsewhere. */
export const REMOTE_CACHES = ["MEMCACHED", "REDIS"] as const;

/**
 * The cache of a `config` block with type MEMCACHED or REDIS (any case), its client imported only now. `also` reads keys
 * that only the caller's kind of configuration has. Throws `bad_data` in one line.
 */
export async function remoteCache(
  type: (typeof REMOTE_CACHES)[number],
  block: Readonly<Record<string, unknown>>,
  context: CacheContext,
  also: (fields: ConfigFields) => void = () => {},
): Promise<Cache> {
  const {name, registry, logger} = context;
  const f = new ConfigFields(`config of ${type} cache`, block);
  also(f);
  const metrics = remoteCacheMetrics(registry, type === "REDIS" ? "redis" : "memcached", name);
  if (type === "REDIS") {
    const config = redisConfig(f);
    f.finish();
    const {RedisClient} = await import("./redis-client.ts");
    return new RemoteCache({
      name,
      client: new RedisClient(config, logger),
      metrics,
      logger,
      getTimeoutMs: config.readTimeoutMs,
      maxItemBytes: 0,
      maxQueued: config.asyncBuffer,
      setConcurrency: config.asyncConcurrency,
      setBatch: config.setBatch || 1,
      setBreaker: config.setBreaker,
    });
  }
  const config = memcachedConfig(f);
  f.finish();
  const {MemcachedClient} = await import("./memcached-client.ts");
  return new RemoteCache({
    name,
    client: new MemcachedClient(config, context.resolve, logger),
    metrics,
    logger,
    getTimeoutMs: config.timeoutMs,
    maxItemBytes: config.maxItemBytes,
    maxQueued: config.asyncBuffer,
    setConcurrency: config.asyncConcurrency,
    setBatch: MEMCACHED_SET_BATCH,
    setBreaker: config.setBreaker,
  });
}

/** The refusal of a cache type, naming those there are. */
export function unsupportedCache(what: string, type: string): StrataError {
  const known = type.toUpperCase() === "GROUPCACHE";
  return new StrataError(
    "bad_data",
    `${what} with type ${type} is not supported${known ? " yet" : ""}; supported are IN-MEMORY, ${REMOTE_CACHES.join(", ")}`,
  );
}
