import {promises as dns} from "node:dns";
import {isIP} from "node:net";
import {StrataError} from "@strata/base";

/** The lookups a provider needs; node:dns, or a fake. A name that does not exist gives an empty list, trouble throws. */
export type DnsLookup = {
  /** IPv4 addresses, IPv6 ones, or (family 0) IPv4 and where there are none IPv6. */
  addresses(host: string, family: 0 | 4 | 6): Promise<readonly string[]>;
  services(name: string): Promise<readonly {readonly host: string; readonly port: number}[]>;
};

/** Through the system's resolver for addresses (hosts file included) and its DNS servers for SRV records. */
export const systemLookup: DnsLookup = {
  async addresses(host, family) {
    if (isIP(host) !== 0) return [host];
    const found = await orEmpty(dns.lookup(host, {all: true, family}), []);
    const four = found.filter((f) => f.family === 4);
    return (family === 0 && four.length > 0 ? four : found).map((f) => f.address);
  },
  async services(name) {
    const found = await orEmpty(dns.resolveSrv(name), []);
    return found.map((r) => ({host: r.name, port: r.port}));
  },
};

const NO_SUCH_NAME = new Set(["ENOTFOUND", "ENODATA"]);

async function orEmpty<T>(lookup: Promise<T>, empty: T): Promise<T> {
  try {
    return await lookup;
  } catch (err) {
    if (NO_SUCH_NAME.has((err as NodeJS.ErrnoException).code ?? "")) return empty;
    throw err;
  }
}

/** How an address is to be resolved: by the prefix that stands before `+`. */
export type DnsScheme = "" | "dns" | "dnssrv" | "dnssrvnoa" | "dnsdualstack";
const SCHEMES: readonly string[] = ["dns", "dnssrv", "dnssrvnoa", "dnsdualstack"];

/** Splits `dns+host:port` into scheme and name; an address without a prefix has scheme "". */
export function splitScheme(address: string): {scheme: DnsScheme; name: string} {
  const plus = address.indexOf("+");
  if (plus < 0) return {scheme: "", name: address};
  const scheme = address.slice(0, plus);
  if (!SCHEMES.includes(scheme))
    throw new StrataError("bad_data", `cannot resolve ${address}: unknown scheme ${scheme}`);
  return {scheme: scheme as DnsScheme, name: address.slice(plus + 1)};
}

/** Whether an address has a prefix that makes it resolve to others. */
export const isDynamic = (address: string): boolean => address.includes("+");

/** The addresses (`host:port`) that `address` stands for now, in the resolver's order. A plain one stands for itself. */
export async function resolveAddress(address: string, lookup: DnsLookup): Promise<readonly string[]> {
  const {scheme, name} = splitScheme(address);
  if (scheme === "") return [name];
  const {host, port} = splitHostPort(name);
  if (scheme === "dns" || scheme === "dnsdualstack") {
    if (port === "") throw new StrataError("bad_data", `missing port in address given for ${scheme} lookup: ${name}`);
    const found = scheme === "dns" ? await lookup.addresses(host, 0) : await bothFamilies(host, lookup);
    return found.map((ip) => joinHostPort(ip, port));
  }
  const out: string[] = [];
  for (const service of await lookup.services(host)) {
    const servicePort = port || String(service.port);
    const target = service.host.replace(/\.$/, "");
    if (scheme === "dnssrvnoa") out.push(joinHostPort(target, servicePort));
    else for (const ip of await lookup.addresses(target, 0)) out.push(joinHostPort(ip, servicePort));
  }
  return out;
}

/** One family may fail while the other answers. */
async function bothFamilies(host: string, lookup: DnsLookup): Promise<string[]> {
  const results = await Promise.allSettled([lookup.addresses(host, 6), lookup.addresses(host, 4)]);
  const found = results.flatMap((r) => (r.status === "fulfilled" ? r.value : []));
  const failed = results.find((r) => r.status === "rejected");
  if (found.length === 0 && failed !== undefined) throw failed.reason;
  return [...new Set(found)];
}

/** `host:port`, `[v6]:port` or a host alone. */
export function splitHostPort(text: string): {host: string; port: string} {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d*)$/.exec(text);
  return match === null ? {host: text, port: ""} : {host: match[1] ?? match[2] ?? "", port: match[3] ?? ""};
}

export const joinHostPort = (host: string, port: string): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
