import {goG} from "../annotations.ts";
import {ascendingBuckets, type FloatHistogram} from "./float-histogram.ts";

/** The text form of a histogram that `count_values` makes label values of. */
export function histogramText(h: FloatHistogram): string {
  const parts = [`count:${goG(h.count)}`, `sum:${goG(h.sum)}`];
  for (const b of ascendingBuckets(h)) {
    if (b.count === 0) continue;
    const open = b.lowerInclusive ? "[" : "(";
    const close = b.upperInclusive ? "]" : ")";
    parts.push(`${open}${goG(b.lower)},${goG(b.upper)}${close}:${goG(b.count)}`);
  }
  return `{${parts.join(", ")}}`;
}
