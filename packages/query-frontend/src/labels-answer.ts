import {StrataError} from "@strata/base";
import {metricOf, tellsOfGaps} from "./range-answer.ts";

/** The answer to a call for label names, values or series. */
export type LabelsAnswer = {
  /** Names or values; of series, label sets as JSON. */
  readonly items: readonly string[];
  readonly series: boolean;
  readonly noStore: boolean;
};

/** Reads a querier's body (2xx). Throws `internal` where it is not what was asked for. */
export function readLabelsAnswer(body: Uint8Array, noStore: boolean): LabelsAnswer {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  let answer: {data?: unknown; warnings?: readonly string[]};
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch (cause) {
    throw new StrataError("internal", "cannot read the querier's answer: it is not JSON", {cause});
  }
  const data = answer.data ?? [];
  if (!Array.isArray(data)) throw new StrataError("internal", "cannot read the querier's answer: data is not a list");
  const series = typeof data[0] === "object";
  const items = data.map((item: unknown) => (typeof item === "string" ? item : metricOf(JSON.stringify(item)).metric));
  return {items, series, noStore: noStore || (answer.warnings ?? []).some(tellsOfGaps)};
}

/** The union, in order. Compat: series are ordered by their labels as Prometheus prints them. */
export function mergeLabels(answers: readonly LabelsAnswer[]): LabelsAnswer {
  const items = [...new Set(answers.flatMap((answer) => answer.items))];
  const series = answers.some((answer) => answer.series);
  if (series) {
    const keys = new Map(items.map((item) => [item, metricOf(item).key]));
    items.sort((a, b) => ((keys.get(a) as string) < (keys.get(b) as string) ? -1 : 1));
  } else items.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return {items, series, noStore: answers.some((answer) => answer.noStore)};
}

/** The body for the client. */
export function writeLabels({items, series}: LabelsAnswer): string {
  const list = series ? items.join(",") : items.map((item) => JSON.stringify(item)).join(",");
  return `{"status":"success","data":[${list}]}`;
}
