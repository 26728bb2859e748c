import type {Position} from "@strata/promql";
import type {Annotations} from "./annotations.ts";
import type {FloatHistogram} from "./histogram/float-histogram.ts";
import type {SortedWindow} from "./sorted-window.ts";

/**
 * What a window function sees: floats ts/vs[from, to) and histograms hts/hs[hfrom, hto) within (start, end], both
 * ascending. One object is filled anew for each window. For anchored and smoothed selectors the samples reach beyond
 * (start, end] by the lookback.
 */
export class Window {
  ts: Float64Array = EMPTY;
  vs: Float64Array = EMPTY;
  from = 0;
  to = 0;
  hts: readonly number[] = [];
  hs: readonly FloatHistogram[] = [];
  hfrom = 0;
  hto = 0;
  /** Start timestamps beside floats and histograms, if known and in use. */
  st: Float64Array | undefined;
  hst: readonly number[] | undefined;
  /** The left-open range, ms, and its width. */
  start = 0;
  end = 0;
  range = 0;
  /** Evaluation time, ms. */
  t = 0;
  /** Scalar arguments at this step. */
  args: number[] = [];
  mode: "" | "anchored" | "smoothed" = "";
  /** The floats in order, for functions that want them so. */
  sorted: SortedWindow | undefined;
  /** For annotations: the series' metric name, and where the argument stands. */
  name = "";
  pos: Position = {start: 0, end: 0};
  firstPos: Position = {start: 0, end: 0};
  readonly annotations: Annotations;

  constructor(annotations: Annotations) {
    this.annotations = annotations;
  }

  get floats(): number {
    return this.to - this.from;
  }

  get histograms(): number {
    return this.hto - this.hfrom;
  }
}

const EMPTY = new Float64Array(0);

/** A value for the window, or undefined for none. */
export type WindowFunction = (w: Window) => number | FloatHistogram | undefined;
