import type {ResolveAddresses} from "@strata/cache";
import {DnsProvider} from "@strata/discovery";
import type {Logger, Registry} from "@strata/telemetry";

/** Looks up the servers of caches; a name whose look-up fails keeps its last answer. Each list of addresses has its own. */
export function cacheServers(registry: Registry, logger: Logger): ResolveAddresses {
  const providers = new Map<string, DnsProvider>();
  return async (addresses) => {
    const list = addresses.join(" ");
    const dns = providers.get(list) ?? new DnsProvider({metricPrefix: "thanos_memcached", registry, logger});
    providers.set(list, dns);
    await dns.resolve(addresses);
    return dns.addresses();
  };
}
