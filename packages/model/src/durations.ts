import {StrataError} from "@strata/base";
import {goQuote} from "./go-quote.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const YEAR = 365 * DAY;

/** Prometheus units in the order in which they must stand; years and weeks are printed only where they come out even. */
const PROMETHEUS_UNITS: readonly {readonly unit: string; readonly ms: number; readonly onlyExact: boolean}[] = [
  {unit: "y", ms: YEAR, onlyExact: true},
  {unit: "w", ms: WEEK, onlyExact: true},
  {unit: "d", ms: DAY, onlyExact: false},
  {unit: "h", ms: HOUR, onlyExact: false},
  {unit: "m", ms: MINUTE, onlyExact: false},
  {unit: "s", ms: SECOND, onlyExact: false},
  {unit: "ms", ms: 1, onlyExact: false},
];

/** Go's durations are int64 nanoseconds: 2^63 of them in ms. */
const MAX_DURATION_MS = 9_223_372_036_854;

const GO_UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
  d: DAY,
  w: WEEK,
};

/** A Prometheus duration (`1d12h`, `5m`, `0`) in ms. Whole numbers, units from large to small. Throws `bad_data`. */
export function parsePrometheusDuration(text: string): number {
  if (text === "0") return 0;
  if (text === "") throw bad("empty duration string");
  let total = 0;
  let lastPosition = -1;
  for (let rest = text; rest !== ""; ) {
    const part = /^([0-9]+)([^0-9]+)/.exec(rest);
    if (part === null) throw bad(`not a valid duration string: ${goQuote(text)}`);
    const [whole, digits, unit] = part as unknown as [string, string, string];
    const position = PROMETHEUS_UNITS.findIndex((u) => u.unit === unit);
    if (position < 0) throw bad(`unknown unit ${goQuote(unit)} in duration ${goQuote(text)}`);
    if (position <= lastPosition) throw bad(`not a valid duration string: ${goQuote(text)}`);
    lastPosition = position;
    total += Number(digits) * (PROMETHEUS_UNITS[position] as {ms: number}).ms;
    if (total > MAX_DURATION_MS) throw bad("duration out of range");
    rest = rest.slice(whole.length);
  }
  return total;
}

/** `ms` as Prometheus prints durations: `1d12h`, `90m` becomes `1h30m`, zero is `0s`; negative ones get a minus. */
export function formatPrometheusDuration(ms: number): string {
  if (ms === 0) return "0s";
  let rest = Math.abs(Math.trunc(ms));
  let out = ms < 0 ? "-" : "";
  for (const {unit, ms: size, onlyExact} of PROMETHEUS_UNITS) {
    if (onlyExact && rest % size !== 0) continue;
    const count = Math.floor(rest / size);
    if (count > 0) out += `${count}${unit}`;
    rest -= count * size;
  }
  return out;
}

/**
 * A Go duration (`1h30m`, `1.5h`, `-20ms`, `0`) in ms, with fractions down to the nanosecond. `withDays` also reads `d`
 * and `w`, as the flags of Thanos do. Throws `bad_data`.
 */
export function parseGoDuration(text: string, options: {withDays?: boolean | undefined} = {}): number {
  const sign = text[0] === "-" ? -1 : 1;
  let rest = text[0] === "-" || text[0] === "+" ? text.slice(1) : text;
  if (rest === "0") return 0;
  if (rest === "") throw bad(`time: invalid duration ${goQuote(text)}`);
  let total = 0;
  while (rest !== "") {
    const part = /^([0-9]*(?:\.[0-9]*)?)([^0-9.]*)/.exec(rest) as RegExpExecArray;
    const [whole, number, unit] = part as unknown as [string, string, string];
    if (number === "" || number === ".") throw bad(`time: invalid duration ${goQuote(text)}`);
    if (unit === "") throw bad(`time: missing unit in duration ${goQuote(text)}`);
    const size = !options.withDays && (unit === "d" || unit === "w") ? undefined : GO_UNITS_MS[unit];
    if (size === undefined) throw bad(`time: unknown unit ${goQuote(unit)} in duration ${goQuote(text)}`);
    total += Number(number) * size;
    if (total > MAX_DURATION_MS) throw bad(`time: invalid duration ${goQuote(text)}`);
    rest = rest.slice(whole.length);
  }
  return sign * total;
}

/** `ms` as Go prints durations: `1h30m0s`, `1.5s`, `300ms`, `1µs`, `0s`. */
export function formatGoDuration(ms: number): string {
  if (ms === 0) return "0s";
  const sign = ms < 0 ? "-" : "";
  const abs = Math.abs(ms);
  if (abs < 1e-3) return `${sign}${Math.round(abs * 1e6)}ns`;
  if (abs < 1) return `${sign}${trimNumber(abs * 1e3, 3)}µs`;
  if (abs < SECOND) return `${sign}${trimNumber(abs, 6)}ms`;
  const hours = Math.floor(abs / HOUR);
  const minutes = Math.floor((abs % HOUR) / MINUTE);
  const seconds = `${trimNumber((abs % MINUTE) / SECOND, 9)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

const trimNumber = (value: number, digits: number): string => value.toFixed(digits).replace(/\.?0+$/, "");

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/;

/** Milliseconds since the epoch of an RFC 3339 time (further digits are cut off), or undefined where it is none. */
export function parseRfc3339(text: string): number | undefined {
  const m = RFC3339.exec(text);
  if (m === null) return undefined;
  const [year, month, day, hour, minute, second] = m.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const zone = zoneOffsetMs(m[8] as string);
  if (zone === undefined) return undefined;
  const millis = Number((m[7] ?? "").slice(0, 3).padEnd(3, "0"));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, millis);
  return date.getTime() - zone;
}

const daysInMonth = (year: number, month: number): number => {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
};

function zoneOffsetMs(zone: string): number | undefined {
  if (zone === "Z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone[0] === "-" ? -1 : 1) * (hours * HOUR + minutes * MINUTE);
}

/** `ms` in UTC as RFC 3339 with as many fraction digits as needed: `2024-06-04T00:00:00Z`, `…00.25Z`. */
export function formatRfc3339(ms: number): string {
  const iso = new Date(ms).toISOString();
  return iso.replace(/\.(\d*?)0*Z$/, (_, digits: string) => (digits === "" ? "Z" : `.${digits}Z`));
}

/** The flag type "time|dur": a fixed time, or one relative to now (negative durations lie in the past). */
export type TimeOrDuration =
  | {readonly kind: "time"; readonly t: number}
  | {readonly kind: "duration"; readonly ms: number};

/** Reads RFC 3339 or a Prometheus duration with an optional minus. Throws `bad_data`. */
export function parseTimeOrDuration(text: string): TimeOrDuration {
  const t = parseRfc3339(text);
  if (t !== undefined) return {kind: "time", t};
  const negative = text[0] === "-";
  const ms = parsePrometheusDuration(negative ? text.slice(1) : text);
  return {kind: "duration", ms: negative ? -ms : ms};
}

/** Milliseconds since the epoch that `value` means at `now`. */
export const resolveTime = (value: TimeOrDuration, now: number): number =>
  value.kind === "time" ? value.t : now + value.ms;

const bad = (message: string): StrataError => new StrataError("bad_data", message);
