import {errorText, StrataError, withContext} from "@strata/base";
import {basicCredentials, type HttpClientConfig, httpClientConfig} from "@strata/http-client";
import {parsePrometheusDuration} from "@strata/model";
import {parse} from "yaml";

/** Servers of one kind with what it takes to speak to them. */
export type ServerGroup = {
  /** `host:port`, or a name to look up (`dns+…`). */
  readonly addresses: readonly string[];
  readonly files: readonly {readonly patterns: readonly string[]; readonly refreshMs: number}[];
  readonly scheme: "http" | "https";
  /** Without a slash at its end. */
  readonly pathPrefix: string;
  readonly http: HttpClientConfig;
};

export type AlertmanagerGroup = ServerGroup & {readonly timeoutMs: number; readonly apiVersion: "v1" | "v2"};

/** Where to evaluate. */
export type QueryConfig = {readonly http: readonly ServerGroup[]; readonly grpc: readonly string[]};

/** A file of targets that names no interval is read this often. */
const DEFAULT_REFRESH_MS = 300_000;
const DEFAULT_TIMEOUT_MS = 10_000;

const GROUP_FIELDS = ["http_config", "static_configs", "file_sd_configs", "scheme", "path_prefix"] as const;

/** Reads `--query.config`: a list of groups, HTTP ones and such with a `grpc_config`. Throws `bad_data`. */
export function parseQueryConfig(text: string): QueryConfig {
  const entries = list(parseYaml(text), "the query configuration");
  const http: ServerGroup[] = [];
  const grpc: string[] = [];
  entries.forEach((entry, i) => {
    try {
      const fields = mapping(entry, [...GROUP_FIELDS, "grpc_config"]);
      const {endpoint_addresses: addresses} = mapping(fields.grpc_config ?? {}, ["endpoint_addresses"]);
      grpc.push(...texts(addresses, "endpoint_addresses"));
      const group = serverGroup(fields);
      if (group.addresses.length > 0 || group.files.length > 0) http.push(group);
    } catch (err) {
      throw withContext(err, `entry ${i + 1} of the query configuration`);
    }
  });
  return {http, grpc};
}

/** Reads `--alertmanagers.config`. Throws `bad_data`. */
export function parseAlertmanagersConfig(text: string): AlertmanagerGroup[] {
  const root = mapping(parseYaml(text) ?? {}, ["alertmanagers"]);
  return list(root.alertmanagers, "alertmanagers").map((entry, i) => {
    try {
      const fields = mapping(entry, [...GROUP_FIELDS, "timeout", "api_version"]);
      return {
        ...serverGroup(fields),
        timeoutMs: duration(fields.timeout, "timeout") ?? DEFAULT_TIMEOUT_MS,
        apiVersion: apiVersion(fields.api_version),
      };
    } catch (err) {
      throw withContext(err, `entry ${i + 1} of alertmanagers`);
    }
  });
}

/**
 * One Alertmanager by `--alertmanagers.url`: `[dns+]http://[user:pass@]host[:port]/prefix`. Only behind a plain `dns+` is
 * the port 9093 where none is given.
 */
export function alertmanagerOfUrl(url: URL, timeoutMs: number): AlertmanagerGroup {
  const [, lookup = "", scheme] = /^(?:(dns|dnssrv|dnssrvnoa)\+)?(https?):$/.exec(url.protocol) ?? [];
  if (scheme === undefined || url.host === "") {
    throw bad(`cannot use Alertmanager URL ${withoutPassword(url)}: want [dns+]http[s]://host[:port][/prefix]`);
  }
  const withPort = url.port === "" && lookup === "dns" ? `${url.host}:9093` : url.host;
  const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  const http = username === "" ? {} : {credentials: () => basicCredentials(username, password)};
  return {
    addresses: [lookup === "" ? withPort : `${lookup}+${withPort}`],
    files: [],
    scheme: scheme as "http" | "https",
    pathPrefix: url.pathname.replace(/\/+$/, ""),
    http,
    timeoutMs,
    apiVersion: "v2",
  };
}

