export {
  type DnsLookup,
  type DnsScheme,
  isDynamic,
  joinHostPort,
  resolveAddress,
  splitHostPort,
  splitScheme,
  systemLookup,
} from "./dns-lookup.ts";
export {DnsProvider, type DnsProviderOptions} from "./dns-provider.ts";
export {FileDiscovery, type FileDiscoveryOptions, parseTargets} from "./file-discovery.ts";
