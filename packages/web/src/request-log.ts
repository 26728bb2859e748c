import {StrataError} from "@strata/base";
import type {Logger, LogLevel} from "@strata/telemetry";
import {parse as parseYaml} from "yaml";

export type RequestLogDecision = {readonly level: LogLevel; readonly start: boolean; readonly end: boolean};

/** One protocol's part of the request logging configuration. `only` empty means everything. */
export type ProtocolLogConfig = RequestLogDecision & {
  readonly only: readonly {readonly where: string; readonly which: string}[];
};

/** Which requests are logged; undefined parts log nothing. */
export type RequestLogConfig = {readonly http?: ProtocolLogConfig; readonly grpc?: ProtocolLogConfig};

const LEVELS: Readonly<Record<string, LogLevel>> = {DEBUG: "debug", INFO: "info", WARNING: "warn", ERROR: "error"};

/** Reads `--request.logging-config`. "" gives no logging. Throws `bad_data` naming the key that is wrong. */
export function parseRequestLogConfig(text: string): RequestLogConfig {
  if (text.trim() === "") return {};
  const root = mapping(readYaml(text), "request logging configuration", ["options", "http", "grpc"]);
  const global = root.options;
  return {
    http: protocol("http", root.http, global, ["path", "port"]),
    grpc: protocol("grpc", root.grpc, global, ["service", "method"]),
  };
}

function protocol(
  name: string,
  value: unknown,
  globalOptions: unknown,
  [where, which]: readonly [string, string],
): ProtocolLogConfig {
  const block = mapping(value ?? {}, name, ["options", "config"]);
  const decision = options(block.options ?? globalOptions, name);
  const list = block.config ?? [];
  if (!Array.isArray(list)) throw bad(`${name}.config is not a list`);
  const only = list.map((entry, i) => {
    const at = `${name}.config[${i}]`;
    const fields = mapping(entry, at, [where, which]);
    return {where: String(fields[where] ?? ""), which: String(fields[which] ?? "")};
  });
  return {...decision, only};
}

function options(value: unknown, name: string): RequestLogDecision {
  const fields = mapping(value ?? {}, `${name} options`, ["level", "decision"]);
  const decision = mapping(fields.decision ?? {}, `${name} decision`, ["log_start", "log_end"]);
  const [start, end] = [decision.log_start === true, decision.log_end === true];
  if (start && !end) throw bad(`${name}: log_start without log_end is not possible; set both, or only log_end`);
  const text = fields.level;
  if (text === undefined && !end) return {level: "error", start, end};
  const level = LEVELS[String(text)];
  if (level === undefined)
    throw bad(`${name}: level is ${JSON.stringify(text ?? "")}; want DEBUG, INFO, WARNING or ERROR`);
  return {level, start, end};
}

function readYaml(text: string): unknown {
  try {
    return parseYaml(text);
  } catch (err) {
    throw bad(err instanceof Error ? err.message : String(err));
  }
}

function mapping(value: unknown, what: string, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad(`${what} is not a mapping`);
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw bad(`${what} has the unknown key ${unknown}; known are ${keys.join(", ")}`);
  return value as Record<string, unknown>;
}

const bad = (reason: string): StrataError =>
  new StrataError("bad_data", `cannot read the request logging configuration: ${reason}`);

export type LoggedRequest = {
  readonly method: string;
  readonly path: string;
  readonly port: number;
  readonly host: string;
  readonly remote: string;
  readonly userAgent: string;
  readonly id: string;
};

/** Logs a request as configured; call the result when it is answered. */
export function logRequest(log: Logger, config: ProtocolLogConfig | undefined, request: LoggedRequest) {
  const silent = (): void => {};
  if (config === undefined || !config.end) return silent;
  const listed = config.only.some(
    (o) => o.where === request.path && (o.which === "" || Number(o.which) === request.port),
  );
  if (config.only.length > 0 && !listed) return silent;
  const fields = {
    "http.request.id": request.id,
    "http.method": request.method,
    "http.host": request.host,
    "http.port": request.port,
    "http.path": request.path,
    "http.remote_addr": request.remote,
    "http.user_agent": request.userAgent,
  };
  if (config.start) log[config.level]("started call", fields);
  const began = performance.now();
  return (code: number): void =>
    log[config.level]("finished call", {
      ...fields,
      "http.code": code,
      "http.time_ms": Math.round((performance.now() - began) * 1000) / 1000,
    });
}
