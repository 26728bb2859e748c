import {goQuote} from "@strata/model";
import {addHistograms} from "./histogram/add.ts";
import {detectReset} from "./histogram/compare.ts";
import {
  compact,
  divide,
  type FloatHistogram,
  HINT,
  isCustom,
  scale,
  toSchema,
  withHint,
} from "./histogram/float-histogram.ts";
import {anchoredRate, type RateKind} from "./rate-anchored.ts";
import type {Window, WindowFunction} from "./window.ts";
import {checkCounterName, warnMixed, warnMixedSchemas, warnNotCounter, warnNotGauge} from "./window-remarks.ts";

/** `rate`, `increase` and `delta` with extrapolation to the window's ends. */
export function rateWindow(kind: RateKind): WindowFunction {
  const counter = kind !== "delta";
  return (w) => {
    if (w.mode !== "") return anchoredRate(w, kind);
    if (w.floats > 0 && w.histograms > 0) {
      warnMixed(w);
      return undefined;
    }
    const isFloat = w.floats > 0;
    const n = isFloat ? w.floats : w.histograms;
    if (n === 0) return undefined;
    const st = counter ? (isFloat ? w.st : w.hst) : undefined;
    const first = isFloat ? w.from : w.hfrom;
    const times = isFloat ? w.ts : w.hts;
    const firstT = times[first]!;
    const lastT = times[first + n - 1]!;
    const born = st?.[first] ?? 0;
    const fromStart = counter && born !== 0 && w.start < born && born < firstT;
    if (n === 1 && !fromStart) return undefined;
    if (st !== undefined) warnOverlap(w, st, times, first, n);

    let value: number | FloatHistogram | undefined;
    if (isFloat) value = floatIncrease(w, counter, st);
    else
      value = n === 1 ? emptyLike(w.hs[w.hfrom]!) : histogramIncrease(w, counter, st as readonly number[] | undefined);
    if (value === undefined) return undefined;
    if (kind !== "delta" && isFloat) checkCounterName(w);

    let toStart = (firstT - w.start) / 1000;
    let toEnd = (w.end - lastT) / 1000;
    let sampled = (lastT - firstT) / 1000;
    const average = n === 1 ? 0 : sampled / (n - 1);
    const threshold = average * 1.1;
    if (fromStart) {
      toStart = 0;
      sampled = (lastT - born) / 1000;
      if (typeof value === "number") value += w.vs[w.from]!;
      else value = addHistograms(value, w.hs[w.hfrom]!, 1).sum ?? value;
    } else {
      if (toStart >= threshold) toStart = average / 2;
      if (counter) {
        const total = typeof value === "number" ? value : value.count;
        const begin = isFloat ? w.vs[w.from]! : w.hs[w.hfrom]!.count;
        const toZero = total > 0 && begin >= 0 ? sampled * (begin / total) : toStart;
        if (toZero < toStart) toStart = toZero;
      }
    }
    if (toEnd >= threshold) toEnd = average / 2;
    let factor = sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled;
    if (kind === "rate") factor /= w.range / 1000;
    if (typeof value === "number") return value * factor;
    return withHint(compact(scale(value, factor)), HINT.gauge);
  };
}

function floatIncrease(w: Window, counter: boolean, st: ArrayLike<number> | undefined): number {
  let result = w.vs[w.to - 1]! - w.vs[w.from]!;
  if (!counter) return result;
  for (let i = w.from + 1; i < w.to; i++) {
    const previous = w.vs[i - 1]!;
    if (w.vs[i]! < previous || (st !== undefined && restarted(st, w.ts, i))) result += previous;
  }
  return result;
}

/** Whether sample i has a start time that says it began anew after sample i − 1. */
export function restarted(st: ArrayLike<number>, ts: ArrayLike<number>, i: number): boolean {
  const start = st[i]!;
  const previousT = ts[i - 1]!;
  const previous = st[i - 1]!;
  if (start === 0 || start >= ts[i]! || start < previousT) return false;
  if (start > previousT) return true;
  return previous !== 0 && previous <= previousT && previous !== previousT;
}

function warnOverlap(w: Window, st: ArrayLike<number>, ts: ArrayLike<number>, first: number, n: number): void {
  for (let i = first + 1; i < first + n; i++) {
    if (st[i] === 0 || st[i]! >= ts[i - 1]! || st[i] === st[i - 1]) continue;
    const text = `sample has start time that overlaps with previous sample timestamp for metric ${goQuote(w.name)}`;
    w.annotations.counted(text, w.pos);
    return;
  }
}

const emptyLike = (h: FloatHistogram): FloatHistogram => ({
  ...h,
  zeroCount: 0,
  count: 0,
  sum: 0,
  pi: [],
  pv: [],
  ni: [],
  nv: [],
});