/** Queriers by `--query` (one group for each, as each may have a prefix) and `--query.sd-files`. */
export function queryGroupsOfFlags(
  addresses: readonly string[],
  sdFiles: readonly string[],
  sdIntervalMs: number,
): ServerGroup[] {
  const groups: ServerGroup[] = [];
  const seen = new Set<string>();
  for (const address of addresses) {
    if (seen.has(address)) throw bad(`Address ${address} is duplicated for --query flag.`);
    seen.add(address);
    const [, scheme = "http", rest] = /^(?:([a-z]+):\/\/)?(.*)$/.exec(address) as unknown as [string, string?, string?];
    if (scheme !== "http" && scheme !== "https") {
      throw bad(`cannot use --query=${address}: only http and https are possible`);
    }
    const slash = (rest ?? "").indexOf("/");
    const host = slash < 0 ? (rest ?? "") : (rest ?? "").slice(0, slash);
    if (host === "") throw bad(`cannot use --query=${address}: it names no host`);
    const pathPrefix = slash < 0 ? "" : (rest ?? "").slice(slash).replace(/\/+$/, "");
    groups.push({addresses: [host], files: [], scheme, pathPrefix, http: {}});
  }
  if (sdFiles.length > 0) {
    const files = [{patterns: sdFiles, refreshMs: sdIntervalMs}];
    groups.push({addresses: [], files, scheme: "http", pathPrefix: "", http: {}});
  }
  return groups;
}

function serverGroup(fields: Readonly<Record<string, unknown>>): ServerGroup {
  const scheme = text(fields.scheme, "scheme") ?? "http";
  if (scheme !== "http" && scheme !== "https") throw bad(`scheme is ${scheme}; want http or https`);
  const prefix = (text(fields.path_prefix, "path_prefix") ?? "").replace(/\/+$/, "");
  return {
    addresses: texts(fields.static_configs, "static_configs"),
    files: list(fields.file_sd_configs, "file_sd_configs").map((entry) => {
      const {files, refresh_interval: interval} = mapping(entry, ["files", "refresh_interval"]);
      return {patterns: texts(files, "files"), refreshMs: duration(interval, "refresh_interval") || DEFAULT_REFRESH_MS};
    }),
    scheme,
    pathPrefix: prefix === "" || prefix.startsWith("/") ? prefix : `/${prefix}`,
    http: httpClientConfig(fields.http_config),
  };
}

function apiVersion(value: unknown): "v1" | "v2" {
  const version = text(value, "api_version") ?? "v2";
  if (version === "v1" || version === "v2") return version;
  throw bad(`expected Alertmanager API version to be one of [v1 v2] but got "${version}"`);
}

function parseYaml(source: string): unknown {
  try {
    return parse(source);
  } catch (err) {
    throw bad(`cannot read YAML: ${errorText(err).split("\n")[0]}`);
  }
}

function mapping(value: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad("it is not a mapping");
  for (const key of Object.keys(value)) if (!known.includes(key)) throw bad(`unknown field ${key}`);
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw bad(`${what} is not a list`);
  return value;
}

function texts(value: unknown, what: string): string[] {
  return list(value, what).map((item) => {
    if (typeof item !== "string" || item === "") throw bad(`${what} holds something that is no text`);
    return item;
  });
}

function text(value: unknown, what: string): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string") throw bad(`${what} is not a text`);
  return value;
}

function duration(value: unknown, what: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  try {
    return parsePrometheusDuration(String(value));
  } catch (err) {
    throw withContext(err, what);
  }
}

function withoutPassword(url: URL): string {
  return url.password === "" ? url.href : url.href.replace(`:${url.password}@`, ":***@");
}

const bad = (message: string): StrataError => new StrataError("bad_data", message);
