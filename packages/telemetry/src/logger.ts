import {errorText} from "@strata/base";
import pino from "pino";
import {jsonLine, logfmtLine} from "./log-format.ts";

/** How bad a line is: act (`error`), look (`warn`), story (`info`), detail (`debug`). */
export type LogLevel = "error" | "warn" | "info" | "debug";
export const LOG_LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug"];

export type LogFormat = "logfmt" | "json" | "journald";
export const LOG_FORMATS: readonly LogFormat[] = ["logfmt", "json", "journald"];

/** Facts of a line. Errors are printed as their text; never put sample values or credentials here. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where a component tells its story. The message is constant, lower case; whatever varies is a field. */
export type Logger = {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each line. */
  with(fields: LogFields): Logger;
  /** Whether lines of that level are written; asks before costly fields are made. */
  enabled(level: LogLevel): boolean;
};

export type LoggerOptions = {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** `--debug.name`: put into each line as `name`. */
  readonly name?: string | undefined;
  /** Takes whole lines with their newline; stderr when left out. */
  readonly write?: ((line: string) => void) | undefined;
};

/** A logger as the flags `--log.level`, `--log.format` and `--debug.name` ask for it. Lines are written at once. */
export function newLogger(options: LoggerOptions): Logger {
  const write = options.write ?? stderrWriter();
  const format = options.format;
  const destination = {
    write(line: string): void {
      const record = JSON.parse(line) as Record<string, unknown>;
      write(format === "json" ? jsonLine(record) : logfmtLine(record, format === "journald"));
    },
  };
  const root = pino(
    {
      level: options.level,
      base: options.name === undefined || options.name === "" ? {} : {name: options.name},
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: {level: (label) => ({level: label})},
      messageKey: "msg",
      serializers: {err: (err: unknown) => err},
    },
    destination,
  );
  return wrap(root);
}

/** A logger that writes nothing, for tests and tools. */
export function nullLogger(): Logger {
  return NULL_LOGGER;
}

const NULL_LOGGER: Logger = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  with: () => NULL_LOGGER,
  enabled: () => false,
};

function wrap(target: pino.Logger): Logger {
  const line = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (!target.isLevelEnabled(level)) return;
    target[level]({...plainFields(fields), caller: callerLocation()}, message);
  };
  return {
    error: line("error"),
    warn: line("warn"),
    info: line("info"),
    debug: line("debug"),
    with: (fields) => wrap(target.child(plainFields(fields))),
    enabled: (level) => target.isLevelEnabled(level),
  };
}

function stderrWriter(): (line: string) => void {
  // Synchronous, so that the last line before an exit is never lost.
  const out = pino.destination({fd: 2, sync: true});
  // Whoever read the log has left; that is no reason to stop working, and there is nowhere to tell it.
  out.on("error", () => {});
  return (line) => void out.write(line);
}

/** Fields as JSON can carry them: errors with the texts of their causes where those are not already part of it. */
function plainFields(fields: LogFields | undefined): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields ?? {})) {
    if (value instanceof Error) plain[key] = errorChain(value);
    else if (typeof value === "bigint") plain[key] = value.toString();
    else plain[key] = value;
  }
  return plain;
}

function errorChain(err: Error): string {
  let text = errorText(err);
  for (let cause = err.cause; cause !== undefined && cause !== null; ) {
    const more = errorText(cause);
    if (!text.includes(more)) text += `: ${more}`;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return text;
}

/** `file.ts:12` of the code that logged: the first frame outside this file. */
function callerLocation(): string {
  const holder: {stack?: string} = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 4;
  Error.captureStackTrace(holder, callerLocation);
  Error.stackTraceLimit = limit;
  // Frame 0 is the line function above, frame 1 whoever called it.
  const frame = holder.stack?.split("\n")[2] ?? "";
  return /([^/\\(]+:\d+):\d+\)?$/.exec(frame)?.[1] ?? "unknown";
}
