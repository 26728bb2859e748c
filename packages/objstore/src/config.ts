import {errorText, StrataError} from "@strata/base";
import type {Bucket} from "./bucket.ts";
import {FilesystemBucket} from "./filesystem.ts";
import {prefixed} from "./prefix.ts";

/** What a provider's factory gets: its own `config` block, still unchecked. */
export type ProviderConfig = Readonly<Record<string, unknown>>;

type Provider = (config: ProviderConfig) => Promise<Bucket>;

/**
 * Supported providers by the `type` of the configuration. A factory may import its client library only when it is
 * called: those libraries cost more start-up time than the rest of a component.
 */
const PROVIDERS: Readonly<Record<string, Provider>> = {
  FILESYSTEM: async (config) => {
    const directory = config.directory;
    if (directory === undefined || directory === null || directory === "") {
      throw new StrataError("bad_data", "missing directory for filesystem bucket");
    }
    if (typeof directory !== "string") {
      throw new StrataError("bad_data", "cannot use directory of filesystem bucket: want a string");
    }
    return new FilesystemBucket(directory);
  },
  S3: async (config) => {
    const {s3Config} = await import("./s3-config.ts");
    const checked = s3Config(config);
    const {S3Bucket} = await import("./s3.ts");
    return new S3Bucket(checked);
  },
  GCS: async (config) => {
    const {gcsConfig} = await import("./gcs-config.ts");
    const checked = gcsConfig(config);
    const {GcsBucket} = await import("./gcs.ts");
    return new GcsBucket(checked);
  },
};

/** Providers that Thanos knows and Strata does not (yet). */
const UNSUPPORTED = ["AZURE", "SWIFT", "COS", "ALIYUNOSS", "BOS", "OCI", "OBS"];

const TOP_LEVEL_KEYS = ["type", "config", "prefix"];

/**
 * The bucket that the YAML of `--objstore.config` describes, prefix applied, without metrics. Throws `bad_data` with a
 * one-line text for anything that cannot be used.
 */
export async function bucketFromConfig(yamlText: string): Promise<Bucket> {
  const top = mapping(await parseYaml(yamlText), "object storage configuration");
  for (const key of Object.keys(top)) {
    if (TOP_LEVEL_KEYS.includes(key)) continue;
    throw new StrataError(
      "bad_data",
      `cannot read object storage configuration: unknown key ${JSON.stringify(key)}; known are ${TOP_LEVEL_KEYS.join(", ")}`,
    );
  }
  const type = optionalString(top, "type");
  const prefix = optionalString(top, "prefix");
  const provider = providerOf(type);
  const config = top.config === undefined || top.config === null ? {} : mapping(top.config, `config of ${type}`);
  return prefixed(await provider(config), prefix);
}

function providerOf(type: string): Provider {
  const name = type.toUpperCase();
  const provider = Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined;
  if (provider !== undefined) return provider;
  const supported = `supported are ${Object.keys(PROVIDERS).join(", ")}`;
  if (UNSUPPORTED.includes(name)) {
    throw new StrataError("bad_data", `bucket with type ${name} is not supported yet; ${supported}`);
  }
  throw new StrataError("bad_data", `bucket with type ${type} is not supported; ${supported}`);
}

async function parseYaml(text: string): Promise<unknown> {
  // PERF: 72 files that threads, which get no configuration, start without.
  const {parseDocument} = await import("yaml");
  const document = parseDocument(text);
  const problem = document.errors[0];
  if (problem !== undefined) {
    const line = errorText(problem).split("\n")[0];
    throw new StrataError("bad_data", `cannot read object storage configuration: ${line}`, {cause: problem});
  }
  return document.toJS() as unknown;
}

function mapping(value: unknown, what: string): ProviderConfig {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as ProviderConfig;
  throw new StrataError("bad_data", `cannot read ${what}: want a mapping`);
}

function optionalString(top: ProviderConfig, key: string): string {
  const value = top[key];
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  throw new StrataError("bad_data", `cannot read object storage configuration: ${key} must be a string`);
}
