import type {ConfigFields} from "@strata/base";
import {parseGoDuration} from "@strata/model";
import type {BreakerOptions} from "./breaker.ts";
import {breakerOptions} from "./breaker-config.ts";

/** The `config` block of `type: MEMCACHED`, checked. */
export type MemcachedConfig = {
  /** Some may be names to look up: `dns+…`. With `autoDiscovery` these are asked for their cluster's servers. */
  readonly addresses: readonly string[];
  readonly autoDiscovery: boolean;
  readonly timeoutMs: number;
  readonly resolveEveryMs: number;
  readonly getBatch: number;
  readonly getConcurrency: number;
  readonly maxItemBytes: number;
  readonly asyncConcurrency: number;
  readonly asyncBuffer: number;
  readonly setBreaker: BreakerOptions | undefined;
};

/** Values sent together; they go one behind the other through the same connection. */
export const MEMCACHED_SET_BATCH = 100;

/** Reads the block; the caller calls `finish`. Throws `bad_data`. */
export function memcachedConfig(f: ConfigFields): MemcachedConfig {
  // Accepted for compatibility: requests are pipelined through two connections a server.
  f.whole("max_idle_connections", 100);
  const maxItem = f.text("max_item_size");
  const config = {
    addresses: f.list("addresses"),
    autoDiscovery: f.flag("auto_discovery"),
    timeoutMs: f.parsed("timeout", parseGoDuration, 500) || 500,
    resolveEveryMs: f.parsed("dns_provider_update_interval", parseGoDuration, 10_000),
    getBatch: f.whole("max_get_multi_batch_size"),
    getConcurrency: f.whole("max_get_multi_concurrency", 100),
    // 0 is no limit, and written without a unit.
    maxItemBytes: maxItem === "0" ? 0 : f.size("max_item_size", 1 << 20),
    asyncConcurrency: f.whole("max_async_concurrency", 20),
    asyncBuffer: f.whole("max_async_buffer_size", 10_000),
    setBreaker: breakerOptions(f.block("set_async_circuit_breaker_config")),
  };
  if (config.addresses.length === 0) throw f.bad("no memcached addresses provided");
  if (config.resolveEveryMs <= 0) throw f.bad("DNS provider update interval must be positive");
  if (config.asyncConcurrency === 0) throw f.bad("max_async_concurrency must be positive");
  return config;
}
