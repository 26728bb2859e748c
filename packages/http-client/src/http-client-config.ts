import {readFileSync} from "node:fs";
import {StrataError, withContext} from "@strata/base";
import {parse} from "yaml";
import type {HttpClientConfig} from "./http-client.ts";

type Section = Readonly<Record<string, unknown>>;

/** The text of an HTTP client configuration, such as `--prometheus.http-client`, in YAML. */
export const parseHttpClientConfig = (yaml: string): HttpClientConfig => httpClientConfig(parseYaml(yaml));

/**
 * An HTTP client configuration out of a parsed document (config-files.md §11). Unknown keys are ignored, as the original
 * does; `proxy_url` is refused, because leaving it out would send credentials elsewhere than asked. Files are read once.
 */
export function httpClientConfig(document: unknown): HttpClientConfig {
  const root = section(document, "");
  const basic = section(root.basic_auth, "basic_auth");
  const tls = section(root.tls_config, "tls_config");
  const transport = section(root.transport_config, "transport_config");
  if (text(root.proxy_url, "proxy_url") !== undefined) throw bad("proxy_url is not supported yet");
  const username = text(basic.username, "basic_auth.username");
  return {
    basicAuth:
      username === undefined
        ? undefined
        : {
            username,
            password:
              text(basic.password, "basic_auth.password") ??
              file(basic.password_file, "basic_auth.password_file")?.toString("utf8").trim() ??
              "",
          },
    bearerToken:
      text(root.bearer_token, "bearer_token") ??
      file(root.bearer_token_file, "bearer_token_file")?.toString("utf8").trim(),
    tls: {
      ca: file(tls.ca_file, "tls_config.ca_file"),
      cert: file(tls.cert_file, "tls_config.cert_file"),
      key: file(tls.key_file, "tls_config.key_file"),
      serverName: text(tls.server_name, "tls_config.server_name"),
      insecureSkipVerify: tls.insecure_skip_verify === true,
    },
    maxConnections: connections(transport.max_conns_per_host),
  };
}

function parseYaml(yaml: string): unknown {
  try {
    return parse(yaml);
  } catch (err) {
    throw withContext(err, "cannot parse the HTTP client configuration");
  }
}

function section(value: unknown, name: string): Section {
  if (value === undefined || value === null) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Section;
  throw bad(`${name === "" ? "it" : name} is not a mapping`);
}

function text(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw bad(`${name} is not a string`);
}

function file(value: unknown, name: string): Buffer | undefined {
  const path = text(value, name);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (err) {
    throw new StrataError("bad_data", `cannot read ${name} ${path}: ${(err as Error).message}`, {cause: err});
  }
}

/** 0 and nothing both mean no limit of the user's; ours then holds. */
function connections(value: unknown): number | undefined {
  if (value === undefined || value === null || value === 0) return undefined;
  if (Number.isInteger(value) && (value as number) > 0) return value as number;
  throw bad("transport_config.max_conns_per_host is not a count");
}

const bad = (problem: string): StrataError =>
  new StrataError("bad_data", `cannot use the HTTP client configuration: ${problem}`);
