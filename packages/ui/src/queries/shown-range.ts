import {formatDuration} from "../format.ts";

/** `instant`, or `6h, step 1m`. */
export function shownRange({start, end, step}: {start: number; end: number; step: number}): string {
  return step === 0 ? "instant" : `${formatDuration(end - start)}, step ${formatDuration(step)}`;
}
