import {addHistograms} from "./histogram/add.ts";
import {detectReset} from "./histogram/compare.ts";
import {compact, divide, type FloatHistogram, HINT, isCustom, scale, withHint} from "./histogram/float-histogram.ts";
import type {Window} from "./window.ts";
import {checkCounterName, warnMixed, warnMixedSchemas, warnNotCounter, warnNotGauge} from "./window-remarks.ts";

export type RateKind = "rate" | "increase" | "delta";

/** The range itself, and how it is extended. */
type Extent = Pick<Window, "mode" | "start" | "end">;

/** `rate`, `increase` and `delta` of anchored and smoothed selectors, whose windows reach beyond the range. */
export function anchoredRate(w: Window, kind: RateKind): number | FloatHistogram | undefined {
  if (w.floats > 0 && w.histograms > 0) {
    warnMixed(w);
    return undefined;
  }
  const counter = kind !== "delta";
  const isFloat = w.floats > 0;
  const ts = isFloat ? w.ts.subarray(w.from, w.to) : w.hts.slice(w.hfrom, w.hto);
  const picked = pick(w, ts);
  if (picked === undefined || (w.mode === "smoothed" && ts[picked.first]! > w.end)) return undefined;
  const result = isFloat
    ? floatChange(w, w.vs.subarray(w.from, w.to), ts, picked.first, picked.last, counter)
    : histogramChange(w, w.hs.slice(w.hfrom, w.hto), ts, picked.first, picked.last, counter);
  if (result === undefined) return undefined;
  if (typeof result === "number") {
    if (counter) checkCounterName(w);
    return kind === "rate" ? result / (w.range / 1000) : result;
  }
  const value = kind === "rate" ? divide(result, w.range / 1000) : result;
  return withHint(compact(value), HINT.gauge);
}

/**
 * The samples of an extended range itself: the values at its two ends, interpolated where it is smoothed, and those in
 * between. None if there is nothing in the range.
 */
export function extendedSamples(
  ts: readonly number[],
  vs: readonly number[],
  mode: "anchored" | "smoothed",
  start: number,
  end: number,
): {ts: number[]; vs: number[]} {
  const picked = pick({mode, start, end}, ts);
  if (picked === undefined) return {ts: [], vs: []};
  const {first, last} = picked;
  const [left, right] = ends(vs, ts, first, last, {mode, start, end}, false);
  const from = ts[first]! <= start ? first + 1 : first;
  const to = ts[last]! >= end ? last : last + 1;
  return {ts: [start, ...ts.slice(from, to), end], vs: [left, ...vs.slice(from, to), right]};
}

/** The samples that bound the change: one at or before the range's start, and the last one that counts. */
function pick(w: Extent, ts: ArrayLike<number>): {first: number; last: number} | undefined {
  const n = ts.length;
  if (n === 0) return undefined;
  const search = (accept: (t: number) => boolean): number => {
    for (let i = 0; i < n - 1; i++) if (accept(ts[i]!)) return i;
    return n - 1;
  };
  const first = Math.max(0, search((t) => t > w.start) - 1);
  const last = w.mode === "smoothed" ? search((t) => t >= w.end) : n - 1;
  if (ts[last]! <= w.start) return undefined;
  return {first, last};
}

/** The value at t on the line from (from, a) to (to, b). */
export const linear = (a: number, b: number, from: number, to: number, t: number): number =>
  a + ((b - a) * (t - from)) / (to - from);

/** The values at both ends of the range. */
function ends(
  vs: ArrayLike<number>,
  ts: ArrayLike<number>,
  first: number,
  last: number,
  w: Extent,
  counter: boolean,
): [number, number] {
  const at = (i: number, t: number): number => {
    const y1 = vs[i]!;
    const y2 = vs[i + 1]!;
    // A counter that fell is taken to have started from zero in between.
    return linear(counter && y2 < y1 ? 0 : y1, y2, ts[i]!, ts[i + 1]!, t);
  };
  const smoothed = w.mode === "smoothed";
  const left = smoothed && ts[first]! < w.start && first < last ? at(first, w.start) : vs[first]!;
  const right = smoothed && last > 0 && ts[last]! > w.end ? at(last - 1, w.end) : vs[last]!;
  return [left, right];
}

