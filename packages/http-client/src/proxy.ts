import {BlockList, isIP} from "node:net";
import type {ConfigFields} from "@strata/base";

/** Which requests go through which proxy: the keys that start with `proxy_`, and `no_proxy`. */
export type ProxyConfig = {
  /** Undefined asks HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
  readonly url: URL | undefined;
  /** Hosts, domains, addresses and networks that are asked without the proxy, with commas between. */
  readonly noProxy: string;
  /** Sent to the proxy with CONNECT. */
  readonly connectHeaders: Readonly<Record<string, readonly string[]>>;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the keys of a proxy; undefined where there is none. Throws `bad_data`. */
export function proxyConfig(fields: ConfigFields): ProxyConfig | undefined {
  const url = fields.parsed("proxy_url", proxyUrl, undefined);
  const noProxy = fields.text("no_proxy");
  const fromEnvironment = fields.flag("proxy_from_environment");
  const connectHeaders = headerLists(fields, "proxy_connect_header");
  if (fromEnvironment && url !== undefined) {
    throw fields.bad("if proxy_from_environment is configured, proxy_url must not be configured");
  }
  if (fromEnvironment && noProxy !== "") {
    throw fields.bad("if proxy_from_environment is configured, no_proxy must not be configured");
  }
  if (noProxy !== "" && url === undefined) {
    throw fields.bad("if no_proxy is configured, proxy_url must also be configured");
  }
  if (fromEnvironment || url !== undefined) return {url, noProxy, connectHeaders};
  if (Object.keys(connectHeaders).length === 0) return undefined;
  throw fields.bad(
    "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured",
  );
}

function headerLists(fields: ConfigFields, key: string): Record<string, readonly string[]> {
  const lists = Object.entries(fields.mapping(key)).map(([name, values]): [string, readonly string[]] => {
    if (Array.isArray(values) && values.every((value) => typeof value === "string")) return [name, values];
    throw fields.bad(`${key}: ${name} must be a list of strings`);
  });
  return Object.fromEntries(lists);
}

function proxyUrl(text: string): URL {
  const full = text.includes("://") ? text : `http://${text}`;
  if (!URL.canParse(full)) throw new Error("it is no address");
  const url = new URL(full);
  if (isSocks(url) || url.protocol === "http:" || url.protocol === "https:") return url;
  throw new Error(`proxies are spoken to by http, https or socks5, not by ${url.protocol.slice(0, -1)}`);
}

/** Whether a proxy speaks SOCKS 5; either way it looks names up. */
export const isSocks = ({protocol}: URL): boolean => protocol === "socks5:" || protocol === "socks5h:";

/** The proxy for requests to `target`; undefined where they go straight. */
export function proxyFor(
  target: URL,
  config: ProxyConfig | undefined,
  env: Environment = process.env,
): URL | undefined {
  if (config === undefined) return undefined;
  if (config.url !== undefined) return isExcluded(target, config.noProxy) ? undefined : config.url;
  const ask = (name: string): string => env[name] || env[name.toLowerCase()] || "";
  const text = ask(target.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  const excluded = isLocal(hostOf(target)) || isExcluded(target, ask("NO_PROXY"));
  return text === "" || excluded ? undefined : proxyUrl(text);
}

/** Compat: where exclusions are in play, the own machine is never asked through a proxy, whether it is named or not. */
function isExcluded(target: URL, noProxy: string): boolean {
  const rules = noProxy
    .toLowerCase()
    .split(",")
    .map((rule) => rule.trim())
    .filter((rule) => rule !== "");
  if (rules.length === 0) return false;
  const host = hostOf(target);
  const port = target.port || (target.protocol === "https:" ? "443" : "80");
  return isLocal(host) || rules.some((rule) => rule === "*" || excludes(rule, host, port));
}

function excludes(rule: string, host: string, port: string): boolean {
  const [, network, bits] = /^([0-9a-f:.]+)\/([0-9]+)$/.exec(rule) ?? [];
  if (network !== undefined) return isIn(network, Number(bits), host);
  const [, named = "", rulePort] = isIP(rule) === 0 ? (/^(.*?)(?::([0-9]+))?$/.exec(rule) ?? []) : [rule, rule];
  const name = named.replace(/^\[|\]$/g, "").replace(/^\*\./, ".");
  if (name === "" || (rulePort !== undefined && rulePort !== port)) return false;
  if (isIP(name) !== 0) return isIn(name, isIP(name) === 4 ? 32 : 128, host);
  return host.endsWith(name.startsWith(".") ? name : `.${name}`) || host === name;
}

function isIn(network: string, bits: number, host: string): boolean {
  const family = isIP(network);
  if (family !== isIP(host) || bits > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, bits, type);
  return list.check(host, type);
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");

const isLocal = (host: string): boolean => host === "localhost" || host === "::1" || /^127\.[0-9.]+$/.test(host);
