import {errorText, StrataError} from "@strata/base";
import {isDynamic} from "@strata/discovery";
import type {ClientTls, Compression, RetryPolicy, TlsVersion} from "@strata/storeapi";
import {parse} from "yaml";

/** How to speak to an endpoint: plaintext without `tls`. */
export type ClientSettings = {readonly tls: ClientTls | undefined; readonly compression: Compression};

/** One endpoint of the flags or of `--endpoint.sd-config`. */
export type EndpointEntry = {
  /** `host:port`, or a name behind `dns+`, `dnssrv+`, `dnssrvnoa+`. */
  readonly address: string;
  readonly strict: boolean;
  /** One balanced connection over all addresses that the name stands for. */
  readonly group: boolean;
  readonly client: ClientSettings;
  readonly retry?: RetryPolicy | undefined;
};

type Section = Readonly<Record<string, unknown>>;

const TLS_KEYS = ["enabled", "insecure_skip_verify", "cert_file", "key_file", "ca_file", "min_version"];
const VERSIONS = ["1.0", "1.1", "1.2", "1.3"];

/**
 * The endpoints of an `--endpoint.sd-config` document (config-files.md §12). `flags` is what the `--grpc-client-*` flags
 * say, for endpoints that say nothing of their own. Throws `bad_data` naming the entry.
 */
export function parseEndpointConfig(yaml: string, flags: ClientSettings): readonly EndpointEntry[] {
  let document: unknown;
  try {
    document = parse(yaml);
  } catch (err) {
    // Its other lines quote the document, and so would the logger with it as cause.
    throw new StrataError("bad_data", `cannot parse the endpoint configuration: ${errorText(err).split("\n")[0]}`);
  }
  const root = section(document, "it");
  const defaults = section(root.default_client_config, "default_client_config");
  const global = saysTls(defaults)
    ? {tls: ownTls(defaults, undefined, "default_client_config"), compression: flags.compression}
    : flags;
  const list = root.endpoints ?? [];
  if (!Array.isArray(list)) throw bad("endpoints is not a list");
  return list.map((item, i) => entry(section(item, `endpoints[${i}]`), `endpoints[${i}]`, global, flags));
}

function entry(item: Section, name: string, global: ClientSettings, flags: ClientSettings): EndpointEntry {
  const address = text(item.address, `${name}.address`);
  if (address === "") throw bad(`${name}.address is missing`);
  const strict = flag(item.strict, `${name}.strict`);
  const group = flag(item.group, `${name}.group`);
  const serviceConfig = text(item.service_config, `${name}.service_config`);
  if (strict && !group && isDynamic(address))
    throw bad(`${name}: ${address} is a dynamic address and cannot be strict`);
  if (serviceConfig !== "" && !group) throw bad(`${name}: service_config goes only with group: true`);
  const own = section(item.client_config, `${name}.client_config`);
  const inherits = !saysTls(own) || (isDynamic(address) && !group);
  return {
    address,
    strict,
    group,
    client: inherits
      ? {tls: global.tls, compression: flags.compression}
      : {tls: ownTls(own, global.tls, `${name}.client_config`), compression: compression(own.compression, name)},
    retry: serviceConfig === "" ? undefined : retryPolicy(serviceConfig, name),
  };
}

const saysTls = (client: Section): boolean =>
  TLS_KEYS.some((key) => section(client.tls_config, "tls_config")[key] !== undefined) ||
  (client.server_name ?? "") !== "";

/** TLS as a client block says it; what it leaves open comes from `inherited`, unless it says `enabled` itself. */
function ownTls(client: Section, inherited: ClientTls | undefined, name: string): ClientTls | undefined {
  const tls = section(client.tls_config, `${name}.tls_config`);
  if (tls.enabled === false) return undefined;
  const base = tls.enabled === true ? undefined : inherited;
  const file = (key: string): string => text(tls[key], `${name}.tls_config.${key}`);
  const given: ClientTls = {
    ca: file("ca_file") || base?.ca,
    cert: file("cert_file") || base?.cert,
    key: file("key_file") || base?.key,
    serverName: text(client.server_name, `${name}.server_name`) || base?.serverName,
    skipVerify: tls.insecure_skip_verify === undefined ? base?.skipVerify : tls.insecure_skip_verify === true,
    minVersion: tlsVersion(tls.min_version, name) ?? base?.minVersion,
  };
  const on = tls.enabled === true || inherited !== undefined || given.ca || given.cert || given.key || given.skipVerify;
  return on ? given : undefined;
}

function tlsVersion(value: unknown, name: string): TlsVersion | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const version = typeof value === "number" ? value.toFixed(1) : String(value);
  if (!VERSIONS.includes(version)) throw bad(`${name}: min_version ${version} is none of ${VERSIONS.join(", ")}`);
  return version as TlsVersion;
}

function compression(value: unknown, name: string): Compression {
  const given = text(value, `${name}.compression`);
  if (given === "" || given === "none") return "none";
  if (given === "snappy") return "snappy";
  throw bad(`${name}: compression ${given} is neither none nor snappy`);
}

/** The retry policy of a gRPC service config; other parts of it do not apply here. */
function retryPolicy(json: string, name: string): RetryPolicy | undefined {
  type Config = {
    methodConfig?: {retryPolicy?: {maxAttempts?: number; initialBackoff?: string; backoffMultiplier?: number}}[];
  };
  let config: Config;
  try {
    config = JSON.parse(json) as Config;
  } catch (err) {
    throw bad(`${name}: service_config is no JSON: ${errorText(err)}`);
  }
  const policy = config.methodConfig?.find((m) => m.retryPolicy !== undefined)?.retryPolicy;
  if (policy === undefined) return undefined;
  const seconds = /^([0-9.]+)s$/.exec(policy.initialBackoff ?? "0.1s");
  if (seconds === null) throw bad(`${name}: initialBackoff ${policy.initialBackoff} is not of the form 0.1s`);
  return {
    maxAttempts: policy.maxAttempts ?? 1,
    initialBackoffMs: Number(seconds[1]) * 1000,
    multiplier: policy.backoffMultiplier ?? 1,
  };
}

function section(value: unknown, name: string): Section {
  if (value === undefined || value === null) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Section;
  throw bad(`${name} is not a mapping`);
}

function text(value: unknown, name: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  throw bad(`${name} is not a string`);
}

function flag(value: unknown, name: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === "boolean") return value;
  throw bad(`${name} is neither true nor false`);
}

const bad = (problem: string): StrataError =>
  new StrataError("bad_data", `cannot use the endpoint configuration: ${problem}`);
