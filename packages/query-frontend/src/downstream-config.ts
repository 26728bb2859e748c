import {readFileSync} from "node:fs";
import type {ConnectionOptions} from "node:tls";
import {errorText, StrataError} from "@strata/base";
import {parseGoDuration} from "@strata/model";
import {parse} from "yaml";

/** `--query-frontend.downstream-tripper-config`. Times in ms. */
export type DownstreamConfig = {
  readonly idleTimeoutMs: number;
  /** Until the answer's head; 0 is no limit. */
  readonly headerTimeoutMs: number;
  readonly maxIdlePerHost: number;
  /** 0 is no limit. */
  readonly maxConnsPerHost: number;
  readonly tls: ConnectionOptions;
};

const DURATIONS = ["idle_conn_timeout", "response_header_timeout", "tls_handshake_timeout", "expect_continue_timeout"];
const COUNTS = ["max_idle_conns", "max_idle_conns_per_host", "max_conns_per_host"];
const TLS_TEXTS = ["ca_file", "cert_file", "key_file", "server_name"];

const DEFAULT_IDLE_MS = 90_000;
/** One query asks for up to fourteen parts at once; the original keeps two connections and makes the others anew. */
const DEFAULT_IDLE_CONNS = 100;

/** Reads the configuration; "" gives the defaults. Throws `bad_data` that names the key. */
export function parseDownstreamConfig(text: string): DownstreamConfig {
  const fields = mapping(parse(text) ?? {}, "the downstream configuration");
  for (const key of Object.keys(fields)) {
    if (![...DURATIONS, ...COUNTS, "tls_config"].includes(key)) throw bad(`field ${key} not found`);
  }
  const duration = (key: string, fallback: number): number => {
    const value = fields[key];
    if (value === undefined || value === null) return fallback;
    try {
      return parseGoDuration(String(value));
    } catch (err) {
      throw bad(`cannot use ${JSON.stringify(value)} as ${key}: ${errorText(err)}`);
    }
  };
  const count = (key: string): number => {
    const value = fields[key] ?? 0;
    if (!Number.isSafeInteger(value) || (value as number) < 0) throw bad(`cannot use ${String(value)} as ${key}`);
    return value as number;
  };
  for (const key of DURATIONS) duration(key, 0);
  return {
    idleTimeoutMs: duration("idle_conn_timeout", DEFAULT_IDLE_MS),
    headerTimeoutMs: duration("response_header_timeout", 0),
    maxIdlePerHost: count("max_idle_conns_per_host") || count("max_idle_conns") || DEFAULT_IDLE_CONNS,
    maxConnsPerHost: count("max_conns_per_host"),
    tls: tlsOptions(fields.tls_config),
  };
}

function tlsOptions(value: unknown): ConnectionOptions {
  if (value === undefined || value === null) return {};
  const fields = mapping(value, "tls_config");
  const unknown = Object.keys(fields).find((key) => ![...TLS_TEXTS, "insecure_skip_verify"].includes(key));
  if (unknown !== undefined) throw bad(`field ${unknown} not found in tls_config`);
  const file = (key: string): Buffer | undefined => {
    const path = fields[key] ?? "";
    if (path === "") return undefined;
    try {
      return readFileSync(String(path));
    } catch (err) {
      throw bad(`cannot read ${key} of tls_config: ${errorText(err)}`);
    }
  };
  const serverName = String(fields.server_name ?? "");
  return {
    ca: file("ca_file"),
    cert: file("cert_file"),
    key: file("key_file"),
    ...(serverName === "" ? {} : {servername: serverName}),
    rejectUnauthorized: fields.insecure_skip_verify !== true,
  };
}

function mapping(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw bad(`${what} must be a mapping`);
}

const bad = (message: string): StrataError => new StrataError("bad_data", message);
