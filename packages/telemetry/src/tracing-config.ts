import {errorText, StrataError} from "@strata/base";
import {parse as parseYaml} from "yaml";

/** Which traces are kept. `parent`: a caller's decision comes first. */
export type SamplerConfig =
  | {readonly kind: "always"; readonly parent: boolean}
  | {readonly kind: "never"; readonly parent: boolean}
  | {readonly kind: "ratio"; readonly ratio: number; readonly parent: boolean}
  | {readonly kind: "rate"; readonly perSecond: number; readonly parent: boolean};

export type TlsFiles = {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly serverName: string;
  readonly skipVerify: boolean;
};

export type OtlpConfig = {
  readonly type: "OTLP";
  readonly serviceName: string;
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: SamplerConfig;
  readonly client: "grpc" | "http";
  /** `host:port`; "" is the exporter's default. */
  readonly endpoint: string;
  readonly insecure: boolean;
  readonly urlPath: string;
  readonly gzip: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly tls: TlsFiles;
};

export type JaegerConfig = {
  readonly type: "JAEGER";
  readonly serviceName: string;
  readonly disabled: boolean;
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: SamplerConfig;
  /** Collector URL; "" sends to the agent by UDP. */
  readonly endpoint: string;
  readonly user: string;
  readonly password: string;
  readonly agentHost: string;
  readonly agentPort: number;
  readonly flushMs: number;
  readonly queueSize: number;
};

export type TracingConfig = OtlpConfig | JaegerConfig;

const SUPPORTED = ["OTLP", "JAEGER"];
const KNOWN = ["GOOGLE_CLOUD", "STACKDRIVER", "ELASTIC_APM", "LIGHTSTEP"];

/** Reads `--tracing.config`; undefined for an empty text. `component` names the service where the text does not. */
export function parseTracingConfig(text: string, component: string): TracingConfig | undefined {
  if (text.trim() === "") return undefined;
  const top = mapping(readYaml(text), "the document");
  const strange = Object.keys(top).find((key) => key !== "type" && key !== "config");
  if (strange !== undefined) throw bad(`unknown key ${strange}; known are type, config`);
  const type = String(top.type ?? "").toUpperCase();
  const config = mapping(top.config ?? {}, "config");
  if (type === "OTLP") return otlp(config, component);
  if (type === "JAEGER") return jaeger(config, component);
  const supported = `supported are ${SUPPORTED.join(", ")}`;
  if (KNOWN.includes(type)) throw bad(`tracing with type ${type} is not supported yet; ${supported}`);
  throw bad(`unknown tracing type ${JSON.stringify(top.type ?? "")}; ${supported}`);
}

function otlp(c: Fields, component: string): OtlpConfig {
  const client = String(c.client_type ?? "");
  if (client !== "grpc" && client !== "http") throw bad(`client_type is ${JSON.stringify(client)}; want grpc or http`);
  const compression = String(c.compression ?? "");
  if (!["", "gzip", "none"].includes(compression)) throw bad(`compression is ${compression}; want gzip or none`);
  const tls = mapping(c.tls_config ?? {}, "tls_config");
  return {
    type: "OTLP",
    serviceName: text(c.service_name) || component,
    resource: strings(c.resource_attributes, "resource_attributes"),
    sampler: otlpSampler(text(c.sampler_type), text(c.sampler_param)),
    client,
    endpoint: text(c.endpoint),
    insecure: c.insecure === true,
    urlPath: text(c.url_path) || "/v1/traces",
    gzip: compression === "gzip",
    headers: strings(c.headers, "headers"),
    timeoutMs: duration(c.timeout, "timeout", 10_000),
    tls: {
      ca: text(tls.ca_file),
      cert: text(tls.cert_file),
      key: text(tls.key_file),
      serverName: text(tls.server_name),
      skipVerify: tls.insecure_skip_verify === true,
    },
  };
}

function otlpSampler(type: string, param: string): SamplerConfig {
  const name = type.toLowerCase();
  const parent = name === "" || name.startsWith("parentbased");
  switch (name.replace(/^parentbased/, "")) {
    case "alwayssample":
      return {kind: "always", parent};
    case "neversample":
      return {kind: "never", parent};
    case "":
      return {kind: "ratio", ratio: 1, parent};
    case "traceidratiobased":
    case "traceidratio":
      return {kind: "ratio", ratio: number(param === "" ? "1" : param, "sampler_param"), parent};
    default:
      throw bad(`unknown sampler_type ${type}`);
  }
}

function jaeger(c: Fields, component: string): JaegerConfig {
  return {
    type: "JAEGER",
    serviceName: text(c.service_name) || component,
    disabled: c.disabled === true,
    resource: tags(text(c.tags)),
    sampler: jaegerSampler(text(c.sampler_type), c.sampler_param),
    endpoint: text(c.endpoint),
    user: text(c.user),
    password: text(c.password),
    agentHost: text(c.agent_host) || "localhost",
    agentPort: number(c.agent_port ?? 6831, "agent_port"),
    flushMs: duration(c.reporter_flush_interval, "reporter_flush_interval", 1000),
    queueSize: number(c.reporter_max_queue_size ?? 100, "reporter_max_queue_size"),
  };
}

/** The caller's decision always comes first, as in Jaeger's own clients. */
function jaegerSampler(type: string, param: unknown): SamplerConfig {
  const value = param === undefined || param === null ? undefined : number(param, "sampler_param");
  switch (type) {
    case "const":
      return value === 0 || value === undefined ? {kind: "never", parent: true} : {kind: "always", parent: true};
    case "probabilistic":
      return {kind: "ratio", ratio: value ?? 0, parent: true};
    case "remote":
      throw bad("sampler_type remote is not supported yet; supported are const, probabilistic, ratelimiting");
    default:
      return {kind: "rate", perSecond: value ?? 0, parent: true};
  }
}

/** `k=v,k2=${ENV:default}`. */
function tags(list: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const part of list.split(",")) {
    const at = part.indexOf("=");
    if (at < 0) continue;
    const value = part.slice(at + 1).trim();
    const env = /^\$\{([^:}]+):?([^}]*)\}$/.exec(value);
    out[part.slice(0, at).trim()] = env === null ? value : (process.env[env[1] as string] ?? env[2] ?? "");
  }
  return out;
}

type Fields = Readonly<Record<string, unknown>>;

function readYaml(source: string): unknown {
  try {
    return parseYaml(source);
  } catch (err) {
    throw bad(errorText(err));
  }
}

function mapping(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad(`${what} is not a mapping`);
  return value as Fields;
}

const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));

function number(value: unknown, what: string): number {
  const n = Number(value);
  if (!Number.isFinite(n)) throw bad(`${what} is ${JSON.stringify(value)}; want a number`);
  return n;
}

function strings(value: unknown, what: string): Record<string, string> {
  return Object.fromEntries(Object.entries(mapping(value ?? {}, what)).map(([k, v]) => [k, text(v)]));
}

const UNITS: Readonly<Record<string, number>> = {ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000};

/** A Go duration, ms. This package stands below the one with the full parser. */
function duration(value: unknown, what: string, fallback: number): number {
  if (value === undefined || value === null || value === "") return fallback;
  const parts = [...String(value).matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.map((p) => p[0]).join("") !== String(value))
    throw bad(`${what} is ${JSON.stringify(value)}; want a duration such as 10s`);
  return parts.reduce((sum, p) => sum + Number(p[1]) * (UNITS[p[2] as string] as number), 0);
}

const bad = (reason: string): StrataError =>
  new StrataError("bad_data", `cannot read the tracing configuration: ${reason}`);
