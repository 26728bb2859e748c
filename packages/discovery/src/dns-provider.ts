import type {Logger, Registry} from "@strata/telemetry";
import {type DnsLookup, resolveAddress, systemLookup} from "./dns-lookup.ts";

export type DnsProviderOptions = {
  /** Metric names begin with it, such as `thanos_query_endpoints`. */
  readonly metricPrefix: string;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly lookup?: DnsLookup | undefined;
};

/**
 * Resolves a changing list of addresses and remembers what each stood for: a lookup that fails keeps the last answer, so
 * that a DNS server that is down takes no endpoint away.
 */
export class DnsProvider {
  readonly #metrics: ReturnType<typeof dnsMetrics>;
  readonly #lookup: DnsLookup;
  readonly #logger: Logger;
  #resolved = new Map<string, readonly string[]>();

  constructor(options: DnsProviderOptions) {
    this.#metrics = dnsMetrics(options.registry, options.metricPrefix);
    this.#lookup = options.lookup ?? systemLookup;
    this.#logger = options.logger;
  }

  /** Looks all of them up; addresses no longer asked for are forgotten. Never throws. */
  async resolve(addresses: readonly string[]): Promise<void> {
    const next = new Map<string, readonly string[]>();
    await Promise.all(
      addresses.map(async (address) => {
        const found = await this.#resolveOne(address);
        if (found !== undefined) next.set(address, found);
      }),
    );
    for (const address of this.#resolved.keys()) if (!next.has(address)) this.#metrics.results.remove({addr: address});
    for (const [address, found] of next) this.#metrics.results.with({addr: address}).set(found.length);
    this.#resolved = next;
  }

  /** What `address` stood for at the last `resolve`. */
  addressesOf(address: string): readonly string[] {
    return this.#resolved.get(address) ?? [];
  }

  /** All that the last `resolve` found, in the order asked, each once. */
  addresses(): readonly string[] {
    return [...new Set([...this.#resolved.values()].flat())];
  }

  async #resolveOne(address: string): Promise<readonly string[] | undefined> {
    if (!address.includes("+")) return [address];
    this.#metrics.lookups.inc();
    try {
      const found = await resolveAddress(address, this.#lookup);
      if (found.length === 0) this.#logger.warn("address lookup found nothing", {address});
      return found;
    } catch (err) {
      this.#metrics.failures.inc();
      this.#logger.warn("cannot look up address", {address, err});
      return this.#resolved.get(address);
    }
  }
}

const dnsMetrics = (r: Registry, prefix: string) => ({
  lookups: r.counter({name: `${prefix}_dns_lookups_total`, help: "DNS lookups of addresses."}),
  failures: r.counter({name: `${prefix}_dns_failures_total`, help: "DNS lookups that failed."}),
  results: r.gauge({
    name: `${prefix}_dns_provider_results`,
    help: "Addresses that each address resolved to.",
    labels: ["addr"],
  }),
});
