import {formatGoDuration} from "@strata/model";
import {callError} from "./call-error.ts";
import {GoDuration, GoTime, timeText, type Value} from "./values.ts";

const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** Go's zero time, the first moment of the year 1. */
const ZERO_MS = -62_135_596_800_000;

type Method = (args: readonly Value[]) => Value;

/** The methods of times and durations that templates use. */
export function methodOf(value: Value, name: string): Method | undefined {
  if (value instanceof GoTime) return TIME[name]?.(value);
  if (value instanceof GoDuration) return DURATION[name]?.(value);
  return undefined;
}

const utc = (t: GoTime): Date => new Date(t.ms);
const int = (n: number): bigint => BigInt(Math.trunc(n));

const TIME: Readonly<Record<string, (t: GoTime) => Method>> = {
  Format: (t) => (args) => {
    if (typeof args[0] !== "string" || args.length !== 1) throw callError("wrong number of args for Format: want 1");
    return formatTime(t, args[0]);
  },
  String: (t) => () => timeText(t.ms),
  Unix: (t) => () => int(Math.floor(t.ms / 1000)),
  UnixMilli: (t) => () => int(t.ms),
  UnixNano: (t) => () => int(t.ms) * 1_000_000n,
  UTC: (t) => () => t,
  Year: (t) => () => int(utc(t).getUTCFullYear()),
  Month: (t) => () => MONTHS[utc(t).getUTCMonth()],
  Day: (t) => () => int(utc(t).getUTCDate()),
  Hour: (t) => () => int(utc(t).getUTCHours()),
  Minute: (t) => () => int(utc(t).getUTCMinutes()),
  Second: (t) => () => int(utc(t).getUTCSeconds()),
  Weekday: (t) => () => DAYS[utc(t).getUTCDay()],
  YearDay: (t) => () => int((t.ms - Date.UTC(utc(t).getUTCFullYear(), 0, 1)) / 86_400_000) + 1n,
  IsZero: (t) => () => t.ms === ZERO_MS,
};

const DURATION: Readonly<Record<string, (d: GoDuration) => Method>> = {
  String: (d) => () => formatGoDuration(d.nanos / 1e6),
  Seconds: (d) => () => d.seconds,
  Minutes: (d) => () => d.seconds / 60,
  Hours: (d) => () => d.seconds / 3600,
  Milliseconds: (d) => () => int(d.nanos / 1e6),
  Microseconds: (d) => () => int(d.nanos / 1e3),
  Nanoseconds: (d) => () => int(d.nanos),
};

const LAYOUT =
  /January|Jan|Monday|Mon|MST|2006|-07:00|-0700|-07|Z07:00|Z0700|002|01|02|03|04|05|06|15|PM|pm|_2|[.,]0+|[.,]9+|1|2|3|4|5/g;

/** A time in UTC by Go's layout (`2006-01-02 15:04:05`). */
function formatTime(t: GoTime, layout: string): string {
  const date = utc(t);
  const two = (n: number): string => String(n).padStart(2, "0");
  const hour12 = date.getUTCHours() % 12 || 12;
  const fraction = String(((t.ms % 1000) + 1000) % 1000).padStart(3, "0");
  return layout.replace(LAYOUT, (part) => {
    switch (part) {
      case "January":
        return MONTHS[date.getUTCMonth()] as string;
      case "Jan":
        return (MONTHS[date.getUTCMonth()] as string).slice(0, 3);
      case "Monday":
        return DAYS[date.getUTCDay()] as string;
      case "Mon":
        return (DAYS[date.getUTCDay()] as string).slice(0, 3);
      case "MST":
        return "UTC";
      case "2006":
        return String(date.getUTCFullYear()).padStart(4, "0");
      case "06":
        return two(date.getUTCFullYear() % 100);
      case "-07:00":
        return "+00:00";
      case "-0700":
        return "+0000";
      case "-07":
        return "+00";
      case "Z07:00":
      case "Z0700":
        return "Z";
      case "01":
        return two(date.getUTCMonth() + 1);
      case "1":
        return String(date.getUTCMonth() + 1);
      case "02":
        return two(date.getUTCDate());
      case "_2":
        return String(date.getUTCDate()).padStart(2, " ");
      case "2":
        return String(date.getUTCDate());
      case "15":
        return two(date.getUTCHours());
      case "03":
        return two(hour12);
      case "3":
        return String(hour12);
      case "04":
        return two(date.getUTCMinutes());
      case "4":
        return String(date.getUTCMinutes());
      case "05":
        return two(date.getUTCSeconds());
      case "5":
        return String(date.getUTCSeconds());
      case "PM":
        return date.getUTCHours() < 12 ? "AM" : "PM";
      case "pm":
        return date.getUTCHours() < 12 ? "am" : "pm";
      case "002":
        return String(Math.floor((t.ms - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1).padStart(3, "0");
      default: {
        const digits = fraction.padEnd(part.length - 1, "0").slice(0, part.length - 1);
        if (part[1] === "0") return part[0] + digits;
        const trimmed = digits.replace(/0+$/, "");
        return trimmed === "" ? "" : (part[0] as string) + trimmed;
      }
    }
  });
}
