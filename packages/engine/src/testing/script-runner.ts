import {errorText} from "@strata/base";
import {compareLabels, type Labels} from "@strata/model";
import {type Expr, parseExpr} from "@strata/promql";
import {
  atVariants,
  type EvalCommand,
  type ExpectedSeries,
  parseScript,
  type SequenceValue,
  type TextPattern,
  textMatches,
} from "@strata/promql/testing";
import type {QueryParams} from "../evaluation.ts";
import {execute} from "../execute.ts";
import {sameNumbers} from "../histogram/add.ts";
import {compact, type FloatHistogram} from "../histogram/float-histogram.ts";
import {labelsKey} from "../metric-name.ts";
import type {EngineOptions} from "../options.ts";
import type {QueryResult} from "../query-result.ts";
import {fromScript, ScriptStorage} from "./script-storage.ts";

/** What became of one `eval`. */
export type ScriptOutcome = {readonly line: number; readonly expr: string; readonly failure: string | undefined};

const PARSE = {experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true};

/**
 * Runs a script of the PromQL test language with the options of the corpus: every switch on, delayed name removal and
 * start timestamps included. A failing `eval` does not stop it; a failing `load` throws.
 */
export async function runScript(source: string, file: string): Promise<ScriptOutcome[]> {
  const storage = new ScriptStorage();
  const outcomes: ScriptOutcome[] = [];
  for (const command of parseScript(source, file)) {
    if (command.kind === "clear") storage.clear();
    else if (command.kind === "load") storage.load(command);
    else {
      let failure: string | undefined;
      try {
        failure = await runEval(command, storage);
      } catch (err) {
        failure = (err as Error).stack ?? String(err);
      }
      outcomes.push({line: command.line, expr: command.expr, failure});
    }
  }
  return outcomes;
}

async function run(text: string, params: QueryParams, storage: ScriptStorage): Promise<QueryResult | Error> {
  const options: Partial<EngineOptions> = {
    query: text,
    maxSamples: 10_000,
    features: {delayedNameRemoval: true, startTimestamps: true},
    decodeChunk: storage.store.decodeChunk,
  };
  try {
    return await execute(parseExpr(text, PARSE), params, storage.store, options, new AbortController().signal);
  } catch (err) {
    return err as Error;
  }
}

async function runEval(command: EvalCommand, storage: ScriptStorage): Promise<string | undefined> {
  if (command.mode === "range") return check(command, await run(command.expr, command.grid, storage), command.grid);
  const t = command.rangeVector?.end ?? command.grid.start;
  const cases = [{text: command.expr, t}];
  let parsed: Expr | undefined;
  try {
    parsed = parseExpr(command.expr, PARSE);
  } catch (err) {
    if (command.fail === undefined) return `cannot parse: ${errorText(err)}`;
  }
  const variants = parsed && atVariants(parsed, t);
  if (variants !== undefined) for (const time of variants.times) cases.push({text: variants.expr, t: time});
  for (const {text, t} of cases) {
    const at = `${text} at ${t}`;
    const params = {start: t, end: t, step: 0};
    const failure = check(command, await run(text, params, storage), params);
    if (failure !== undefined) return `${at}: ${failure}`;
    if (command.fail !== undefined || command.rangeVector !== undefined || command.string !== undefined) continue;
    if (/(start|end|range|step)\(\)/.test(text)) continue;
    const range = {start: t - 60_000, end: t + 60_000, step: 60_000};
    const inRange = checkInRange(command, await run(text, range, storage), t);
    if (inRange !== undefined) return `${at}, as a range query: ${inRange}`;
  }
  return undefined;
}

