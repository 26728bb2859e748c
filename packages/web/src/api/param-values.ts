import {isUtf8} from "node:buffer";
import {StrataError} from "@strata/base";
import {goQuote, parsePrometheusDuration, parseRfc3339} from "@strata/model";
import {percentBytes} from "../router.ts";

/** Go's int64 nanoseconds: no duration is longer. */
const MAX_DURATION_SECONDS = 9_223_372_036;

/** The end of Go's int. */
const MAX_INT64 = 2 ** 63;

/** Everything: what `start` and `end` of label calls mean when they are missing. */
export const MIN_TIME = Number.MIN_SAFE_INTEGER;
export const MAX_TIME = Number.MAX_SAFE_INTEGER;

export const badData = (message: string): StrataError => new StrataError("bad_data", message);

/** A number as Go's ParseFloat reads it, or undefined. */
export function goParseFloat(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return Number(text);
  if (/^[+-]?(inf|infinity)$/i.test(text))
    return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^nan$/i.test(text) ? Number.NaN : undefined;
}

/** Unix seconds with a fraction, or RFC 3339; ms. Throws `bad_data`. */
export function parseTime(text: string): number {
  const seconds = goParseFloat(text);
  if (seconds !== undefined && Number.isFinite(seconds)) {
    const whole = Math.trunc(seconds);
    return whole * 1000 + Math.round((seconds - whole) * 1000);
  }
  const t = parseRfc3339(text);
  if (t === undefined) throw badData(`cannot parse ${goQuote(text)} to a valid timestamp`);
  return t;
}

/** A named time parameter with a default. Compat: `prefix` is put before the text where the original wraps twice. */
export function timeParam(form: URLSearchParams, name: string, fallback: number, prefix = ""): number {
  const text = form.get(name) ?? "";
  if (text === "") return fallback;
  try {
    return parseTime(text);
  } catch (err) {
    throw badData(`${prefix}Invalid time value for '${name}': ${err instanceof Error ? err.message : String(err)}`);
  }
}

/** Seconds with a fraction, or a Prometheus duration; ms with a fraction. NaN counts as negative. Throws `bad_data`. */
export function parseDuration(text: string): number {
  const seconds = goParseFloat(text);
  if (seconds !== undefined) {
    if (Math.abs(seconds) > MAX_DURATION_SECONDS) {
      throw badData(`cannot parse ${goQuote(text)} to a valid duration. It overflows int64`);
    }
    return Number.isNaN(seconds) ? Number.NEGATIVE_INFINITY : seconds * 1000;
  }
  try {
    return parsePrometheusDuration(text);
  } catch {
    throw badData(`cannot parse ${goQuote(text)} to a valid duration`);
  }
}

/** A duration parameter whose errors name it; undefined when it is missing or empty. */
export function durationParam(form: URLSearchParams, name: string): number | undefined {
  const text = form.get(name) ?? "";
  if (text === "") return undefined;
  try {
    return parseDuration(text);
  } catch (err) {
    throw badData(`'${name}' parameter: ${err instanceof Error ? err.message : String(err)}`);
  }
}

/** A boolean as Go's ParseBool reads it. */
export function boolParam(form: URLSearchParams, name: string, fallback: boolean): boolean {
  const text = form.get(name) ?? "";
  if (text === "") return fallback;
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  throw badData(`'${name}' parameter: strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`);
}

/** At most so many results; 0 is no limit. */
export function limitParam(form: URLSearchParams): number {
  const text = form.get("limit") ?? "";
  if (text === "") return 0;
  const limit = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(Math.abs(limit) < MAX_INT64)) throw badData(`cannot parse ${goQuote(text)} to a valid limit`);
  if (limit < 0) throw badData("limit must be non-negative");
  return limit;
}

/** `start` and `end` of series and label calls; both inclusive. */
export function metadataRange(
  form: URLSearchParams,
  defaultRangeMs: number,
  now: number,
): {mint: number; maxt: number} {
  const [from, to] = defaultRangeMs === 0 ? [MIN_TIME, MAX_TIME] : [now - defaultRangeMs, now];
  const mint = timeParam(form, "start", from, "bad_data: ");
  const maxt = timeParam(form, "end", to, "bad_data: ");
  if (maxt < mint) throw badData("bad_data: end timestamp must not be before start time");
  return {mint, maxt};
}

/** The label name in a path, which may be any UTF-8 text. */
export function labelNameParam(encoded: string): string {
  const bytes = percentBytes(encoded);
  if (bytes.length > 0 && isUtf8(bytes)) return new TextDecoder().decode(bytes);
  throw badData(`invalid label name: ${quoteBytes(bytes)}`);
}

/** Go's %q of bytes that may not be UTF-8: those that are not appear as `\xNN`. */
function quoteBytes(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const length = [1, 2, 3, 4].find((n) => i + n <= bytes.length && isUtf8(bytes.subarray(i, i + n)));
    if (length === undefined) text += `\\x${(bytes[i] as number).toString(16).padStart(2, "0")}`;
    else text += goQuote(new TextDecoder().decode(bytes.subarray(i, i + length))).slice(1, -1);
    i += length ?? 1;
  }
  return `"${text}"`;
}
