import {avgWindow, RANGE, type RangeFunc, sumWindow} from "@strata/kernels";
import {goQuote} from "@strata/model";
import {goG} from "./annotations.ts";
import {histogramsEqual} from "./histogram/compare.ts";
import {avgHistograms, sumHistograms} from "./histogram/window-sum.ts";
import {instantDelta, rateWindow, resetsWindow} from "./rate-functions.ts";
import {deriv, doubleExponentialSmoothing, predictLinear} from "./regression.ts";
import {SortedWindow} from "./sorted-window.ts";
import type {Window, WindowFunction} from "./window.ts";
import {extendedWindow, X_LOOKBACK_MS} from "./x-functions.ts";

/** A function over range vectors. */
export type RangeFunction = {
  /** The kernel that gives the same for windows of floats only. */
  readonly kernel: RangeFunc | undefined;
  readonly window: WindowFunction;
  readonly keepsName: boolean;
  /** Wants start timestamps and knows counter names. */
  readonly counter: boolean;
  /** ms before the range that it may look at, for one sample more. */
  readonly lookback: number;
};

const define = (window: WindowFunction, kernel?: RangeFunc, more: Partial<RangeFunction> = {}): RangeFunction => ({
  kernel,
  window,
  keepsName: false,
  counter: false,
  lookback: 0,
  ...more,
});

const mixedText = (w: Window) => `encountered a mix of histograms and floats for metric name ${goQuote(w.name)}`;

/** Says that histograms beside floats were left out. */
function ignoreHistograms(w: Window): void {
  if (w.histograms === 0) return;
  const text = `ignored histograms in a range containing both floats and histograms for metric name ${goQuote(w.name)}`;
  // Compat: points at the first argument, also where that is not the range.
  w.annotations.info(text, w.firstPos);
}

/** For functions over floats alone: nothing for a window without any. */
const floatsOnly =
  (f: (w: Window) => number | undefined): WindowFunction =>
  (w) => {
    if (w.floats === 0) return undefined;
    ignoreHistograms(w);
    return f(w);
  };

function newest(w: Window) {
  if (w.histograms > 0 && (w.floats === 0 || w.hts[w.hto - 1]! >= w.ts[w.to - 1]!)) return w.hs[w.hto - 1];
  return w.floats > 0 ? w.vs[w.to - 1] : undefined;
}

function oldest(w: Window) {
  if (w.histograms > 0 && (w.floats === 0 || w.hts[w.hfrom]! <= w.ts[w.from]!)) return w.hs[w.hfrom];
  return w.floats > 0 ? w.vs[w.from] : undefined;
}

function extreme(w: Window, max: boolean): number {
  let best = w.vs[w.from]!;
  for (let i = w.from + 1; i < w.to; i++) {
    const v = w.vs[i]!;
    if ((max ? v > best : v < best) || Number.isNaN(best)) best = v;
  }
  return best;
}

/** Seconds of the last sample that is at least as extreme as all before it. */
function extremeTime(w: Window, max: boolean): number {
  let best = w.vs[w.from]!;
  let at = w.from;
  for (let i = w.from + 1; i < w.to; i++) {
    const v = w.vs[i]!;
    if ((max ? v >= best : v <= best) || Number.isNaN(best)) {
      best = v;
      at = i;
    }
  }
  return w.ts[at]! / 1000;
}

/** Population variance by Welford's method with compensated sums. */
function variance(w: Window): number {
  let n = 0;
  let mean = 0;
  let cMean = 0;
  let aux = 0;
  let cAux = 0;
  for (let i = w.from; i < w.to; i++) {
    n++;
    const v = w.vs[i]!;
    const delta = v - (mean + cMean);
    const step = delta / n;
    let t = mean + step;
    if (t === Infinity || t === -Infinity) cMean = 0;
    else if (Math.abs(mean) >= Math.abs(step)) cMean += mean - t + step;
    else cMean += step - t + mean;
    mean = t;
    const square = delta * (v - (mean + cMean));
    t = aux + square;
    if (t === Infinity || t === -Infinity) cAux = 0;
    else if (Math.abs(aux) >= Math.abs(square)) cAux += aux - t + square;
    else cAux += square - t + aux;
    aux = t;
  }
  return (aux + cAux) / n;
}

