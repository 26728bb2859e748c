import {type AggregateOp, type Expr, unparen} from "@strata/promql";
import {type Analysis, mergeAnalyses, NO_ANALYSIS, readAnalysis} from "./analysis.ts";
import {JsonScan} from "./json-scan.ts";
import {plainNumber} from "./points.ts";
import {mergeStats, metricOf, type QueryStats, readStats, statsJson} from "./range-answer.ts";

/** One element of an instant query's vector or matrix. */
type Element = {
  readonly metric: string;
  readonly key: string;
  /** Everything behind the metric, as JSON: `"value":[…]`, `"histogram":[…]`, `"values":[…]`, `"histograms":[…]`. */
  readonly rest: string;
  /** Of a float sample, to order by; NaN else. */
  readonly value: number;
  /** Of the sample, in seconds. */
  readonly time: number;
};

/** The answer to an instant query, or to one shard of it. */
export type InstantAnswer = {
  readonly resultType: string;
  /** Of a vector or matrix. */
  readonly elements: readonly Element[];
  /** JSON of a scalar or string. */
  readonly other: string;
  readonly warnings: readonly string[];
  readonly stats: QueryStats | undefined;
  readonly analysis: Analysis | undefined;
};

/** Reads a querier's body (2xx). */
export function readInstantAnswer(body: Uint8Array): InstantAnswer {
  const scan = new JsonScan(body);
  let [resultType, other] = ["", ""];
  let result: readonly [number, number] | undefined;
  let warnings: readonly string[] = [];
  let stats: QueryStats | undefined;
  let analysis: Analysis | undefined;
  scan.object(scan.space(0), (name, at) => {
    const end = scan.value(at);
    if (name === "warnings") warnings = (scan.parse(at, end) as string[] | null) ?? [];
    if (name === "data" && scan.bytes[at] === 0x7b) {
      scan.object(at, (field, from) => {
        const to = scan.value(from);
        if (field === "resultType") resultType = scan.parse(from, to) as string;
        if (field === "result") result = [from, to];
        if (field === "stats") stats = readStats(scan.parse(from, to));
        if (field === "analysis") analysis = readAnalysis(scan.parse(from, to));
        return to;
      });
    }
    return end;
  });
  const elements: Element[] = [];
  if (result !== undefined) {
    if (resultType === "vector" || resultType === "matrix") readElements(scan, result[0], elements);
    else other = scan.slice(...result);
  }
  return {resultType, elements, other, warnings, stats, analysis};
}

function readElements(scan: JsonScan, at: number, into: Element[]): void {
  if (scan.bytes[at] !== 0x5b) return;
  scan.array(at, (item) => {
    let metric = "{}";
    const rest: string[] = [];
    let [time, value] = [0, Number.NaN];
    const end = scan.object(item, (name, from) => {
      const to = scan.value(from);
      if (name === "metric") metric = scan.slice(from, to);
      else if (name === "value") {
        const [t, v] = scan.parse(from, to) as [number, string];
        [time, value] = [t, Number(v)];
        rest.push(`"value":[${t},${JSON.stringify(plainNumber(v))}]`);
      } else {
        rest.push(`${JSON.stringify(name)}:${scan.slice(from, to)}`);
        if (name === "histogram") time = (scan.parse(from, to) as [number])[0];
      }
      return to;
    });
    into.push({...metricOf(metric), rest: rest.join(","), time, value});
    return end;
  });
}

/** How the whole of an instant query orders its result; undefined for the order of labels. */
export type InstantOrder = "as-is" | "ascending" | "descending" | undefined;

const KEEPS_ORDER: ReadonlySet<AggregateOp> = new Set(["topk", "bottomk", "limitk", "limit_ratio"] as AggregateOp[]);

/** Compat: only the root counts, and both sides of an operator there. */
export function instantOrder(expr: Expr): InstantOrder {
  const root = unparen(expr);
  if (root.kind === "aggregate" && KEEPS_ORDER.has(root.op)) return "as-is";
  if (root.kind === "call") return sortOf(root.func.name);
  if (root.kind !== "binary") return undefined;
  for (const side of [root.lhs, root.rhs]) {
    const inner = unparen(side);
    const order = inner.kind === "call" ? sortOf(inner.func.name) : undefined;
    if (order !== undefined) return order;
  }
  return undefined;
}

function sortOf(name: string): InstantOrder {
  if (name === "sort" || name === "sort_by_label") return "ascending";
  return name === "sort_desc" || name === "sort_by_label_desc" ? "descending" : undefined;
}

/** One answer out of those of all shards: the union by labels, of equal ones the later sample. */
export function mergeInstant(answers: readonly InstantAnswer[], order: InstantOrder): InstantAnswer {
  const byKey = new Map<string, Element>();
  for (const {elements} of answers) {
    for (const element of elements) {
      const known = byKey.get(element.key);
      if (known === undefined || known.time < element.time) byKey.set(element.key, element);
    }
  }
  const elements = [...byKey.values()];
  if (order === "ascending") elements.sort((a, b) => a.value - b.value);
  else if (order === "descending") elements.sort((a, b) => b.value - a.value);
  else if (order === undefined) elements.sort((a, b) => (a.key < b.key ? -1 : 1));
  return {
    resultType: answers[0]?.resultType ?? "vector",
    elements,
    other: "",
    warnings: [...new Set(answers.flatMap(({warnings}) => warnings))],
    stats: mergeStats(answers.map(({stats}) => stats)),
    analysis:
      mergeAnalyses(
        answers.map(({analysis}) => analysis),
        "shards",
      ) ?? NO_ANALYSIS,
  };
}

/** The body for the client. */
export function writeInstant({resultType, elements, other, stats, analysis, warnings}: InstantAnswer): string {
  const list = elements.map(({metric, rest}) => `{"metric":${metric}${rest === "" ? "" : `,${rest}`}}`).join(",");
  const result = resultType === "vector" || resultType === "matrix" ? `[${list}]` : other;
  const parts = [`{"status":"success","data":{"resultType":${JSON.stringify(resultType)},"result":${result}`];
  if (stats !== undefined) parts.push(`,"stats":${statsJson(stats)}`);
  if (analysis !== undefined) parts.push(`,"analysis":${JSON.stringify(analysis)}`);
  parts.push("}");
  if (warnings.length > 0) parts.push(`,"warnings":${JSON.stringify(warnings)}`);
  parts.push("}");
  return parts.join("");
}