function floatChange(
  w: Window,
  vs: Float64Array,
  ts: ArrayLike<number>,
  first: number,
  last: number,
  counter: boolean,
): number {
  const [left, right] = ends(vs, ts, first, last, w, counter);
  if (!counter) return right - left;
  // Summed on its own, since it may overflow where the change does not.
  let correction = 0;
  const from = ts[first]! <= w.start ? first + 1 : first;
  const to = ts[last]! >= w.end ? last - 1 : last;
  let previous = left;
  for (let i = from; i <= to; i++) {
    if (vs[i]! < previous) correction += previous;
    previous = vs[i]!;
  }
  if (right < previous) correction += previous;
  return right - left + correction;
}

function histogramChange(
  w: Window,
  hs: readonly FloatHistogram[],
  ts: ArrayLike<number>,
  first: number,
  last: number,
  counter: boolean,
): FloatHistogram | undefined {
  if (!sameKind(w, hs.slice(first, last + 1), counter)) return undefined;
  const smoothed = w.mode === "smoothed";
  const at = (i: number, t: number) => interpolate(w, hs[i]!, ts[i]!, hs[i + 1]!, ts[i + 1]!, t, counter);
  const cutLeft = smoothed && ts[first]! < w.start && first < last;
  const left = cutLeft ? at(first, w.start) : hs[first]!;
  const right = smoothed && last > 0 && ts[last]! > w.end ? at(last - 1, w.end) : hs[last]!;
  if (left === undefined || right === undefined) return undefined;
  if (!counter && (left.hint !== HINT.gauge || right.hint !== HINT.gauge)) warnNotGauge(w);
  let result = combine(w, right, left, -1);
  if (!counter || result === undefined) return result;
  let from = first + 1;
  let previous = left;
  if (cutLeft && detectReset(hs[from]!, hs[first]!)) {
    // The value at the range's start lies within that reset and has it counted.
    previous = hs[from]!;
    from++;
  }
  if (from > last) return result;
  // `right` stands for the last sample, whose hint would else tell of one reset twice.
  for (let i = from; i <= last; i++) {
    const h = i === last ? right : hs[i]!;
    if (detectReset(h, previous)) {
      result = combine(w, result, previous, 1);
      if (result === undefined) return undefined;
    }
    previous = h;
  }
  return result;
}

/** Whether all have the same kind of buckets; says so if not, and if one is no counter. */
function sameKind(w: Window, hs: readonly FloatHistogram[], counter: boolean): boolean {
  for (const h of hs) {
    if (isCustom(h) !== isCustom(hs[0]!)) {
      warnMixedSchemas(w);
      return false;
    }
    if (counter && h.hint === HINT.gauge) warnNotCounter(w);
  }
  return true;
}

/** a + sign × b; undefined, and a warning, where they do not go together. */
function combine(w: Window, a: FloatHistogram, b: FloatHistogram, sign: 1 | -1): FloatHistogram | undefined {
  const {sum, reconciled} = addHistograms(a, b, sign);
  if (sum === undefined) warnMixedSchemas(w);
  const doing = sign < 0 ? "subtraction" : "addition";
  if (reconciled) w.annotations.info(`mismatched custom buckets were reconciled during ${doing}`, w.pos);
  return sum;
}

/** The histogram at time t between a and b; a counter that was reset in between starts from nothing. */
export function interpolate(
  w: Window,
  a: FloatHistogram,
  from: number,
  b: FloatHistogram,
  to: number,
  t: number,
  counter: boolean,
): FloatHistogram | undefined {
  if (t === from) return a;
  if (t === to) return b;
  const part = (t - from) / (to - from);
  if (counter && detectReset(b, a)) return scale(b, part);
  const difference = combine(w, b, a, -1);
  return difference && combine(w, scale(difference, part), a, 1);
}
