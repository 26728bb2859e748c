import type {Agent as HttpAgent} from "node:http";
import type {AgentOptions, Agent as HttpsAgent} from "node:https";
import {type ConfigFields, nodeHttp, nodeHttps, tlsOptions} from "@strata/base";

/** Transport of an object storage client: `http_config`. */
export type HttpClientConfig = {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
  /** What the agents were made of, for clients that make their own. */
  readonly agentOptions: AgentOptions;
  /** ms until the answer's headers must be there. */
  readonly responseHeaderTimeoutMs: number;
};

/** Parallel requests are bounded by their callers; this only keeps a fault from opening thousands of sockets. */
const DEFAULT_MAX_SOCKETS = 256;

/** Reads the block `http_config`; files are read at once. Throws `bad_data`. */
export function httpClientConfig(fields: ConfigFields): HttpClientConfig {
  const skipOuter = fields.flag("insecure_skip_verify");
  const idleMs = duration(fields, "idle_conn_timeout", 90_000);
  const responseHeaderTimeoutMs = duration(fields, "response_header_timeout", 120_000);
  // Accepted for compatibility: Node has no such limits of its own.
  duration(fields, "tls_handshake_timeout", 10_000);
  duration(fields, "expect_continue_timeout", 1000);
  const maxIdle = fields.whole("max_idle_conns", 100);
  fields.whole("max_idle_conns_per_host", 100);
  const maxSockets = fields.whole("max_conns_per_host", 0) || DEFAULT_MAX_SOCKETS;
  fields.flag("disable_compression");
  const tls = tlsOptions(fields.block("tls_config"), skipOuter);
  const plain = {keepAlive: true, maxSockets, maxFreeSockets: maxIdle, timeout: idleMs};
  const agentOptions = {...plain, ...tls};
  return {
    responseHeaderTimeoutMs,
    httpAgent: new (nodeHttp().Agent)(plain),
    httpsAgent: new (nodeHttps().Agent)(agentOptions),
    agentOptions,
  };
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

/** A Prometheus duration in ms. This package lies beside `model`, which has the full parser, not above it. */
function duration(fields: ConfigFields, key: string, otherwise: number): number {
  const text = fields.text(key);
  if (text === "" || text === "0") return text === "" ? otherwise : 0;
  let total = 0;
  for (let rest = text; rest !== ""; ) {
    const part = /^([0-9]+)(ms|[smhdwy])/.exec(rest);
    if (part === null) throw fields.bad(`${key}: ${JSON.stringify(text)} is not a duration such as 90s`);
    total += Number(part[1]) * (UNIT_MS[part[2] as string] as number);
    rest = rest.slice(part[0].length);
  }
  return total;
}
