import {goG} from "./annotations.ts";

/** A float as OpenMetrics writes it in labels: always with a point or an exponent, `+Inf`, `NaN`. */
export function openMetricsFloat(v: number): string {
  const text = goG(v);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
