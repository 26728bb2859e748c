import {formatAgo, formatElapsed} from "../format.ts";

/** When something was evaluated and how long it took; the year 1 is "never". */
export function evaluated(last: string, seconds: number, at: number): string {
  const time = Date.parse(last);
  if (Number.isNaN(time) || time < 0) return "never evaluated";
  return `${formatAgo((at - time) / 1000)}, took ${formatElapsed(seconds * 1000)}`;
}
