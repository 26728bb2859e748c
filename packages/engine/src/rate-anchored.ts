import {goQuote} from "@strata/model";
import {addHistograms} from "./histogram/add.ts";
import {detectReset} from "./histogram/compare.ts";
import {compact, divide, type FloatHistogram, HINT, isCustom, scale, withHint} from "./histogram/float-histogram.ts";
import type {RateKind} from "./rate-functions.ts";
import type {Window} from "./window.ts";

/** `rate`, `increase` and `delta` of anchored and smoothed selectors, whose windows reach beyond the range. */
export function anchoredRate(w: Window, kind: RateKind): number | FloatHistogram | undefined {
  if (w.floats > 0 && w.histograms > 0) {
    w.annotations.warn(`encountered a mix of histograms and floats for metric name ${goQuote(w.name)}`, w.pos);
    return undefined;
  }
  const counter = kind !== "delta";
  const isFloat = w.floats > 0;
  const ts = isFloat ? w.ts.subarray(w.from, w.to) : w.hts.slice(w.hfrom, w.hto);
  const picked = pick(w, ts);
  if (picked === undefined) return undefined;
  const result = isFloat
    ? floatChange(w, w.vs.subarray(w.from, w.to), ts, picked.first, picked.last, counter)
    : histogramChange(w, w.hs.slice(w.hfrom, w.hto), ts, picked.first, picked.last, counter);
  if (result === undefined) return undefined;
  if (typeof result === "number") {
    if (counter && w.name !== "" && !/_(?:total|sum|count|bucket)$/.test(w.name)) {
      const text = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:";
      w.annotations.info(`${text} ${goQuote(w.name)}`, w.pos);
    }
    return kind === "rate" ? result / (w.range / 1000) : result;
  }
  const value = kind === "rate" ? divide(result, w.range / 1000) : result;
  return withHint(compact(value), HINT.gauge);
}

/** The samples that bound the change: one at or before the range's start, and the last one that counts. */
function pick(w: Window, ts: ArrayLike<number>): {first: number; last: number} | undefined {
  const n = ts.length;
  if (n === 0) return undefined;
  const search = (accept: (t: number) => boolean): number => {
    for (let i = 0; i < n - 1; i++) if (accept(ts[i]!)) return i;
    return n - 1;
  };
  const first = Math.max(0, search((t) => t > w.start) - 1);
  const last = w.mode === "smoothed" ? search((t) => t >= w.end) : n - 1;
  if (ts[last]! <= w.start) return undefined;
  if (w.mode === "smoothed" && ts[first]! > w.end) return undefined;
  return {first, last};
}

function floatChange(
  w: Window,
  vs: Float64Array,
  ts: ArrayLike<number>,
  first: number,
  last: number,
  counter: boolean,
): number {
  const at = (i: number, t: number): number => {
    const y1 = vs[i]!;
    const y2 = vs[i + 1]!;
    const part = (t - ts[i]!) / (ts[i + 1]! - ts[i]!);
    // A counter that fell is taken to have started from zero in between.
    return counter && y2 < y1 ? y2 * part : y1 + (y2 - y1) * part;
  };
  const smoothed = w.mode === "smoothed";
  const left = smoothed && ts[first]! < w.start && first < last ? at(first, w.start) : vs[first]!;
  const right = smoothed && last > 0 && ts[last]! > w.end ? at(last - 1, w.end) : vs[last]!;
  let result = right - left;
  if (!counter) return result;
  const from = ts[first]! <= w.start ? first + 1 : first;
  const to = ts[last]! >= w.end ? last - 1 : last;
  let previous = left;
  for (let i = from; i <= to; i++) {
    if (vs[i]! < previous) result += previous;
    previous = vs[i]!;
  }
  if (right < previous) result += previous;
  return result;
}

function histogramChange(
  w: Window,
  hs: readonly FloatHistogram[],
  ts: ArrayLike<number>,
  first: number,
  last: number,
  counter: boolean,
): FloatHistogram | undefined {
  for (let i = first; i <= last; i++) {
    if (isCustom(hs[i]!) !== isCustom(hs[first]!)) {
      const text = "vector contains a mix of histograms with exponential and custom buckets schemas for metric name";
      w.annotations.warn(`${text} ${goQuote(w.name)}`, w.pos);
      return undefined;
    }
    const gauge = hs[i]!.hint === HINT.gauge;
    if (counter && gauge)
      w.annotations.warn(`this native histogram metric is not a counter: ${goQuote(w.name)}`, w.pos);
    if (!counter && !gauge && (i === first || i === last)) {
      w.annotations.warn(`this native histogram metric is not a gauge: ${goQuote(w.name)}`, w.pos);
    }
  }
  const smoothed = w.mode === "smoothed";
  const at = (i: number, t: number) => interpolate(hs[i]!, hs[i + 1]!, (t - ts[i]!) / (ts[i + 1]! - ts[i]!), counter);
  const left = smoothed && ts[first]! < w.start && first < last ? at(first, w.start) : hs[first]!;
  const right = smoothed && last > 0 && ts[last]! > w.end ? at(last - 1, w.end) : hs[last]!;
  const combine = (a: FloatHistogram, b: FloatHistogram, sign: 1 | -1): FloatHistogram => {
    const sum = addHistograms(a, b, sign);
    const doing = sign < 0 ? "subtraction" : "addition";
    if (sum.reconciled) w.annotations.info(`mismatched custom buckets were reconciled during ${doing}`, w.pos);
    return sum.sum ?? a;
  };
  let result = combine(right, left, -1);
  if (!counter) return result;
  const from = ts[first]! <= w.start ? first + 1 : first;
  const to = ts[last]! >= w.end ? last - 1 : last;
  let previous = left;
  for (let i = from; i <= to; i++) {
    if (detectReset(hs[i]!, previous)) result = combine(result, previous, 1);
    previous = hs[i]!;
  }
  if (detectReset(right, previous)) result = combine(result, previous, 1);
  return result;
}

/** The histogram `part` of the way from a to b; a counter that was reset in between starts from nothing. */
export function interpolate(a: FloatHistogram, b: FloatHistogram, part: number, counter: boolean): FloatHistogram {
  if (counter && detectReset(b, a)) return scale(b, part);
  const difference = addHistograms(b, a, -1).sum;
  if (difference === undefined) return a;
  return addHistograms(scale(difference, part), a, 1).sum ?? a;
}
