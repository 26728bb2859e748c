import {ConfigFields, StrataError, tlsOptions, withContext} from "@strata/base";
import {parse} from "yaml";
import {
  allCredentials,
  basicCredentials,
  type Credentials,
  headerCredentials,
  tokenCredentials,
} from "./credentials.ts";
import type {HttpClientConfig} from "./http-client.ts";
import {oauth2Config, oauth2Credentials} from "./oauth2.ts";
import {proxyConfig} from "./proxy.ts";
import {type Secret, secretField, secretFile} from "./secret.ts";
import {TlsSource} from "./tls-source.ts";

/** Makes what lets requests in, for a client of the given name. */
export type MakeCredentials = NonNullable<HttpClientConfig["credentials"]>;

const WHAT = "the HTTP client configuration";

/** Headers that belong to the connection, to the message or to credentials. */
const RESERVED_HEADERS = new Set([
  ...["authorization", "host", "content-encoding", "content-length", "content-type", "user-agent", "connection"],
  ...["keep-alive", "proxy-authenticate", "proxy-authorization", "www-authenticate", "accept-encoding"],
  ...["x-prometheus-remote-write-version", "x-prometheus-remote-read-version", "x-prometheus-scrape-timeout-seconds"],
  ...["x-amz-date", "x-amz-security-token", "x-amz-content-sha256"],
]);

/** The text of an HTTP client configuration, such as `--prometheus.http-client`, in YAML. */
export const parseHttpClientConfig = (yaml: string): HttpClientConfig => httpClientConfig(parseYaml(yaml));

/** An HTTP client configuration out of a parsed document. Unknown keys are ignored, as the original does. */
export function httpClientConfig(document: unknown): HttpClientConfig {
  const root = document ?? {};
  if (typeof root !== "object" || Array.isArray(root)) {
    throw new StrataError("bad_data", `cannot use ${WHAT}: it is not a mapping`);
  }
  return httpClientFields(new ConfigFields(WHAT, root as Readonly<Record<string, unknown>>));
}

/** Whether a header belongs to the connection, the message or credentials, and cannot be set by its name. */
export const isReservedHeader = (name: string): boolean => RESERVED_HEADERS.has(name.toLowerCase());

/**
 * The keys of an HTTP client configuration out of a larger block (config-files.md §11, and what Prometheus knows besides).
 * Secrets in files are read at each use, certificates now and then. `more` has ways of letting requests in that the block has
 * besides, by their keys: only one of all may be there.
 */
export function httpClientFields(
  fields: ConfigFields,
  more: Readonly<Record<string, MakeCredentials | undefined>> = {},
): HttpClientConfig {
  // Accepted: connections speak HTTP/1.1.
  fields.flag("enable_http2");
  return {
    credentials: credentials(fields, more),
    tls: tlsSource(fields),
    proxy: proxyConfig(fields),
    maxConnections: fields.block("transport_config").whole("max_conns_per_host") || undefined,
    followRedirects: fields.flag("follow_redirects", true),
  };
}

function tlsSource(fields: ConfigFields): TlsSource {
  const block = fields.block("tls_config");
  return new TlsSource(() => tlsOptions(block, false, true));
}

function credentials(
  fields: ConfigFields,
  more: Readonly<Record<string, MakeCredentials | undefined>>,
): MakeCredentials | undefined {
  const ways = {
    basic_auth: basicAuth(fields),
    authorization: authorization(fields),
    bearer_token: bearerToken(fields),
    oauth2: oauth2(fields),
    ...more,
  };
  const found = Object.entries(ways).flatMap(([name, make]) => (make === undefined ? [] : [{name, make}]));
  if (found.length > 1) {
    throw fields.bad(`at most one of ${found.map(({name}) => name).join(" & ")} must be configured`);
  }
  const headers = httpHeaders(fields);
  const all = [...found.map(({make}) => make), ...(headers === undefined ? [] : [() => headers])];
  if (all.length < 2) return all[0];
  return (userAgent) => allCredentials(all.map((make) => make(userAgent)));
}

function basicAuth(fields: ConfigFields): MakeCredentials | undefined {
  const block = fields.block("basic_auth");
  const username = secretField(block, "username");
  const password = secretField(block, "password");
  if (username === undefined && password === undefined) return undefined;
  return () => basicCredentials(username ?? "", password ?? "");
}

function authorization(fields: ConfigFields): MakeCredentials | undefined {
  const block = fields.block("authorization");
  const type = block.text("type").trim() || "Bearer";
  const token = secretField(block, "credentials");
  if (type.toLowerCase() === "basic") throw block.bad('type cannot be set to "basic", use "basic_auth" instead');
  return token === undefined ? undefined : () => tokenCredentials(type, token);
}

function bearerToken(fields: ConfigFields): MakeCredentials | undefined {
  const token = secretField(fields, "bearer_token");
  return token === undefined ? undefined : () => tokenCredentials("Bearer", token);
}

function oauth2(fields: ConfigFields): MakeCredentials | undefined {
  if (Object.keys(fields.mapping("oauth2")).length === 0) return undefined;
  const block = fields.block("oauth2");
  const config = oauth2Config(block, {tls: tlsSource(block), proxy: proxyConfig(block)});
  return (userAgent) => oauth2Credentials(config, userAgent);
}

function httpHeaders(fields: ConfigFields): Credentials | undefined {
  const headers: Record<string, readonly Secret[]> = {};
  const names = Object.keys(fields.mapping("http_headers"));
  const blocks = fields.block("http_headers");
  for (const name of names) {
    if (isReservedHeader(name)) throw fields.bad(`setting header ${JSON.stringify(name)} is not allowed`);
    const block = blocks.block(name);
    const files = block.list("files").map((file) => secretFile(block, "files", file));
    headers[name] = [...block.list("values"), ...block.list("secrets"), ...files];
  }
  return names.length === 0 ? undefined : headerCredentials(headers);
}

function parseYaml(yaml: string): unknown {
  try {
    return parse(yaml);
  } catch (err) {
    throw withContext(err, `cannot parse ${WHAT}`);
  }
}
