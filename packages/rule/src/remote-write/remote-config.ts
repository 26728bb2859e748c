import {ConfigFields, errorText, StrataError} from "@strata/base";
import {type HttpClientConfig, httpClientFields, isReservedHeader} from "@strata/http-client";
import {parsePrometheusDuration, type RelabelConfig, relabelConfigs} from "@strata/model";
import {parse} from "yaml";
import {googleIam, sigV4} from "./cloud-credentials.ts";

/** Where and how samples are sent. Times are ms. */
export type RemoteConfig = {
  readonly name: string;
  readonly url: URL;
  readonly timeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly relabel: readonly RelabelConfig[];
  readonly histograms: boolean;
  readonly message: RemoteMessage;
  readonly http: HttpClientConfig;
  readonly queue: QueueConfig;
};

/** The message that samples are sent in: of remote write 1.0 or 2.0. */
export type RemoteMessage = (typeof MESSAGES)[number];

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

const MESSAGES = ["prometheus.WriteRequest", "io.prometheus.write.v2.Request"] as const;

/** What an application's secret is good for without Azure's own ways. */
const AZURE_BY_OAUTH2 =
  "azuread is not supported; a client secret can be used by oauth2 with token_url " +
  "https://login.microsoftonline.com/TENANT/oauth2/v2.0/token and scopes [https://monitor.azure.com//.default]";

/** Reads `--remote-write.config`. Throws `bad_data`. */
export function parseRemoteWriteConfig(text: string): RemoteConfig[] {
  let root: unknown;
  try {
    root = parse(text);
  } catch (err) {
    throw bad(`cannot read YAML: ${errorText(err).split("\n")[0]}`);
  }
  const document = new ConfigFields("the remote write configuration", mapping(root ?? {}, "the configuration"));
  const list = document.raw("remote_write");
  document.finish();
  if (!Array.isArray(list) || list.length === 0) throw bad("remote_write is not a list with at least one entry");
  const configs = list.map((entry, i) => {
    const what = `entry ${i + 1} of remote_write`;
    const fields = new ConfigFields(what, mapping(entry, what));
    const config = remoteConfig(fields);
    fields.finish();
    return config;
  });
  const names = configs.map(({name}) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw bad(`found multiple remote write configs with job name "${twice}"`);
  return configs;
}

function remoteConfig(fields: ConfigFields): RemoteConfig {
  const url = fields.text("url");
  if (!URL.canParse(url)) throw fields.bad("url is missing or no address");
  if (Object.keys(fields.mapping("azuread")).length > 0) throw fields.bad(AZURE_BY_OAUTH2);
  // Rules give neither exemplars nor metadata, and a name is looked up for each connection.
  for (const key of ["send_exemplars", "round_robin_dns", "failed_request_logging"]) fields.flag(key);
  fields.mapping("metadata_config");
  return {
    name: fields.text("name", url),
    url: new URL(url),
    timeoutMs: duration(fields, "remote_timeout", 30_000),
    headers: headers(fields),
    relabel: relabelConfigs(fields.raw("write_relabel_configs")),
    histograms: fields.flag("send_native_histograms"),
    message: fields.choice("protobuf_message", MESSAGES, MESSAGES[0]),
    http: httpClientFields(fields, {sigv4: sigV4(fields), google_iam: googleIam(fields)}),
    queue: queueConfig(fields.block("queue_config")),
  };
}

function headers(fields: ConfigFields): Readonly<Record<string, string>> {
  const texts = fields.texts("headers");
  const reserved = Object.keys(texts).find(isReservedHeader);
  if (reserved === undefined) return texts;
  throw fields.bad(
    `headers: ${reserved} is set by Strata, or by basic_auth, authorization, oauth2, sigv4 or google_iam`,
  );
}

function queueConfig(fields: ConfigFields): QueueConfig {
  // Accepted: what waits is in the log, not in memory.
  fields.whole("capacity", 1);
  const minShards = count(fields, "min_shards", 1);
  return {
    minShards,
    maxShards: Math.max(minShards, count(fields, "max_shards", 50)),
    maxSamplesPerSend: count(fields, "max_samples_per_send", 2000),
    deadlineMs: duration(fields, "batch_send_deadline", 5000),
    minBackoffMs: duration(fields, "min_backoff", 30),
    maxBackoffMs: duration(fields, "max_backoff", 5000),
    retryOn429: fields.flag("retry_on_http_429"),
    sampleAgeLimitMs: duration(fields, "sample_age_limit", 0),
  };
}

const duration = (fields: ConfigFields, key: string, otherwise: number): number =>
  fields.parsed(key, parsePrometheusDuration, otherwise);

function count(fields: ConfigFields, key: string, otherwise: number): number {
  const value = fields.whole(key, otherwise);
  if (value < 1) throw fields.bad(`${key} must be at least 1`);
  return value;
}

function mapping(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw bad(`${what} is not a mapping`);
}

const bad = (message: string): StrataError => new StrataError("bad_data", message);
