import {type DnsLookup, DnsProvider, isDynamic} from "@strata/discovery";
import type {Counter, Logger, Registry} from "@strata/telemetry";
import type {ClientDefaults, EndpointConfig} from "./endpoint-config.ts";
import type {EndpointSpec} from "./endpoint-set.ts";
import {GroupTransport} from "./group-transport.ts";
import {GrpcClient} from "./grpc-client.ts";

export type EndpointSourceOptions = {
  /** Asked at each round. */
  readonly configs: () => readonly EndpointConfig[];
  /** Addresses found elsewhere (files), connected with `defaults`. */
  readonly targets?: (() => readonly string[]) | undefined;
  readonly defaults: ClientDefaults;
  /** How often names are looked up again. */
  readonly intervalMs: number;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly lookup?: DnsLookup | undefined;
};

/** Turns configured endpoints and found targets into the endpoints of a set, and looks names up again and again. */
export class EndpointSource {
  readonly #options: EndpointSourceOptions;
  readonly #endpoints: DnsProvider;
  readonly #groups: DnsProvider;
  readonly #duplicates: Counter;
  #timer: NodeJS.Timeout | undefined;
  #warned = new Set<string>();

  constructor(options: EndpointSourceOptions) {
    this.#options = options;
    this.#endpoints = new DnsProvider({...options, metricPrefix: "thanos_query_endpoints"});
    this.#groups = new DnsProvider({...options, metricPrefix: "thanos_query_endpoint_groups"});
    this.#duplicates = options.registry.counter({
      name: "thanos_query_duplicated_endpoint_addresses_total",
      help: "Times an endpoint address was found more than once.",
    });
  }

  /** Looks everything up once, and from then on every `intervalMs`. */
  async start(): Promise<void> {
    await this.refresh();
    this.#timer = setInterval(() => void this.refresh(), this.#options.intervalMs);
    this.#timer.unref();
  }

  async refresh(): Promise<void> {
    const configs = this.#options.configs();
    const single = configs.filter((c) => !c.group).map((c) => c.address);
    const targets = this.#options.targets?.() ?? [];
    await Promise.all([
      this.#endpoints.resolve([...new Set([...single, ...targets])]),
      this.#groups.resolve([...new Set(configs.filter((c) => c.group).map((c) => c.address))]),
    ]);
  }

  /** The endpoints there are to be, by the last look-ups; each address once. */
  specs(): readonly EndpointSpec[] {
    const specs = new Map<string, EndpointSpec>();
    const add = (spec: EndpointSpec): void => {
      const known = specs.get(spec.address);
      if (known !== undefined) this.#duplicate(spec.address);
      // Of two the strict one counts.
      if (known === undefined || (spec.strict && !known.strict)) specs.set(spec.address, spec);
    };
    for (const config of this.#options.configs()) {
      if (config.group) add(this.#group(config));
      else for (const address of this.#resolved(config.address)) add({...config, address});
    }
    for (const target of this.#options.targets?.() ?? []) {
      for (const address of this.#resolved(target)) add({address, strict: false, ...this.#options.defaults});
    }
    return [...specs.values()];
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #resolved(address: string): readonly string[] {
    return isDynamic(address) ? this.#endpoints.addressesOf(address) : [address];
  }

  #group(config: EndpointConfig): EndpointSpec {
    // Compat: the name under which Thanos shows a group.
    const address = `thanos:///${config.address}`;
    const {tls, compression} = config;
    return {
      address,
      strict: config.strict,
      connect: (metrics) =>
        new GroupTransport(
          address,
          () => this.#groups.addressesOf(config.address),
          (member) => new GrpcClient({address: member, tls, compression, metrics}),
          config.retry,
        ),
    };
  }

  #duplicate(address: string): void {
    this.#duplicates.inc();
    if (this.#warned.has(address)) return;
    this.#warned.add(address);
    this.#options.logger.warn("duplicate endpoint address", {address});
  }
}
