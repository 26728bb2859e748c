import {formatRfc3339, parseRfc3339} from "./durations.ts";

/** A moment to the nanosecond: Unix seconds (may be negative), and nanoseconds in [0, 1e9). */
export type Timestamp = {readonly seconds: number; readonly nanos: number};

/** The zero of Go's times, which stands for "never". */
export const ZERO_TIME: Timestamp = {seconds: -62_135_596_800, nanos: 0};

/** A moment from RFC 3339 with any number of fraction digits; undefined where the text is none. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const ms = parseRfc3339(text);
  if (ms === undefined) return undefined;
  const fraction = /[.,](\d+)/.exec(text)?.[1] ?? "";
  return {seconds: Math.floor(ms / 1000), nanos: Number(fraction.slice(0, 9).padEnd(9, "0"))};
}

/** RFC 3339 in UTC with as many fraction digits as needed. Moments that a calendar does not reach become "never". */
export function formatTimestamp({seconds, nanos}: Timestamp): string {
  if (!(Math.abs(seconds) <= MAX_SECONDS)) return formatTimestamp(ZERO_TIME);
  const fraction = String(nanos).padStart(9, "0").replace(/0+$/, "");
  const whole = formatRfc3339(seconds * 1000);
  return fraction === "" ? whole : `${whole.slice(0, -1)}.${fraction}Z`;
}

/** Beyond it lie no dates of JavaScript. */
const MAX_SECONDS = 8_640_000_000_000;
