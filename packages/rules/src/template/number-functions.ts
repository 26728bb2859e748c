import {callError} from "./call-error.ts";
import {sprintf} from "./printf.ts";
import {GoDuration, GoTime, timeText, typeName, type Value} from "./values.ts";

const LARGE = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"] as const;
const LARGE_1024 = ["", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"] as const;
const SMALL = ["", "m", "u", "n", "p", "f", "a", "z", "y"] as const;

/** What functions over numbers accept: floats, ints, texts of numbers, durations (in seconds). */
export function toFloat(v: Value): number {
  if (typeof v === "number") return v;
  if (typeof v === "bigint") return Number(v);
  if (v instanceof GoDuration) return v.seconds;
  if (typeof v === "string") return parseFloatText(v);
  throw callError(`can't convert ${typeName(v)} to float`);
}

function parseFloatText(text: string): number {
  const lower = text.toLowerCase();
  if (lower === "nan") return Number.NaN;
  const infinite = /^([+-]?)inf(?:inity)?$/.exec(lower);
  if (infinite !== null) return infinite[1] === "-" ? -Infinity : Infinity;
  const plain = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?$/.test(lower);
  if (!plain) throw callError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(lower);
}

const fourDigits = (v: number): string => sprintf("%.4g", [v]);

export function humanize(value: Value): string {
  let v = toFloat(value);
  if (v === 0 || !Number.isFinite(v)) return fourDigits(v);
  let step = 0;
  if (Math.abs(v) >= 1) {
    for (; Math.abs(v) >= 1000 && step < LARGE.length - 1; step++) v /= 1000;
    return fourDigits(v) + LARGE[step];
  }
  for (; Math.abs(v) < 1 && step < SMALL.length - 1; step++) v *= 1000;
  return fourDigits(v) + SMALL[step];
}

export function humanize1024(value: Value): string {
  let v = toFloat(value);
  if (Math.abs(v) <= 1 || !Number.isFinite(v)) return fourDigits(v);
  let step = 0;
  for (; Math.abs(v) >= 1024 && step < LARGE_1024.length - 1; step++) v /= 1024;
  return fourDigits(v) + LARGE_1024[step];
}

export function humanizeDuration(value: Value): string {
  let v = toFloat(value);
  if (!Number.isFinite(v)) return fourDigits(v);
  if (v === 0) return `${fourDigits(v)}s`;
  if (Math.abs(v) < 1) {
    let step = 0;
    for (; Math.abs(v) < 1 && step < SMALL.length - 1; step++) v *= 1000;
    return `${fourDigits(v)}${SMALL[step]}s`;
  }
  const sign = v < 0 ? "-" : "";
  v = Math.abs(v);
  const whole = Math.floor(v);
  const [seconds, minutes, hours, days] = [
    whole % 60,
    Math.floor(whole / 60) % 60,
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 86_400),
  ];
  if (days > 0) return `${sign}${days}d ${hours}h ${minutes}m ${seconds}s`;
  if (hours > 0) return `${sign}${hours}h ${minutes}m ${seconds}s`;
  return minutes > 0 ? `${sign}${minutes}m ${seconds}s` : `${sign}${fourDigits(v)}s`;
}

export const humanizePercentage = (value: Value): string => `${fourDigits(toFloat(value) * 100)}%`;

export function humanizeTimestamp(value: Value): string {
  const v = toFloat(value);
  return Number.isFinite(v) ? timeText(timeOf(v).ms) : fourDigits(v);
}

/** Seconds as a time. Compat: what a nanosecond count cannot hold is refused. */
export function timeOf(seconds: number): GoTime {
  if (!Number.isFinite(seconds)) throw callError("value is NaN or Inf");
  if (Math.abs(seconds) > 2 ** 63 / 1e9) {
    const text = sprintf("%v", [seconds]);
    throw callError(`${text} cannot be represented as a nanoseconds timestamp since it overflows int64`);
  }
  return new GoTime(Math.trunc(seconds * 1000));
}

export function durationOf(seconds: number): GoDuration {
  if (!Number.isFinite(seconds)) throw callError("value is NaN or Inf");
  return new GoDuration(Math.min(Math.max(seconds * 1e9, -(2 ** 63)), 2 ** 63));
}
