import {rateWindow} from "./rate-functions.ts";
import type {WindowFunction} from "./window.ts";

/** How far before its range a window of xrate, xincrease or xdelta reaches for one more sample, ms. */
export const X_LOOKBACK_MS = 3_600_000;

/**
 * Thanos' `xrate`, `xincrease` and `xdelta`: no extrapolation, but the last sample before the range counts as the value
 * at its start. Windows of histograms are those of the ordinary functions.
 */
export function extendedWindow(kind: "rate" | "increase" | "delta"): WindowFunction {
  const ordinary = rateWindow(kind);
  const counter = kind !== "delta";
  return (w) => {
    if (w.histograms > 0 && (w.floats === 0 || w.hts[w.hfrom]! < w.ts[w.from]!)) return ordinary(w);
    const before = w.from > 0 && w.ts[w.from - 1]! > w.start - X_LOOKBACK_MS ? 1 : 0;
    let from = w.from - before;
    const n = w.to - from;
    if (n === 0) return undefined;
    const lastT = w.ts[w.to - 1]!;
    let spacing = (lastT - w.ts[from]!) / (n - 1);
    if (kind === "increase") {
      // A series that has just appeared with one value counts that value.
      let same = true;
      for (let i = from + 1; same && i < w.to; i++) same = w.vs[i] === w.vs[from];
      if (same && w.end <= w.ts[0]! + w.range) return w.vs[from]!;
    } else if (w.start - w.ts[from]! > spacing) {
      if (n < 3) return 0;
      from++;
      spacing = (lastT - w.ts[from]!) / (n - 2);
    }
    let result = w.vs[w.to - 1]! - w.vs[from]!;
    if (counter) {
      for (let i = from + 1; i < w.to; i++) if (w.vs[i]! < w.vs[i - 1]!) result += w.vs[i - 1]!;
    }
    const seconds = Math.trunc(w.range / 1000);
    if (kind !== "increase" && w.ts[from]! <= w.start && w.end - lastT < spacing) {
      result *= seconds / ((lastT - w.ts[from]!) / 1000);
    }
    return kind === "rate" ? result / seconds : result;
  };
}