/** The φ-quantile of numbers, which are sorted in place: NaN first, linear between neighbours. */
export function quantileOf(phi: number, values: Float64Array): number {
  const n = values.length;
  if (n === 0 || Number.isNaN(phi)) return Number.NaN;
  if (phi < 0) return -Infinity;
  if (phi > 1) return Infinity;
  // A typed array sorts NaN last; here it counts as lowest.
  values.sort();
  let nans = 0;
  while (nans < n && Number.isNaN(values[n - 1 - nans]!)) nans++;
  const at = (i: number) => (i < nans ? Number.NaN : values[i - nans]!);
  const rank = phi * (n - 1);
  const low = Math.max(0, Math.floor(rank));
  const high = Math.min(n - 1, low + 1);
  const weight = rank - Math.floor(rank);
  return at(low) * (1 - weight) + at(high) * weight;
}

/** The text of the warning about a φ outside [0, 1]; undefined for one within. */
export function invalidQuantile(phi: number): string | undefined {
  if (phi >= 0 && phi <= 1) return undefined;
  return `quantile value should be between 0 and 1, got ${goG(phi)}`;
}

function quantileOverTime(w: Window): number {
  const phi = w.args[0]!;
  const warning = invalidQuantile(phi);
  if (warning !== undefined) w.annotations.warn(warning, w.firstPos);
  if (Number.isNaN(phi)) return Number.NaN;
  if (phi < 0) return -Infinity;
  if (phi > 1) return Infinity;
  w.sorted ??= new SortedWindow();
  w.sorted.update(w);
  return w.sorted.quantile(phi);
}

function medianDeviation(w: Window): number {
  for (let i = w.from; i < w.to; i++) if (Number.isNaN(w.vs[i]!)) return Number.NaN;
  const median = quantileOf(0.5, w.vs.slice(w.from, w.to));
  return quantileOf(
    0.5,
    w.vs.slice(w.from, w.to).map((v) => Math.abs(v - median)),
  );
}

function changes(w: Window): number | undefined {
  let count = 0;
  let i = w.from;
  let j = w.hfrom;
  if (w.mode === "anchored") {
    // The reference is the last sample at or before the range's start; with nothing after it there is no result.
    while (i + 1 < w.to && w.ts[i + 1]! <= w.start) i++;
    while (j + 1 < w.hto && w.hts[j + 1]! <= w.start) j++;
    if (w.floats > 0 && w.histograms > 0) {
      if (w.ts[i]! <= w.start && w.hts[j]! <= w.start) {
        if (w.ts[i]! > w.hts[j]!) j++;
        else i++;
      }
    }
    const lastT = Math.max(
      w.floats > 0 ? w.ts[w.to - 1]! : -Infinity,
      w.histograms > 0 ? w.hts[w.hto - 1]! : -Infinity,
    );
    if (lastT <= w.start) return undefined;
  }
  let previous: unknown;
  let started = false;
  while (i < w.to || j < w.hto) {
    const takeFloat = j >= w.hto || (i < w.to && w.ts[i]! <= w.hts[j]!);
    const current = takeFloat ? w.vs[i++]! : w.hs[j++]!;
    if (started && !sameValue(previous, current)) count++;
    previous = current;
    started = true;
  }
  return started ? count : undefined;
}

function sameValue(a: unknown, b: unknown): boolean {
  if (typeof a === "number" && typeof b === "number") return a === b || (Number.isNaN(a) && Number.isNaN(b));
  if (typeof a === "object" && typeof b === "object") return histogramsEqual(a as never, b as never);
  return false;
}

