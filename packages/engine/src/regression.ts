import {StrataError} from "@strata/base";
import {goQuote} from "@strata/model";
import type {Window, WindowFunction} from "./window.ts";

/** A compensated running sum (Neumaier), given up once infinite. */
class Sum {
  value = 0;
  c = 0;

  add(x: number): void {
    const t = this.value + x;
    if (t === Infinity || t === -Infinity) this.c = 0;
    else if (Math.abs(this.value) >= Math.abs(x)) this.c += this.value - t + x;
    else this.c += x - t + this.value;
    this.value = t;
  }

  get total(): number {
    return this.value + this.c;
  }
}

/** Least squares over the window's floats, x in seconds from `t0` (ms). */
function regression(w: Window, t0: number): {slope: number; intercept: number} {
  const first = w.vs[w.from]!;
  let constant = true;
  let n = 0;
  const sx = new Sum();
  const sy = new Sum();
  const sxy = new Sum();
  const sxx = new Sum();
  for (let i = w.from; i < w.to; i++) {
    const y = w.vs[i]!;
    if (constant && i > w.from && y !== first) constant = false;
    n++;
    const x = (w.ts[i]! - t0) / 1000;
    sx.add(x);
    sy.add(y);
    sxy.add(x * y);
    sxx.add(x * x);
  }
  if (constant) {
    if (first === Infinity || first === -Infinity) return {slope: Number.NaN, intercept: Number.NaN};
    return {slope: 0, intercept: first};
  }
  const x = sx.total;
  const y = sy.total;
  const cov = sxy.total - (x * y) / n;
  const variance = sxx.total - (x * x) / n;
  const slope = cov / variance;
  return {slope, intercept: y / n - (slope * x) / n};
}

/** Fewer than two floats give nothing; histograms beside floats are told of. */
function enough(w: Window): boolean {
  if (w.histograms > 0 && w.floats > 0) {
    const text = `ignored histograms in a range containing both floats and histograms for metric name ${goQuote(w.name)}`;
    w.annotations.info(text, w.pos);
  }
  return w.floats >= 2;
}

export const deriv: WindowFunction = (w) => (enough(w) ? regression(w, w.ts[w.from]!).slope : undefined);

export const predictLinear: WindowFunction = (w) => {
  if (!enough(w)) return undefined;
  const {slope, intercept} = regression(w, w.t);
  return slope * w.args[0]! + intercept;
};

export const doubleExponentialSmoothing: WindowFunction = (w) => {
  const [sf, tf] = w.args as [number, number];
  if (!(sf > 0 && sf < 1)) throw invalidFactor("smoothing", "sf", sf);
  if (!(tf > 0 && tf < 1)) throw invalidFactor("trend", "tf", tf);
  if (!enough(w)) return undefined;
  let s0 = 0;
  let s1 = w.vs[w.from]!;
  let b = w.vs[w.from + 1]! - w.vs[w.from]!;
  for (let i = 1; i < w.floats; i++) {
    const x = sf * w.vs[w.from + i]!;
    if (i > 1) b = tf * (s1 - s0) + (1 - tf) * b;
    const y = (1 - sf) * (s1 + b);
    s0 = s1;
    s1 = x + y;
  }
  return s1;
};

function invalidFactor(what: string, name: string, got: number): StrataError {
  const text = Number.isFinite(got) ? got.toFixed(6) : got > 0 ? "+Inf" : Number.isNaN(got) ? "NaN" : "-Inf";
  return new StrataError("execution", `invalid ${what} factor. Expected: 0 < ${name} < 1, got: ${text}`);
}
