import {goQuote} from "@strata/model";
import type {Window} from "./window.ts";

const NAME_OF_COUNTER = /_(?:total|sum|count|bucket)$/;

/** Says that a name does not look like a counter's; nothing for a series without name. */
export function checkCounterName(w: Window): void {
  if (w.name === "" || NAME_OF_COUNTER.test(w.name)) return;
  const text = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:";
  w.annotations.info(`${text} ${goQuote(w.name)}`, w.pos);
}

/** Floats and histograms in one window. */
export function warnMixed(w: Window): void {
  w.annotations.warn(`encountered a mix of histograms and floats for metric name ${goQuote(w.name)}`, w.pos);
}

/** A gauge histogram under a counter's function. */
export function warnNotCounter(w: Window): void {
  w.annotations.warn(`this native histogram metric is not a counter: ${goQuote(w.name)}`, w.pos);
}

/** A counter histogram under a gauge's function. */
export function warnNotGauge(w: Window): void {
  w.annotations.warn(`this native histogram metric is not a gauge: ${goQuote(w.name)}`, w.pos);
}

/** Exponential and custom buckets in one window. */
export function warnMixedSchemas(w: Window): void {
  const text = "vector contains a mix of histograms with exponential and custom buckets schemas for metric name";
  w.annotations.warn(`${text} ${goQuote(w.name)}`, w.pos);
}
