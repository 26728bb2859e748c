import {errorText, StrataError} from "@strata/base";
import {isDynamic} from "@strata/discovery";
import {parse} from "yaml";
import type {RetryPolicy} from "./group-transport.ts";
import type {Compression} from "./grpc-client.ts";
import type {ClientTls, TlsVersion} from "./tls-config.ts";

/** How connections are made to endpoints that do not say otherwise. */
export type ClientDefaults = {
  /** Plaintext when undefined. */
  readonly tls: ClientTls | undefined;
  readonly compression: Compression;
};

/** One configured endpoint; its address may still have to be resolved. */
export type EndpointConfig = {
  /** `host:port`, or such with a `dns+`, `dnssrv+`, … prefix. */
  readonly address: string;
  readonly strict: boolean;
  /** All addresses it resolves to are one endpoint. */
  readonly group: boolean;
  /** Of groups. */
  readonly retry: RetryPolicy | undefined;
  readonly tls: ClientTls | undefined;
  readonly compression: Compression;
};

export type EndpointFlags = {
  readonly endpoints: readonly string[];
  readonly strict: readonly string[];
  readonly groups: readonly string[];
  readonly strictGroups: readonly string[];
};

/** The endpoints that flags name. A strict one must be a plain address. */
export function endpointsFromFlags(flags: EndpointFlags, defaults: ClientDefaults): EndpointConfig[] {
  const make = (strict: boolean, group: boolean) => (address: string) =>
    checked({address, strict, group, retry: undefined, ...defaults});
  return [
    ...flags.endpoints.map(make(false, false)),
    ...flags.strict.map(make(true, false)),
    ...flags.groups.map(make(false, true)),
    ...flags.strictGroups.map(make(true, true)),
  ];
}

/**
 * The endpoints of an `--endpoint.sd-config` text. `flags` is what the `--grpc-client-*` flags say; the text's
 * `default_client_config` goes before it. Unknown keys are passed over; what cannot be used is `bad_data`.
 */
export function parseEndpointConfig(text: string, flags: ClientDefaults): EndpointConfig[] {
  let root: Fields;
  try {
    root = fields(parse(text), "endpoint configuration");
  } catch (err) {
    throw new StrataError("bad_data", `cannot parse endpoint configuration: ${errorText(err)}`, {cause: err});
  }
  const own = fields(root.default_client_config, "default_client_config");
  const global = hasTlsKeys(own) ? {tls: tlsOf(own, undefined), compression: flags.compression} : flags;
  const list = root.endpoints ?? [];
  if (!Array.isArray(list)) throw bad("endpoints", "want a list");
  return list.map((entry: unknown, i) => endpointOf(fields(entry, `endpoints[${i}]`), i, global));
}

type Fields = Readonly<Record<string, unknown>>;

function endpointOf(entry: Fields, i: number, global: ClientDefaults): EndpointConfig {
  const where = `endpoints[${i}]`;
  const address = text(entry.address, `${where}.address`);
  if (address === "") throw bad(`${where}.address`, "want host:port");
  const group = flag(entry.group, `${where}.group`) ?? false;
  const service = text(entry.service_config, `${where}.service_config`);
  if (service !== "" && !group) throw bad(`${where}.service_config`, "only groups can have one");
  const client = fields(entry.client_config, `${where}.client_config`);
  const compression = compressionOf(client.compression, `${where}.client_config.compression`);
  // Compat: an address that resolves to several never has settings of its own.
  const useGlobal = !hasTlsKeys(client) || (isDynamic(address) && !group);
  return checked({
    address,
    strict: flag(entry.strict, `${where}.strict`) ?? false,
    group,
    retry: service === "" ? undefined : retryOf(service, where),
    ...(useGlobal ? global : {tls: tlsOf(client, global.tls), compression}),
  });
}

function checked(config: EndpointConfig): EndpointConfig {
  if (config.strict && !config.group && isDynamic(config.address)) {
    throw new StrataError(
      "bad_data",
      `${config.address} is a dynamically specified endpoint i.e. it uses SD and that is not permitted under strict mode`,
    );
  }
  return config;
}

const hasTlsKeys = (client: Fields): boolean =>
  Object.keys(fields(client.tls_config, "tls_config")).length > 0 || text(client.server_name, "server_name") !== "";

/** The TLS of a client block; keys it lacks come from `global`, unless it says `enabled` itself. */
function tlsOf(client: Fields, global: ClientTls | undefined): ClientTls | undefined {
  const t = fields(client.tls_config, "tls_config");
  const enabled = flag(t.enabled, "tls_config.enabled");
  const minVersion = versionOf(t.min_version);
  if (enabled === false) return undefined;
  const from = enabled === true ? undefined : global;
  const given = {
    ca: text(t.ca_file, "tls_config.ca_file"),
    cert: text(t.cert_file, "tls_config.cert_file"),
    key: text(t.key_file, "tls_config.key_file"),
    skipVerify: flag(t.insecure_skip_verify, "tls_config.insecure_skip_verify"),
  };
  const implied = given.ca !== "" || given.cert !== "" || given.key !== "" || given.skipVerify === true;
  if (enabled === undefined && !implied && from === undefined) return undefined;
  return {
    ca: given.ca || from?.ca,
    cert: given.cert || from?.cert,
    key: given.key || from?.key,
    skipVerify: given.skipVerify ?? from?.skipVerify,
    serverName: text(client.server_name, "server_name") || from?.serverName,
    minVersion: minVersion ?? from?.minVersion,
  };
}

function versionOf(value: unknown): TlsVersion | undefined {
  const v = text(typeof value === "number" ? value.toFixed(1) : value, "tls_config.min_version");
  if (v === "") return undefined;
  if (v === "1.0" || v === "1.1" || v === "1.2" || v === "1.3") return v;
  throw bad("tls_config.min_version", `${v} is none of 1.0, 1.1, 1.2, 1.3`);
}

function compressionOf(value: unknown, where: string): Compression {
  const v = text(value, where);
  if (v === "" || v === "none") return "none";
  if (v === "snappy") return v;
  throw bad(where, `${v} is neither none nor snappy`);
}

/** The retry policy of a gRPC service configuration (JSON); the rest of it does not apply here. */
function retryOf(json: string, where: string): RetryPolicy | undefined {
  let root: Fields;
  try {
    root = fields(JSON.parse(json), where);
  } catch (err) {
    throw bad(`${where}.service_config`, errorText(err));
  }
  const [method] = Array.isArray(root.methodConfig) ? (root.methodConfig as unknown[]) : [];
  const policy = fields(fields(method, where).retryPolicy, where);
  if (Object.keys(policy).length === 0) return undefined;
  const seconds = /^([0-9.]+)s$/.exec(String(policy.initialBackoff ?? "0.1s"))?.[1];
  return {
    maxAttempts: Number(policy.maxAttempts ?? 3),
    initialBackoffMs: Number(seconds ?? 0.1) * 1000,
    multiplier: Number(policy.backoffMultiplier ?? 2),
  };
}

const bad = (where: string, problem: string): StrataError =>
  new StrataError("bad_data", `cannot use endpoint configuration: ${where}: ${problem}`);

function fields(value: unknown, where: string): Fields {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw bad(where, "want a mapping");
  return value as Fields;
}

function text(value: unknown, where: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw bad(where, "want text");
  return value;
}

function flag(value: unknown, where: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") throw bad(where, "want true or false");
  return value;
}
