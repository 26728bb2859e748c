import {type ConfigFields, type TlsOptions, tlsOptions} from "@strata/base";
import {parseGoDuration} from "@strata/model";
import type {BreakerOptions} from "./breaker.ts";
import {breakerOptions} from "./breaker-config.ts";

export type HostPort = {readonly host: string; readonly port: number};

/** The `config` block of `type: REDIS`, checked. */
export type RedisConfig = {
  /** One server, or several: a cluster's, or with `masterName` the sentinels. */
  readonly servers: readonly HostPort[];
  readonly masterName: string;
  readonly prefix: string;
  readonly username: string;
  readonly password: string;
  readonly db: number;
  readonly tls: TlsOptions | undefined;
  readonly dialTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly getBatch: number;
  readonly getConcurrency: number;
  readonly setBatch: number;
  readonly asyncConcurrency: number;
  readonly asyncBuffer: number;
  readonly setBreaker: BreakerOptions | undefined;
};

/** The longest that a query waits for a cache when the configuration does not say; 3 s in Thanos, longer than a query takes. */
const READ_TIMEOUT_MS = 500;

/** Port of a server that names none. */
const DEFAULT_PORT = 6379;

/** Reads the block; the caller calls `finish`. Throws `bad_data`. */
export function redisConfig(f: ConfigFields): RedisConfig {
  const addr = f.text("addr");
  const masterName = f.text("master_name");
  const tlsEnabled = f.flag("tls_enabled");
  const tls = tlsOptions(f.block("tls_config"));
  // Accepted for compatibility: values in the cache never change, and those in use are kept nearby anyway.
  f.size("cache_size", 0);
  f.parsed("write_timeout", parseGoDuration, 0);
  const config = {
    servers: addr
      .split(",")
      .map((server) => server.trim())
      .filter((server) => server !== "")
      .map((server) => hostPort(f, server)),
    masterName,
    prefix: f.text("prefix"),
    username: f.text("username"),
    password: f.text("password"),
    db: f.whole("db"),
    tls: tlsEnabled ? tls : undefined,
    dialTimeoutMs: f.parsed("dial_timeout", parseGoDuration, 5000),
    readTimeoutMs: f.parsed("read_timeout", parseGoDuration, READ_TIMEOUT_MS) || READ_TIMEOUT_MS,
    getConcurrency: f.whole("max_get_multi_concurrency", 100),
    getBatch: f.whole("get_multi_batch_size", 100),
    setConcurrency: f.whole("max_set_multi_concurrency", 100),
    setBatch: f.whole("set_multi_batch_size", 100),
    asyncBuffer: f.whole("max_async_buffer_size", 10_000),
    asyncConcurrency: f.whole("max_async_concurrency", 20),
    setBreaker: breakerOptions(f.block("set_async_circuit_breaker_config")),
  };
  if (config.servers.length === 0) throw f.bad("no redis addr provided");
  if (config.asyncConcurrency === 0) throw f.bad("max_async_concurrency must be positive");
  if (config.servers.length > 1 && masterName === "" && config.db !== 0) throw f.bad("a cluster has no db but 0");
  return config;
}

function hostPort(f: ConfigFields, text: string): HostPort {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([0-9]+))?$/.exec(text);
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3]);
  if (match === null || port === 0 || port > 65_535) throw f.bad(`addr: ${JSON.stringify(text)} is not host:port`);
  return {host: match[1] ?? (match[2] as string), port};
}
