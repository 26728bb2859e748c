import {goQuote} from "@strata/model";
import type {Window} from "../window.ts";
import type {FloatHistogram} from "./float-histogram.ts";
import {HistogramSum} from "./histogram-sum.ts";

/** `sum_over_time` of a window of histograms alone. */
export function sumHistograms(w: Window): FloatHistogram | undefined {
  const sum = new HistogramSum(w.hs[w.hfrom]!);
  for (let i = w.hfrom + 1; i < w.hto; i++) if (sum.add(w.hs[i]!) === "incompatible") return incompatible(w);
  remark(w, sum);
  return sum.result();
}

/** `avg_over_time` of a window of histograms alone: the sum by the count, or a running mean once the sum overflows. */
export function avgHistograms(w: Window): FloatHistogram | undefined {
  let sum = new HistogramSum(w.hs[w.hfrom]!);
  let incremental = false;
  let k = 1;
  for (let i = w.hfrom + 1; i < w.hto; i++) {
    k++;
    const h = w.hs[i]!;
    const step = addToMean(sum, h, k, incremental);
    if (step === undefined) return incompatible(w);
    sum = step.sum;
    incremental = step.incremental;
  }
  remark(w, sum);
  if (!incremental) sum.divideBy(k);
  return sum.result();
}

/** Adds the k-th histogram (k ≥ 2) to a sum, or to a mean after the first overflow; undefined when incompatible. */
export function addToMean(
  sum: HistogramSum,
  h: FloatHistogram,
  k: number,
  incremental: boolean,
): {sum: HistogramSum; incremental: boolean} | undefined {
  let mean = sum;
  if (!incremental) {
    const before = sum.snapshot();
    if (sum.add(h) === "incompatible") return undefined;
    if (!sum.overflown) return {sum, incremental: false};
    before.divideBy(k - 1);
    mean = before;
  }
  mean.scaleBy((k - 1) / k);
  const factor = 1 / k;
  const part: FloatHistogram = {
    ...h,
    zeroCount: h.zeroCount * factor,
    count: h.count / k,
    sum: h.sum / k,
    pv: h.pv.map((v) => v / k),
    nv: h.nv.map((v) => v / k),
  };
  return mean.add(part) === "incompatible" ? undefined : {sum: mean, incremental: true};
}

function incompatible(w: Window): undefined {
  const text = "vector contains a mix of histograms with exponential and custom buckets schemas for metric name";
  w.annotations.warn(`${text} ${goQuote(w.name)}`, w.pos);
  return undefined;
}

function remark(w: Window, sum: HistogramSum): void {
  if (sum.collision) w.annotations.warn("conflicting counter resets during histogram aggregation", w.pos);
  if (sum.reconciled) w.annotations.info("mismatched custom buckets were reconciled during aggregation", w.pos);
}