/** Last minus first, resets added back; at least two histograms. */
export function histogramIncrease(
  w: Window,
  counter: boolean,
  st: readonly number[] | undefined,
): FloatHistogram | undefined {
  const {hs, hfrom, hto} = w;
  let previous = hs[hfrom]!;
  const last = hs[hto - 1]!;
  const usesGauge = previous.hint === HINT.gauge || last.hint === HINT.gauge;
  if (counter && usesGauge) warnNotCounter(w);
  if (!counter && (previous.hint !== HINT.gauge || last.hint !== HINT.gauge)) warnNotGauge(w);
  const isReset = (i: number) => (st !== undefined && restarted(st, w.hts, i)) || detectReset(hs[i]!, hs[i - 1]!);
  const second = hs[hfrom + 1]!;
  if (counter && isReset(hfrom + 1)) previous = {...emptyLike(second), hint: previous.hint};
  if (isCustom(last) !== isCustom(previous)) {
    warnMixedSchemas(w);
    return undefined;
  }
  let schema = Math.min(previous.schema, last.schema);
  if (counter) {
    for (let i = hfrom + 1; i < hto - 1; i++) {
      const h = hs[i]!;
      if (h.hint === HINT.gauge) warnNotCounter(w);
      if (isCustom(h) !== isCustom(last)) {
        warnMixedSchemas(w);
        return undefined;
      }
      schema = Math.min(schema, h.schema);
    }
  }
  let result = isCustom(last) ? last : toSchema(last, schema);
  const difference = addHistograms(result, previous, -1);
  if (difference.sum === undefined) return undefined;
  if (difference.reconciled) w.annotations.info("mismatched custom buckets were reconciled during subtraction", w.pos);
  result = difference.sum;
  if (counter) {
    for (let i = hfrom + 1; i < hto; i++) {
      const reset = isReset(i);
      const before = i === hfrom + 1 ? previous : hs[i - 1]!;
      if (!reset || (i === hfrom + 1 && before !== hs[hfrom])) continue;
      const added = addHistograms(result, before, 1);
      if (added.sum === undefined) return undefined;
      if (added.reconciled) w.annotations.info("mismatched custom buckets were reconciled during addition", w.pos);
      result = added.sum;
    }
  }
  return withHint(compact(result), HINT.gauge);
}

type Point = {t: number; v: number | FloatHistogram; index: number};

/** The newest sample of either type before the given ends, or undefined. */
function takeNewest(w: Window, fEnd: number, hEnd: number): Point | undefined {
  const hasFloat = fEnd > w.from;
  const hasHistogram = hEnd > w.hfrom;
  if (!hasFloat && !hasHistogram) return undefined;
  if (hasHistogram && (!hasFloat || w.hts[hEnd - 1]! > w.ts[fEnd - 1]!)) {
    return {t: w.hts[hEnd - 1]!, v: w.hs[hEnd - 1]!, index: hEnd - 1};
  }
  return {t: w.ts[fEnd - 1]!, v: w.vs[fEnd - 1]!, index: fEnd - 1};
}

/** `irate` and `idelta`: from the two newest samples. */
export function instantDelta(isRate: boolean): WindowFunction {
  return (w) => {
    const last = takeNewest(w, w.to, w.hto);
    if (last === undefined) return undefined;
    const isFloat = typeof last.v === "number";
    const before = takeNewest(w, isFloat ? w.to - 1 : w.to, isFloat ? w.hto : w.hto - 1);
    if (before === undefined) return undefined;
    const interval = last.t - before.t;
    if (interval === 0) return undefined;
    if (typeof last.v !== typeof before.v) {
      warnMixed(w);
      return undefined;
    }
    if (typeof last.v === "number" && typeof before.v === "number") {
      const reset = isRate && (last.v < before.v || (w.st !== undefined && restarted(w.st, w.ts, last.index)));
      const value = reset ? last.v : last.v - before.v;
      return isRate ? value / (interval / 1000) : value;
    }
    return histogramDelta(w, last, before, isRate, interval);
  };
}

function histogramDelta(w: Window, last: Point, before: Point, isRate: boolean, interval: number) {
  const now = last.v as FloatHistogram;
  const then = before.v as FloatHistogram;
  const gauge = now.hint === HINT.gauge || then.hint === HINT.gauge;
  if (isRate && gauge) warnNotCounter(w);
  if (!isRate && (now.hint !== HINT.gauge || then.hint !== HINT.gauge)) warnNotGauge(w);
  let value = now;
  const reset = isRate && ((w.hst !== undefined && restarted(w.hst, w.hts, last.index)) || detectReset(now, then));
  if (!reset) {
    const difference = addHistograms(now, then, -1);
    if (difference.sum === undefined) {
      warnMixedSchemas(w);
      return undefined;
    }
    if (difference.reconciled)
      w.annotations.info("mismatched custom buckets were reconciled during subtraction", w.pos);
    value = difference.sum;
  }
  value = withHint(compact(value), HINT.gauge);
  return isRate ? divide(value, interval / 1000) : value;
}

/** How often the counter fell. */
export const resetsWindow: WindowFunction = (w) => {
  let count = 0;
  let i = w.from;
  let j = w.hfrom;
  if (w.mode === "anchored") {
    const lastT = Math.max(
      w.floats > 0 ? w.ts[w.to - 1]! : -Infinity,
      w.histograms > 0 ? w.hts[w.hto - 1]! : -Infinity,
    );
    if (lastT <= w.start) return undefined;
    while (i + 1 < w.to && w.ts[i + 1]! <= w.start) i++;
    while (j + 1 < w.hto && w.hts[j + 1]! <= w.start) j++;
    if (w.floats > 0 && w.histograms > 0 && w.ts[i]! <= w.start && w.hts[j]! <= w.start) {
      if (w.ts[i]! > w.hts[j]!) j++;
      else i++;
    }
  }
  let previous: number | FloatHistogram | undefined;
  while (i < w.to || j < w.hto) {
    const takeFloat = j >= w.hto || (i < w.to && w.ts[i]! <= w.hts[j]!);
    const current = takeFloat ? w.vs[i]! : w.hs[j]!;
    if (previous !== undefined) {
      if (typeof current !== typeof previous) count++;
      else if (typeof current === "number") {
        if (current < (previous as number) || (w.st !== undefined && restarted(w.st, w.ts, i))) count++;
      } else if (
        (w.hst !== undefined && restarted(w.hst, w.hts, j)) ||
        detectReset(current, previous as FloatHistogram)
      ) {
        count++;
      }
    }
    previous = current;
    if (takeFloat) i++;
    else j++;
  }
  return previous === undefined ? undefined : count;
};
