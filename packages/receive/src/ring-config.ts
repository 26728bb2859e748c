import {createHash} from "node:crypto";
import {StrataError} from "@strata/base";
import type {Endpoint} from "./endpoint.ts";

export type Algorithm = "hashmod" | "ketama";

/** Names of tenants, or patterns of names. */
export type TenantMatch = {readonly tenants: readonly string[]; readonly glob: boolean};

export type ShuffleConfig = {
  readonly shardSize: number;
  readonly cacheSize: number;
  readonly zoneAware: boolean;
  readonly overrides: readonly (TenantMatch & {readonly shardSize: number})[];
};

/** One hashring of the configuration. */
export type RingConfig = TenantMatch & {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  readonly algorithm: Algorithm;
  readonly externalLabels: Readonly<Record<string, string>>;
  /** Left out when every tenant uses all endpoints. */
  readonly shuffle: ShuffleConfig | undefined;
};

export type RingsConfig = {
  readonly rings: readonly RingConfig[];
  /** First 48 bits of the content's hash, for the metric. */
  readonly hash: number;
};

const CAPNPROTO_PORT = 19391;
const DEFAULT_CACHE = 100;

/** Reads the hashrings file. Throws `bad_data`. */
export function parseRings(text: string, algorithm: Algorithm): RingsConfig {
  if (text.trim() === "") throw bad("configuration file is empty");
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (err) {
    throw new StrataError("bad_data", "configuration file is not parsable", {cause: err});
  }
  if (!Array.isArray(document)) throw bad("configuration file is not parsable: it must be a list of hashrings");
  if (document.length === 0) throw bad("configuration file is empty");
  const digest = createHash("sha256").update(text).digest();
  return {
    rings: document.map((entry: unknown) => ring(object(entry, "a hashring"), algorithm)),
    hash: digest.readUIntLE(0, 6),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function ring(entry: Fields, fallback: Algorithm): RingConfig {
  const name = text(entry.hashring, "hashring");
  const shuffle = entry.shuffle_sharding_config;
  const labels =
    entry.external_labels === undefined || entry.external_labels === null
      ? {}
      : object(entry.external_labels, "external_labels");
  return {
    name,
    ...match(entry),
    endpoints: list(entry.endpoints, "endpoints").map(endpoint),
    algorithm: algorithmOf(text(entry.algorithm, "algorithm"), fallback),
    externalLabels: Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, text(value, key)])),
    shuffle:
      shuffle === undefined || shuffle === null ? undefined : shuffleConfig(object(shuffle, "shuffle_sharding_config")),
  };
}

/** Compat: unknown names are hashmod. */
function algorithmOf(name: string, fallback: Algorithm): Algorithm {
  if (name === "") return fallback;
  return name === "ketama" ? "ketama" : "hashmod";
}

function shuffleConfig(entry: Fields): ShuffleConfig | undefined {
  const shardSize = count(entry.shard_size, "shard_size");
  if (shardSize <= 0) return undefined;
  const cacheSize = count(entry.cache_size, "cache_size");
  return {
    shardSize,
    cacheSize: cacheSize > 0 ? cacheSize : DEFAULT_CACHE,
    zoneAware: entry.zone_awareness_disabled !== true,
    overrides: list(entry.overrides, "overrides").map((o) => {
      const fields = object(o, "an override");
      const shard = {...match(fields), shardSize: count(fields.shard_size, "shard_size")};
      // Compat: an override that does not say how tenants compare takes none.
      return text(fields.tenant_matcher_type, "tenant_matcher_type") === "" ? {...shard, tenants: []} : shard;
    }),
  };
}

function match(entry: Fields): TenantMatch {
  const type = text(entry.tenant_matcher_type, "tenant_matcher_type");
  if (type !== "" && type !== "exact" && type !== "glob")
    throw bad(`unknown tenant_matcher_type ${JSON.stringify(type)}`);
  return {tenants: list(entry.tenants, "tenants").map((t) => text(t, "a tenant")), glob: type === "glob"};
}

function endpoint(entry: unknown): Endpoint {
  const fields = typeof entry === "string" ? {address: entry} : object(entry, "an endpoint");
  const address = text(fields.address, "address");
  if (address === "") throw bad("endpoint address must be set");
  const given = text((fields as Fields).capnproto_address, "capnproto_address");
  return {
    address,
    capnprotoAddress: given === "" ? `${hostOf(address)}:${CAPNPROTO_PORT}` : given,
    az: text((fields as Fields).az, "az"),
  };
}

function hostOf(address: string): string {
  const at = address.indexOf(":");
  return at < 0 ? address : address.slice(0, at);
}

function object(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad(`${what} must be an object`);
  return value as Fields;
}

function list(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw bad(`${what} must be a list`);
  return value;
}

function text(value: unknown, what: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw bad(`${what} must be a string`);
  return value;
}

function count(value: unknown, what: string): number {
  if (value === undefined || value === null) return 0;
  if (!Number.isSafeInteger(value)) throw bad(`${what} must be a whole number`);
  return value as number;
}

const bad = (problem: string): StrataError => new StrataError("bad_data", problem);
