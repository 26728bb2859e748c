import {readFileSync} from "node:fs";
import {errorText, StrataError, withContext} from "@strata/base";
import {type HttpClientConfig, httpClientConfig} from "@strata/http-client";
import {parsePrometheusDuration, type RelabelConfig, relabelConfigs} from "@strata/model";
import {parse} from "yaml";

/** Where and how samples are sent. Times are ms. */
export type RemoteConfig = {
  readonly name: string;
  readonly url: URL;
  readonly timeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly relabel: readonly RelabelConfig[];
  readonly histograms: boolean;
  readonly http: HttpClientConfig;
  readonly queue: QueueConfig;
};

export type QueueConfig = {
  readonly minShards: number;
  readonly maxShards: number;
  readonly maxSamplesPerSend: number;
  readonly deadlineMs: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly retryOn429: boolean;
  /** Older samples are not sent any more; 0 is no limit. */
  readonly sampleAgeLimitMs: number;
};

const V1 = "prometheus.WriteRequest";

const FIELDS = [
  "url",
  "remote_timeout",
  "name",
  "headers",
  "write_relabel_configs",
  "send_exemplars",
  "send_native_histograms",
  "round_robin_dns",
  "protobuf_message",
  "basic_auth",
  "authorization",
  "bearer_token",
  "bearer_token_file",
  "tls_config",
  "follow_redirects",
  "enable_http2",
  "queue_config",
  "metadata_config",
];
/** What would change where or as whom samples are sent if it were passed over. */
const REFUSED = [
  "oauth2",
  "sigv4",
  "azuread",
  "google_iam",
  "proxy_url",
  "no_proxy",
  "proxy_from_environment",
  "proxy_connect_header",
  "http_headers",
];
const QUEUE_FIELDS = [
  "capacity",
  "min_shards",
  "max_shards",
  "max_samples_per_send",
  "batch_send_deadline",
  "min_backoff",
  "max_backoff",
  "retry_on_http_429",
  "sample_age_limit",
];

/** Reads `--remote-write.config`. Throws `bad_data`. */
export function parseRemoteWriteConfig(text: string): RemoteConfig[] {
  let root: unknown;
  try {
    root = parse(text);
  } catch (err) {
    throw bad(`cannot read YAML: ${errorText(err).split("\n")[0]}`);
  }
  const {remote_write: list} = mapping(root ?? {}, ["remote_write"]);
  if (!Array.isArray(list) || list.length === 0) throw bad("remote_write is not a list with at least one entry");
  const configs = list.map((entry, i) => {
    try {
      return remoteConfig(mapping(entry, [...FIELDS, ...REFUSED]));
    } catch (err) {
      throw withContext(err, `entry ${i + 1} of remote_write`);
    }
  });
  const names = configs.map(({name}) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw bad(`found multiple remote write configs with job name "${twice}"`);
  return configs;
}

function remoteConfig(fields: Fields): RemoteConfig {
  for (const key of REFUSED) if (present(fields[key])) throw bad(`${key} is not supported`);
  const url = text(fields.url, "url");
  if (url === undefined || !URL.canParse(url)) throw bad("url is missing or no address");
  const message = text(fields.protobuf_message, "protobuf_message") ?? V1;
  if (message !== V1) throw bad(`protobuf_message ${message} is not supported; ${V1} is`);
  return {
    name: text(fields.name, "name") ?? url,
    url: new URL(url),
    timeoutMs: duration(fields.remote_timeout, "remote_timeout", 30_000),
    headers: texts(fields.headers, "headers"),
    relabel: relabelConfigs(fields.write_relabel_configs),
    histograms: flag(fields.send_native_histograms, "send_native_histograms"),
    http: httpClientConfig({...fields, ...bearer(fields.authorization)}),
    queue: queueConfig(mapping(fields.queue_config ?? {}, QUEUE_FIELDS)),
  };
}

/** `authorization` of type Bearer, which is the only one in use, as a bearer token. */
function bearer(value: unknown): Fields {
  if (!present(value)) return {};
  const {type, credentials, credentials_file: file} = mapping(value, ["type", "credentials", "credentials_file"]);
  if ((text(type, "authorization.type") ?? "Bearer").toLowerCase() !== "bearer") {
    throw bad("authorization.type can only be Bearer");
  }
  const path = text(file, "authorization.credentials_file");
  if (path === undefined) return {bearer_token: text(credentials, "authorization.credentials")};
  try {
    return {bearer_token: readFileSync(path, "utf8").trim()};
  } catch (err) {
    throw bad(`cannot read authorization.credentials_file: ${errorText(err)}`);
  }
}

function queueConfig(fields: Fields): QueueConfig {
  const minShards = count(fields.min_shards, "min_shards", 1);
  return {
    minShards,
    maxShards: Math.max(minShards, count(fields.max_shards, "max_shards", 50)),
    maxSamplesPerSend: count(fields.max_samples_per_send, "max_samples_per_send", 2000),
    deadlineMs: duration(fields.batch_send_deadline, "batch_send_deadline", 5000),
    minBackoffMs: duration(fields.min_backoff, "min_backoff", 30),
    maxBackoffMs: duration(fields.max_backoff, "max_backoff", 5000),
    retryOn429: flag(fields.retry_on_http_429, "retry_on_http_429"),
    sampleAgeLimitMs: duration(fields.sample_age_limit, "sample_age_limit", 0),
  };
}

type Fields = Readonly<Record<string, unknown>>;

const present = (value: unknown): boolean => value !== undefined && value !== null && value !== false;

function mapping(value: unknown, known: readonly string[]): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad("it is not a mapping");
  for (const key of Object.keys(value)) if (!known.includes(key)) throw bad(`unknown field ${key}`);
  return value as Fields;
}

function text(value: unknown, what: string): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string") throw bad(`${what} is not a text`);
  return value;
}

function texts(value: unknown, what: string): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw bad(`${what} is not a mapping`);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, text(each, `${what}.${key}`) ?? ""]));
}

function duration(value: unknown, what: string, otherwise: number): number {
  if (value === undefined || value === null) return otherwise;
  try {
    return parsePrometheusDuration(String(value));
  } catch (err) {
    throw withContext(err, what);
  }
}

function count(value: unknown, what: string, otherwise: number): number {
  if (value === undefined || value === null) return otherwise;
  if (!Number.isSafeInteger(value) || (value as number) < 1) throw bad(`${what} is not a count`);
  return value as number;
}

function flag(value: unknown, what: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== "boolean") throw bad(`${what} is neither true nor false`);
  return value;
}

const bad = (message: string): StrataError => new StrataError("bad_data", message);
