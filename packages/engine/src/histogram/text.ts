import {goG} from "../annotations.ts";
import {type Bucket, type FloatHistogram, negativeBucket, positiveBucket} from "./float-histogram.ts";

/** The text form of a histogram that `count_values` makes label values of. */
export function histogramText(h: FloatHistogram): string {
  return textOf(h, goG);
}

/** The same of integer counts, which have no exponents; those above 2⁵³ are rounded. */
export const integerHistogramText = (h: FloatHistogram): string => textOf(h, (count) => String(BigInt(count)));

function textOf(h: FloatHistogram, countText: (count: number) => string): string {
  const parts = [`count:${countText(h.count)}`, `sum:${goG(h.sum)}`];
  // Buckets keep their own bounds here, also where the zero bucket reaches into one.
  const add = (b: Bucket): void => {
    if (b.count === 0) return;
    const open = b.lowerInclusive ? "[" : "(";
    const close = b.upperInclusive ? "]" : ")";
    parts.push(`${open}${goG(b.lower)},${goG(b.upper)}${close}:${countText(b.count)}`);
  };
  for (let k = h.ni.length - 1; k >= 0; k--) add(negativeBucket(h, k));
  const zero = h.zeroThreshold;
  add({lower: -zero, upper: zero, lowerInclusive: true, upperInclusive: true, count: h.zeroCount});
  for (let k = 0; k < h.pi.length; k++) add(positiveBucket(h, k));
  return `{${parts.join(", ")}}`;
}