function check(command: EvalCommand, got: QueryResult | Error, params: QueryParams): string | undefined {
  if (got instanceof Error) {
    if (command.fail === undefined) return got.stack ?? got.message;
    return textMatches(command.fail, got.message) ? undefined : `fails with ${got.message}, want ${show(command.fail)}`;
  }
  if (command.fail !== undefined) return `does not fail, want ${show(command.fail)}`;
  return (
    checkTexts("warning", got.warnings, command.warnings, command.noWarnings) ??
    checkTexts("info", got.infos, command.infos, command.noInfos) ??
    checkResult(command, got, params)
  );
}

const show = (p: TextPattern): string => (p.kind === "any" ? "anything" : p.kind === "message" ? p.text : p.pattern);

function checkTexts(
  what: string,
  got: readonly string[],
  want: readonly TextPattern[],
  none: boolean,
): string | undefined {
  if (none) return got.length === 0 ? undefined : `unexpected ${what}: ${got.join("; ")}`;
  if (want.length === 0) return undefined;
  for (const p of want) {
    if (!got.some((text) => textMatches(p, text))) return `no ${what} ${show(p)}; there is ${got.join("; ") || "none"}`;
  }
  const extra = got.find((text) => !want.some((p) => textMatches(p, text)));
  return extra === undefined ? undefined : `unexpected ${what}: ${extra}`;
}

type Value = number | FloatHistogram;
type Points = {labels: Labels; times: number[]; values: Value[]};

/** The result by series. */
function seriesOf(r: QueryResult): Points[] {
  return r.labels.map((labels, s) => {
    const from = r.firstPoint[s]!;
    const to = r.firstPoint[s + 1]!;
    const values: Value[] = [];
    for (let p = from; p < to; p++) values.push(r.histograms?.get(p) ?? r.values[p]!);
    return {labels, times: [...r.times.subarray(from, to)], values};
  });
}

function checkResult(command: EvalCommand, got: QueryResult, params: QueryParams): string | undefined {
  if (command.string !== undefined) {
    return got.type === "string" && got.text === command.string ? undefined : `got ${got.type} ${got.text}`;
  }
  if (got.type === "scalar") {
    if (command.scalar === undefined) return `got scalar ${got.values[0]}, want none`;
    return almostEqual(got.values[0]!, command.scalar) ? undefined : `got ${got.values[0]}, want ${command.scalar}`;
  }
  if (got.type === "string") return `got string ${got.text}`;
  const series = seriesOf(got);
  if (got.type === "vector") {
    if (command.scalar !== undefined) return "got a vector, want a scalar";
    return checkVector(command, series);
  }
  return checkMatrix(command, series, command.rangeVector ?? params);
}

function checkVector(command: EvalCommand, series: readonly Points[]): string | undefined {
  const wanted = new Map(command.series.map((s) => [labelsKey(s.labels), s]));
  for (const [i, {labels, values}] of series.entries()) {
    const want = wanted.get(labelsKey(labels));
    if (want === undefined) return `unexpected series ${labels} ${text(values[0]!)}`;
    wanted.delete(labelsKey(labels));
    if (command.ordered && want.position !== i + 1) return `${labels} is number ${i + 1}, want ${want.position}`;
    const difference = compareValue(values[0]!, want.values[0]!);
    if (difference !== undefined) return `${labels}: ${difference}`;
  }
  const missing = [...wanted.values()].find((s) => s.values.some((v) => v.kind !== "gap"));
  return missing === undefined ? undefined : `no series ${missing.labels}`;
}

function checkMatrix(
  command: EvalCommand,
  series: readonly Points[],
  grid: {start: number; step: number},
): string | undefined {
  if (command.ordered) return "a matrix has no order to expect";
  if (!isSorted(series)) return "series are not sorted by labels";
  const wanted = new Map(command.series.map((s) => [labelsKey(s.labels), s]));
  for (const {labels, times, values} of series) {
    const want = wanted.get(labelsKey(labels));
    if (want === undefined) return `unexpected series ${labels} ${values.slice(0, 3).map(text).join(" ")}`;
    wanted.delete(labelsKey(labels));
    const difference = comparePoints(times, values, want, grid);
    if (difference !== undefined) return `${labels}: ${difference}`;
  }
  const missing = [...wanted.values()].find((s) => s.values.some((v) => v.kind !== "gap"));
  return missing === undefined ? undefined : `no series ${missing.labels}`;
}

