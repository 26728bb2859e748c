import {errorText, forEachLimit, StrataError} from "@strata/base";
import type {Logger} from "@strata/telemetry";
import type {CacheClient, CacheEntry} from "./client.ts";
import type {MemcachedConfig} from "./memcached-config.ts";
import {MemcachedConnection} from "./memcached-connection.ts";
import {naturalOrder, serverOf} from "./server-choice.ts";

/** Finds the servers behind addresses such as `dns+cache.example:11211`; keeps the last answer where it fails. */
export type ResolveAddresses = (addresses: readonly string[]) => Promise<readonly string[]>;

/** Reading has a connection of its own, so that values being sent do not hold up those that are waited for. */
type Server = {readonly reads: MemcachedConnection; readonly writes: MemcachedConnection};

/** Keys of one `get`: servers answer a line of keys at once, and a long one holds up what comes behind it. */
const KEYS_PER_GET = 100;

/** Longest key that a server takes. */
const MAX_KEY_BYTES = 250;

/** Memcached servers, of which each key has one. */
export class MemcachedClient implements CacheClient {
  readonly #config: MemcachedConfig;
  readonly #resolve: ResolveAddresses;
  readonly #logger: Logger;
  readonly #servers = new Map<string, Server>();
  readonly #timer: NodeJS.Timeout;
  #order: readonly string[] = [];
  #resolved: Promise<void>;
  #closed = false;

  constructor(config: MemcachedConfig, resolve: ResolveAddresses, logger: Logger) {
    this.#config = config;
    this.#resolve = resolve;
    this.#logger = logger;
    this.#resolved = this.#lookUp();
    this.#timer = setInterval(() => {
      this.#resolved = this.#lookUp();
    }, config.resolveEveryMs);
    this.#timer.unref();
  }

  async getMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    await this.#known();
    const place = new Map<string, number>();
    const byServer = new Map<string, string[]>();
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string;
      if (!isKey(key)) continue;
      place.set(key, i);
      const server = this.#serverOf(key);
      const own = byServer.get(server);
      if (own === undefined) byServer.set(server, [key]);
      else own.push(key);
    }
    const values: (Uint8Array | undefined)[] = new Array(keys.length).fill(undefined);
    const size = this.#config.getBatch || KEYS_PER_GET;
    const batches: {server: string; keys: string[]}[] = [];
    for (const [server, own] of byServer) {
      for (let from = 0; from < own.length; from += size) batches.push({server, keys: own.slice(from, from + size)});
    }
    await forEachLimit(batches, this.#config.getConcurrency || batches.length || 1, ({server, keys: own}) =>
      this.#connections(server).reads.get(own, (key, bytes) => {
        const at = place.get(key);
        if (at !== undefined) values[at] = bytes;
      }),
    );
    return values;
  }

  async setMany(entries: readonly CacheEntry[]): Promise<void> {
    await this.#known();
    const wanted = entries.filter(({key}) => isKey(key));
    await Promise.all(wanted.map((entry) => this.#connections(this.#serverOf(entry.key)).writes.set(entry)));
    if (wanted.length === entries.length) return;
    throw new StrataError("bad_data", "cannot send a value: its key is longer than 250 bytes or has spaces");
  }

  #serverOf(key: string): string {
    return this.#order[serverOf(key, this.#order.length)] as string;
  }

  #connections(address: string): Server {
    let server = this.#servers.get(address);
    if (server === undefined) {
      const {timeoutMs} = this.#config;
      server = {
        reads: new MemcachedConnection(address, timeoutMs),
        writes: new MemcachedConnection(address, timeoutMs),
      };
      this.#servers.set(address, server);
    }
    return server;
  }

  /** Waits for the first look-up only. */
  async #known(): Promise<void> {
    if (this.#order.length === 0) await this.#resolved;
    if (this.#order.length === 0) throw new StrataError("unavailable", "cannot reach memcached: no server was found");
  }

  async #lookUp(): Promise<void> {
    try {
      const {addresses, autoDiscovery} = this.#config;
      const found = await this.#resolve(addresses);
      const servers = autoDiscovery ? await this.#discover(found) : found;
      if (this.#closed || servers.length === 0) return;
      this.#order = naturalOrder(servers);
      for (const [address, server] of this.#servers) {
        if (this.#order.includes(address)) continue;
        this.#servers.delete(address);
        server.reads.close();
        server.writes.close();
      }
    } catch (err) {
      this.#logger.warn("cannot find memcached servers", {err: errorText(err)});
    }
  }

  /** The servers that a managed cluster's configuration endpoint lists: "version\nname|ip|port name|ip|port …". */
  async #discover(endpoints: readonly string[]): Promise<readonly string[]> {
    const servers = new Set<string>();
    for (const endpoint of endpoints) {
      const connection = new MemcachedConnection(endpoint, this.#config.timeoutMs);
      try {
        const text = await connection.clusterConfig();
        for (const node of (text.split("\n")[1] ?? "").trim().split(" ")) {
          const [name, ip, port] = node.split("|");
          if (port !== undefined) servers.add(`${ip === "" ? name : ip}:${port}`);
        }
      } finally {
        connection.close();
      }
    }
    return [...servers];
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const {reads, writes} of this.#servers.values()) {
      reads.close();
      writes.close();
    }
    this.#servers.clear();
  }
}

/** Whether the protocol can carry the key: no longer than it may be, and without spaces and controls. */
function isKey(key: string): boolean {
  if (key.length === 0 || key.length > MAX_KEY_BYTES) return false;
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    // Beyond ASCII a key would have more bytes than letters; keys of ours have none of those.
    if (code <= 0x20 || code >= 0x7f) return false;
  }
  return true;
}
