import {goG} from "../annotations.ts";
import {ascendingBuckets, type FloatHistogram} from "./float-histogram.ts";

/** The text form of a histogram that `count_values` makes label values of. */
export function histogramText(h: FloatHistogram): string {
  return textOf(h, goG);
}

/** The same of integer counts, which have no exponents; those above 2⁵³ are rounded. */
export const integerHistogramText = (h: FloatHistogram): string => textOf(h, (count) => String(BigInt(count)));

function textOf(h: FloatHistogram, countText: (count: number) => string): string {
  const parts = [`count:${countText(h.count)}`, `sum:${goG(h.sum)}`];
  for (const b of ascendingBuckets(h)) {
    if (b.count === 0) continue;
    const open = b.lowerInclusive ? "[" : "(";
    const close = b.upperInclusive ? "]" : ")";
    parts.push(`${open}${goG(b.lower)},${goG(b.upper)}${close}:${countText(b.count)}`);
  }
  return `{${parts.join(", ")}}`;
}
