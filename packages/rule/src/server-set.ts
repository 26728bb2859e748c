import {DnsProvider, FileDiscovery, isDynamic} from "@strata/discovery";
import {HttpClient, type HttpClientMetrics, httpClientMetrics} from "@strata/http-client";
import type {Logger, Registry} from "@strata/telemetry";
import type {ServerGroup} from "./server-config.ts";

export type ServerSetOptions<G extends ServerGroup> = {
  readonly groups: readonly G[];
  /** Metrics of look-ups begin with it. */
  readonly metricPrefix: string;
  readonly dnsIntervalMs: number;
  readonly userAgent: string;
  /** What metrics of requests call these servers. */
  readonly client: string;
  readonly registry: Registry;
  readonly logger: Logger;
  /** Told after each look-up how many addresses stand more than once, if any do. */
  readonly onDuplicates?: ((count: number) => void) | undefined;
};

/** One server of a group. */
export type Server<G extends ServerGroup> = {readonly group: G; readonly url: URL; readonly client: HttpClient};

/** The servers that groups stand for at the moment, with a client for each. What cannot be looked up stays as it was. */
export class ServerSet<G extends ServerGroup> {
  readonly #options: ServerSetOptions<G>;
  readonly #dns: DnsProvider;
  readonly #files: (readonly FileDiscovery[])[];
  readonly #clients: Map<string, Server<G>>[];
  readonly #metrics: HttpClientMetrics;
  readonly #timer: NodeJS.Timeout;
  #resolving: Promise<void> = Promise.resolve();

  private constructor(options: ServerSetOptions<G>) {
    const {groups, metricPrefix, registry, logger, dnsIntervalMs} = options;
    this.#options = options;
    this.#dns = new DnsProvider({metricPrefix, registry, logger});
    this.#metrics = httpClientMetrics(registry, options.client);
    this.#files = groups.map(({files}) =>
      files.map(({patterns, refreshMs}) => new FileDiscovery({patterns, intervalMs: refreshMs, logger})),
    );
    for (const file of this.#files.flat()) file.onChange(() => void this.resolve());
    this.#clients = groups.map(() => new Map());
    this.#timer = setInterval(() => void this.resolve(), Math.max(dnsIntervalMs, 1));
    this.#timer.unref();
  }

  /** Reads the files and resolves all names once. */
  static async start<G extends ServerGroup>(options: ServerSetOptions<G>): Promise<ServerSet<G>> {
    const set = new ServerSet(options);
    await set.resolve();
    return set;
  }

  /** Looks everything up again. Never throws. */
  resolve(): Promise<void> {
    this.#resolving = this.#resolving.then(async () => {
      await this.#dns.resolve([...new Set(this.#options.groups.flatMap((_, i) => this.#addresses(i)))]);
      this.#options.groups.forEach((group, i) => {
        this.#renew(group, i);
      });
      const duplicates = this.#duplicates();
      if (duplicates > 0) this.#options.onDuplicates?.(duplicates);
    });
    return this.#resolving;
  }

  /** By group, in the order of the configuration. */
  get servers(): readonly (readonly Server<G>[])[] {
    return this.#clients.map((clients) => [...clients.values()]);
  }

  /** Ends look-ups and idle connections. Safe to call twice. */
  close(): void {
    clearInterval(this.#timer);
    for (const file of this.#files.flat()) file.close();
    for (const clients of this.#clients) for (const {client} of clients.values()) client.close();
  }

  /** How many addresses stand in more than one group. */
  #duplicates(): number {
    const all = this.#clients.flatMap((clients) => [...clients.keys()]);
    return all.length - new Set(all).size;
  }

  #addresses(i: number): readonly string[] {
    const {addresses = []} = this.#options.groups[i] ?? {};
    return [...addresses, ...(this.#files[i] ?? []).flatMap((file) => file.targets)];
  }

  #renew(group: G, i: number): void {
    const clients = this.#clients[i] as Map<string, Server<G>>;
    const now = new Set<string>();
    for (const address of this.#addresses(i)) {
      for (const found of isDynamic(address) ? this.#dns.addressesOf(address) : [address]) {
        now.add(`${group.scheme}://${found}${group.pathPrefix}`);
      }
    }
    for (const [key, {client}] of clients) {
      if (now.has(key)) continue;
      clients.delete(key);
      client.close();
    }
    for (const key of now) {
      if (clients.has(key) || !URL.canParse(key)) continue;
      const url = new URL(key);
      const client = new HttpClient(url, group.http, this.#options.userAgent, this.#metrics);
      clients.set(key, {group, url, client});
    }
  }
}