const isSorted = (series: readonly Points[]): boolean =>
  series.every((s, i) => i === 0 || compareLabels(series[i - 1]!.labels, s.labels) <= 0);

function comparePoints(
  times: readonly number[],
  values: readonly Value[],
  want: ExpectedSeries,
  grid: {start: number; step: number},
): string | undefined {
  const byTime = new Map(times.map((t, i) => [t, values[i]!]));
  for (const [i, value] of want.values.entries()) {
    const t = grid.start + i * grid.step;
    const got = byTime.get(t);
    byTime.delete(t);
    if (value.kind === "gap") {
      if (got !== undefined) return `${text(got)} at ${t}, want none`;
      continue;
    }
    if (got === undefined) return `no point at ${t}, want ${JSON.stringify(value)}`;
    const difference = compareValue(got, value);
    if (difference !== undefined) return `at ${t}: ${difference}`;
  }
  for (const [t, got] of byTime) return `unexpected ${text(got)} at ${t}`;
  return undefined;
}

/** Instant expectations against the points that a range query has at `t`. */
function checkInRange(command: EvalCommand, got: QueryResult | Error, t: number): string | undefined {
  if (got instanceof Error) return got.stack ?? got.message;
  if (command.ordered) return undefined;
  const series = seriesOf(got);
  if (!isSorted(series)) return "series are not sorted by labels";
  const at = series.flatMap(({labels, times, values}) => {
    const i = times.indexOf(t);
    return i < 0 ? [] : [{labels, times: [t], values: [values[i]!]}];
  });
  if (command.scalar === undefined) return checkVector(command, at);
  const value = at[0]?.values[0];
  if (typeof value === "number" && almostEqual(value, command.scalar)) return undefined;
  return `got ${value === undefined ? "nothing" : text(value)}, want ${command.scalar}`;
}

const text = (v: Value): string => (typeof v === "number" ? String(v) : JSON.stringify(v));

function compareValue(got: Value, want: SequenceValue): string | undefined {
  if (want.kind === "histogram") {
    if (typeof got === "number") return `${got}, want a histogram`;
    const difference = compareHistograms(compact(got), compact(fromScript(want.histogram)), want.histogram.hintGiven);
    return difference && `${difference} differs: ${text(got)}, want ${JSON.stringify(want.histogram)}`;
  }
  if (want.kind !== "float") return `${text(got)}, want ${want.kind}`;
  if (typeof got !== "number") return `${text(got)}, want ${want.value}`;
  return almostEqual(got, want.value) ? undefined : `${got}, want ${want.value}`;
}

function compareHistograms(a: FloatHistogram, b: FloatHistogram, withHint: boolean): string | undefined {
  if (a.schema !== b.schema) return "schema";
  if (!almostEqual(a.count, b.count)) return "count";
  if (!almostEqual(a.sum, b.sum)) return "sum";
  if (!almostEqual(a.zeroCount, b.zeroCount)) return "zero count";
  if (a.zeroThreshold !== b.zeroThreshold) return "zero threshold";
  if (!sameNumbers(a.custom, b.custom)) return "bounds";
  if (!sameNumbers(a.pi, b.pi) || !sameNumbers(a.ni, b.ni)) return "layout";
  if (!a.pv.every((v, i) => almostEqual(v, b.pv[i]!)) || !a.nv.every((v, i) => almostEqual(v, b.nv[i]!)))
    return "buckets";
  return withHint && a.hint !== b.hint ? "hint" : undefined;
}

const EPSILON = 1e-6;
const SMALLEST_NORMAL = 2.2250738585072014e-308;

function almostEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true;
  if (a === b) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < EPSILON * SMALLEST_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < EPSILON;
}