const newestTime = (w: Window): number | undefined => {
  const f = w.floats > 0 ? w.ts[w.to - 1]! : -Infinity;
  const h = w.histograms > 0 ? w.hts[w.hto - 1]! : -Infinity;
  return w.floats + w.histograms === 0 ? undefined : Math.max(f, h) / 1000;
};

const oldestTime = (w: Window): number | undefined => {
  const f = w.floats > 0 ? w.ts[w.from]! : Infinity;
  const h = w.histograms > 0 ? w.hts[w.hfrom]! : Infinity;
  return w.floats + w.histograms === 0 ? undefined : Math.min(f, h) / 1000;
};

/** Sum or average of floats or of histograms; of a mix nothing. */
const sumOrAverage =
  (floats: typeof sumWindow, histograms: typeof sumHistograms): WindowFunction =>
  (w) => {
    if (w.floats > 0 && w.histograms > 0) {
      w.annotations.warn(mixedText(w), w.pos);
      return undefined;
    }
    if (w.histograms > 0) return histograms(w);
    return w.floats > 0 ? floats(w.vs, w.from, w.to) : undefined;
  };

/** All functions over range vectors by name, `absent_over_time` aside. */
export const RANGE_FUNCTIONS: ReadonlyMap<string, RangeFunction> = new Map([
  ["rate", define(rateWindow("rate"), RANGE.rate, {counter: true})],
  ["increase", define(rateWindow("increase"), RANGE.increase, {counter: true})],
  ["delta", define(rateWindow("delta"), RANGE.delta)],
  ["xrate", define(extendedWindow("rate"), undefined, {lookback: X_LOOKBACK_MS})],
  ["xincrease", define(extendedWindow("increase"), undefined, {lookback: X_LOOKBACK_MS})],
  ["xdelta", define(extendedWindow("delta"), undefined, {lookback: X_LOOKBACK_MS})],
  ["irate", define(instantDelta(true), RANGE.irate, {counter: true})],
  ["idelta", define(instantDelta(false), RANGE.idelta)],
  ["resets", define(resetsWindow, RANGE.resets, {counter: true})],
  ["changes", define(changes, RANGE.changes)],
  ["sum_over_time", define(sumOrAverage(sumWindow, sumHistograms), RANGE.sum)],
  ["avg_over_time", define(sumOrAverage(avgWindow, avgHistograms), RANGE.avg)],
  [
    "min_over_time",
    define(
      floatsOnly((w) => extreme(w, false)),
      RANGE.min,
    ),
  ],
  [
    "max_over_time",
    define(
      floatsOnly((w) => extreme(w, true)),
      RANGE.max,
    ),
  ],
  ["count_over_time", define((w) => w.floats + w.histograms || undefined, RANGE.count)],
  ["present_over_time", define((w) => (w.floats + w.histograms > 0 ? 1 : undefined), RANGE.present)],
  ["last_over_time", define(newest, RANGE.last, {keepsName: true})],
  ["first_over_time", define(oldest, undefined, {keepsName: true})],
  ["ts_of_last_over_time", define(newestTime)],
  ["ts_of_first_over_time", define(oldestTime)],
  ["ts_of_max_over_time", define(floatsOnly((w) => extremeTime(w, true)))],
  ["ts_of_min_over_time", define(floatsOnly((w) => extremeTime(w, false)))],
  ["stdvar_over_time", define(floatsOnly(variance))],
  ["stddev_over_time", define(floatsOnly((w) => Math.sqrt(variance(w))))],
  ["quantile_over_time", define(floatsOnly(quantileOverTime))],
  ["mad_over_time", define(floatsOnly(medianDeviation))],
  ["deriv", define(deriv)],
  ["predict_linear", define(predictLinear)],
  ["double_exponential_smoothing", define(doubleExponentialSmoothing)],
]);

export {ignoreHistograms, mixedText};
