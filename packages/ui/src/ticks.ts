const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** Steps between ticks of a time axis, in seconds. */
export const TIME_STEPS: readonly number[] = [
  1,
  5,
  10,
  15,
  30,
  ...[1, 2, 5, 10, 15, 30].map((m) => m * MINUTE),
  ...[1, 2, 3, 6, 12].map((h) => h * HOUR),
  ...[1, 2, 7, 14, 28, 90, 365].map((d) => d * DAY),
];

/** The smallest step that puts no more than `most` ticks on `span` seconds. */
export const timeStep = (span: number, most: number): number =>
  TIME_STEPS.find((step) => span / step <= most) ?? Math.ceil(span / most / (365 * DAY)) * 365 * DAY;

/**
 * Ticks in [`from`, `to`] seconds that fall on round local times; `offset` is the zone's seconds east of UTC at that
 * time. Days begin at local midnight.
 */
export function timeTicks(from: number, to: number, step: number, offset: number): number[] {
  const ticks: number[] = [];
  for (let t = Math.ceil((from + offset) / step) * step; t <= to + offset; t += step) ticks.push(t - offset);
  return ticks;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const two = (n: number): string => String(n).padStart(2, "0");

/** The text of each tick: times of day, with the date under the first tick of every day; dates alone for long steps. */
export function timeLabels(ticks: readonly number[], step: number, offset: number): string[] {
  let lastDay = "";
  return ticks.map((t) => {
    const d = new Date((t + offset) * 1000);
    const day = `${MONTHS[d.getUTCMonth()]} ${d.getUTCDate()}`;
    if (step >= 90 * DAY) return `${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`;
    if (step >= DAY) return day;
    const seconds = step < MINUTE ? `:${two(d.getUTCSeconds())}` : "";
    const time = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}${seconds}`;
    const first = day !== lastDay;
    lastDay = day;
    return first ? `${time}\n${day}` : time;
  });
}
