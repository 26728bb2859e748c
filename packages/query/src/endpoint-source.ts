import {errorText} from "@strata/base";
import {DnsProvider, FileDiscovery, isDynamic} from "@strata/discovery";
import {type EndpointSpec, GroupTransport} from "@strata/storeapi";
import type {Logger, Registry} from "@strata/telemetry";
import {type ClientSettings, type EndpointEntry, parseEndpointConfig} from "./endpoint-config.ts";

export type EndpointSourceOptions = {
  /** Endpoints of the flags. */
  readonly entries: readonly EndpointEntry[];
  /** `--endpoint.sd-config(-file)`: read again at every interval where it is a file. */
  readonly config?: {read(): Promise<string>; readonly reloadMs: number | undefined} | undefined;
  /** `--store.sd-files`. */
  readonly files: {readonly patterns: readonly string[]; readonly intervalMs: number};
  readonly dnsIntervalMs: number;
  /** What the `--grpc-client-*` flags say. */
  readonly client: ClientSettings;
  readonly logger: Logger;
  readonly registry: Registry;
};

/**
 * Which endpoints there are to be at any moment: those of the flags, of the configuration file and of discovery files,
 * names resolved. Keeps the last good answer of whatever fails.
 */
export class EndpointSource {
  readonly #options: EndpointSourceOptions;
  readonly #dns: DnsProvider;
  readonly #groups: DnsProvider;
  readonly #files: FileDiscovery | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  #configured: readonly EndpointEntry[] = [];
  #configText: string | undefined;

  private constructor(options: EndpointSourceOptions) {
    const {registry, logger, files} = options;
    this.#options = options;
    this.#dns = new DnsProvider({metricPrefix: "thanos_query_endpoints", registry, logger});
    this.#groups = new DnsProvider({metricPrefix: "thanos_query_endpoint_groups", registry, logger});
    this.#files = files.patterns.length === 0 ? undefined : new FileDiscovery({...files, logger});
    this.#files?.onChange(() => void this.#resolve());
  }

  /** Reads and resolves everything once. Throws when the configuration cannot be used. */
  static async start(options: EndpointSourceOptions): Promise<EndpointSource> {
    const source = new EndpointSource(options);
    const {config, dnsIntervalMs} = options;
    try {
      await source.#readConfig();
    } catch (err) {
      source.close();
      throw err;
    }
    await source.#resolve();
    source.#every(dnsIntervalMs, () => source.#resolve());
    if (config?.reloadMs !== undefined) source.#every(config.reloadMs, () => source.reload());
    return source;
  }

  /** Reads the configuration again; a version that cannot be used is logged and changes nothing. */
  async reload(): Promise<void> {
    try {
      if (await this.#readConfig()) await this.#resolve();
    } catch (err) {
      this.#options.logger.error("cannot use the new endpoint configuration, keeping the last one", {
        err: errorText(err),
      });
    }
  }

  /** The endpoints as they are now, of equal addresses the first. */
  specs(): readonly EndpointSpec[] {
    const specs = new Map<string, EndpointSpec>();
    const add = (spec: EndpointSpec): void => {
      if (!specs.has(spec.address)) specs.set(spec.address, spec);
    };
    for (const entry of this.#entries()) {
      if (entry.group) add(this.#group(entry));
      else
        for (const address of this.#dns.addressesOf(entry.address))
          add({address, strict: entry.strict, ...entry.client});
    }
    return [...specs.values()];
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#files?.close();
  }

  #entries(): EndpointEntry[] {
    const {entries, client} = this.#options;
    const found = (this.#files?.targets ?? []).map((address) => ({address, strict: false, group: false, client}));
    return [...this.#configured, ...entries, ...found];
  }

  #group(entry: EndpointEntry): EndpointSpec {
    const dynamic = isDynamic(entry.address);
    const addresses = (): readonly string[] => (dynamic ? this.#groups.addressesOf(entry.address) : [entry.address]);
    return {
      address: entry.address,
      strict: entry.strict,
      connect: (metrics) =>
        new GroupTransport({address: entry.address, ...entry.client, addresses, retry: entry.retry}, metrics),
    };
  }

  async #resolve(): Promise<void> {
    const entries = this.#entries();
    const named = (group: boolean): string[] => entries.filter((e) => e.group === group).map((e) => e.address);
    await Promise.all([this.#dns.resolve(named(false)), this.#groups.resolve(named(true))]);
  }

  /** Whether the configuration has changed. */
  async #readConfig(): Promise<boolean> {
    const text = await this.#options.config?.read();
    if (text === undefined || text === this.#configText) return false;
    this.#configured = parseEndpointConfig(text, this.#options.client);
    this.#configText = text;
    return true;
  }

  #every(ms: number, work: () => Promise<void>): void {
    if (ms <= 0) return;
    const timer = setInterval(() => void work(), ms);
    timer.unref();
    this.#timers.push(timer);
  }
}
