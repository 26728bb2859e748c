import {errorText, forEachLimit, StrataError} from "@strata/base";
import type {Logger} from "@strata/telemetry";
import {Cluster, Redis} from "ioredis";
import type {CacheClient, CacheEntry} from "./client.ts";
import type {RedisConfig} from "./redis-config.ts";

/** Pauses between attempts to connect again, ms: doubled up to the second. */
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2000;

/** A Redis server, a cluster, or the master that sentinels name. Loaded only by the configuration that names it. */
export class RedisClient implements CacheClient {
  readonly #config: RedisConfig;
  readonly #redis: Redis | Cluster;
  #ready: Promise<void> | undefined;
  #settle: () => void = () => {};

  constructor(config: RedisConfig, logger: Logger) {
    this.#config = config;
    this.#redis = config.servers.length > 1 && config.masterName === "" ? cluster(config) : single(config);
    let lastError = "";
    this.#redis.on("error", (err: unknown) => {
      const text = errorText(err);
      if (text !== lastError) logger.debug("redis connection failed", {err: text});
      lastError = text;
    });
    this.#ready = new Promise((resolve) => {
      this.#settle = () => {
        this.#ready = undefined;
        resolve();
      };
      this.#redis.once("ready", this.#settle);
    });
    // Failures are told by the event above, and it goes on trying by itself.
    this.#redis.connect().catch(() => {});
  }

  async getMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    await this.#connected();
    const values: (Uint8Array | undefined)[] = new Array(keys.length).fill(undefined);
    const {getBatch, getConcurrency} = this.#config;
    const size = getBatch === 0 ? keys.length : getBatch;
    const batches = Array.from({length: Math.ceil(keys.length / size)}, (_, i) => i * size);
    try {
      await forEachLimit(batches, getConcurrency || batches.length, async (from) => {
        const found = await this.#get(keys.slice(from, from + size).map((key) => this.#key(key)));
        for (let i = 0; i < found.length; i++) values[from + i] = found[i] ?? undefined;
      });
    } catch (err) {
      throw failure(err);
    }
    return values;
  }

  #get(keys: string[]): Promise<(Buffer | null)[]> {
    if (this.#redis instanceof Redis) return this.#redis.mgetBuffer(keys);
    // Keys of one command have to lie on one server: here each is a command, and those for a server go out together.
    const redis = this.#redis;
    return Promise.all(keys.map((key) => redis.getBuffer(key)));
  }

  async setMany(entries: readonly CacheEntry[]): Promise<void> {
    await this.#connected();
    const redis = this.#redis;
    try {
      await Promise.all(
        entries.map(({key, value, ttlMs}) => {
          const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
          const name = this.#key(key);
          return ttlMs > 0 ? redis.set(name, bytes, "PX", Math.ceil(ttlMs)) : redis.set(name, bytes);
        }),
      );
    } catch (err) {
      throw failure(err);
    }
  }

  /** The first connection is waited for (callers have a deadline); one that broke is a failure at once. */
  async #connected(): Promise<void> {
    if (this.#ready !== undefined) await this.#ready;
    if (this.#redis.status !== "ready") {
      throw new StrataError("unavailable", `cannot reach redis: connection is ${this.#redis.status}`);
    }
  }

  #key(key: string): string {
    return this.#config.prefix + key;
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
    this.#settle();
  }
}

function failure(err: unknown): StrataError {
  const refused = err instanceof Error && err.name === "ReplyError";
  return new StrataError(refused ? "execution" : "unavailable", `redis: ${errorText(err)}`, {cause: err});
}

/** `readTimeoutMs` is not given to the client: whoever asks has one deadline for all parts of a request. */
function common(config: RedisConfig) {
  return {
    lazyConnect: true,
    // Commands that wait for a connection to come back would be answered long after anybody waits for them.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: config.dialTimeoutMs,
    ...(config.username === "" ? {} : {username: config.username}),
    ...(config.password === "" ? {} : {password: config.password}),
    ...(config.tls === undefined ? {} : {tls: {...config.tls}}),
  };
}

const pause = (times: number): number => Math.min(FIRST_PAUSE_MS * 2 ** Math.min(times, 10), MAX_PAUSE_MS);

function single(config: RedisConfig): Redis {
  const options = {...common(config), db: config.db, retryStrategy: pause};
  const [server] = config.servers;
  if (config.masterName === "") return new Redis({...options, ...server});
  return new Redis({
    ...options,
    sentinels: config.servers.map(({host, port}) => ({host, port})),
    name: config.masterName,
    sentinelRetryStrategy: pause,
    ...(config.tls === undefined ? {} : {sentinelTLS: {...config.tls}, enableTLSForSentinelMode: true}),
  });
}

function cluster(config: RedisConfig): Cluster {
  return new Cluster(
    config.servers.map(({host, port}) => ({host, port})),
    {
      lazyConnect: true,
      enableOfflineQueue: false,
      enableAutoPipelining: true,
      clusterRetryStrategy: pause,
      redisOptions: common(config),
    },
  );
}
