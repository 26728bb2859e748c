import {CUSTOM_SCHEMA, type FloatHistogram, HINT} from "@strata/engine";
import {compareLabels, type Labels} from "@strata/model";
import type {SequenceValue} from "@strata/promql/testing";
import type {ExpectedAlert} from "./test-file.ts";

/** One sample of an expected or given vector; a histogram in the notation of the PromQL tests. */
export type Sample = {readonly labels: Labels; readonly value: number; readonly histogram: string | undefined};

/** Alerts as promtool prints them; equal texts are equal alerts. */
export function alertsText(alerts: readonly ExpectedAlert[]): string {
  if (alerts.length === 0) return "[]";
  const sorted = [...alerts].sort(
    (a, b) => compareLabels(a.labels, b.labels) || compareLabels(a.annotations, b.annotations),
  );
  const lines = sorted.map(({labels, annotations}, i) => {
    const comma = i < sorted.length - 1 ? "," : "";
    return `            ${i}:\n              Labels:${labels}\n              Annotations:${annotations}${comma}`;
  });
  return `[\n${lines.join("\n")}\n            ]`;
}

export function samplesText(samples: readonly Sample[]): string {
  if (samples.length === 0) return "nil";
  return samples.map(({labels, value, histogram}) => `${labels} ${histogram ?? goE(value)}`).join(", ");
}

export const sampleText = (value: SequenceValue | undefined): string =>
  value?.kind === "float" ? String(value.value) : (value?.kind ?? "nothing");

/** Go's `%E` with the shortest digits. */
function goE(v: number): string {
  if (Number.isNaN(v)) return "NaN";
  if (!Number.isFinite(v)) return v > 0 ? "+Inf" : "-Inf";
  const [digits, exponent] = v.toExponential().split("e") as [string, string];
  return `${Object.is(v, -0) ? "-" : ""}${digits}E${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

const HINT_NAMES = new Map<number, string>([
  [HINT.reset, "reset"],
  [HINT.notReset, "not_reset"],
  [HINT.gauge, "gauge"],
]);

/** A histogram in the notation of the PromQL tests; equal texts are equal histograms. */
export function histogramExpression(h: FloatHistogram): string {
  const parts: string[] = [];
  const add = (key: string, value: number) => {
    if (value !== 0) parts.push(`${key}:${numberText(value)}`);
  };
  add("schema", h.schema);
  add("count", h.count);
  add("sum", h.sum);
  add("z_bucket", h.zeroCount);
  add("z_bucket_w", h.zeroThreshold);
  if (h.schema === CUSTOM_SCHEMA) parts.push(`custom_values:[${h.custom.map(numberText).join(" ")}]`);
  const hint = HINT_NAMES.get(h.hint);
  if (hint !== undefined) parts.push(`counter_reset_hint:${hint}`);
  for (const [index, value, prefix] of [
    [h.pi, h.pv, ""],
    [h.ni, h.nv, "n_"],
  ] as const) {
    const {from, counts} = dense(index, value);
    add(`${prefix}offset`, from);
    if (counts.length > 0) parts.push(`${prefix}buckets:[${counts.map(numberText).join(" ")}]`);
  }
  return `{{${parts.join(" ")}}}`;
}

const numberText = (v: number): string => (v === Infinity ? "+Inf" : v === -Infinity ? "-Inf" : String(v));

/** Buckets from the first to the last that is not empty, those between written out. */
function dense(index: readonly number[], value: readonly number[]): {from: number; counts: number[]} {
  const filled = index.map((at, k) => [at, value[k]!] as const).filter(([, v]) => v !== 0);
  const from = filled[0]?.[0] ?? 0;
  const counts: number[] = [];
  for (const [at, v] of filled) {
    while (counts.length < at - from) counts.push(0);
    counts.push(v);
  }
  return {from, counts};
}
