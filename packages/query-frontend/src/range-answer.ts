import {StrataError} from "@strata/base";
import {Labels} from "@strata/model";
import {type Analysis, mergeAnalyses, NO_ANALYSIS, type PartKind, readAnalysis} from "./analysis.ts";
import {JsonScan} from "./json-scan.ts";
import {cut, firstAtOrAfter, type Piece, PointReader, pieceBytes} from "./points.ts";

/** One series of a range query's answer. */
export type RangeSeries = {
  /** Its labels as JSON, names in order. */
  readonly metric: string;
  /** The same as Prometheus prints it: what series are told apart and ordered by. */
  readonly key: string;
  readonly floats: readonly Piece[];
  readonly histograms: readonly Piece[];
};

export type QueryStats = {
  readonly total: number;
  readonly peak: number;
  /** [seconds, samples] a step; absent where the client did not ask for it. */
  readonly perStep: readonly (readonly [number, number])[] | undefined;
};

/** The answer to a range query, or to a part of one. */
export type RangeAnswer = {
  readonly series: readonly RangeSeries[];
  readonly warnings: readonly string[];
  readonly stats: QueryStats | undefined;
  readonly analysis: Analysis | undefined;
  /** The querier says, or its warnings tell, that something is missing: never to be cached. */
  readonly noStore: boolean;
};

/** Reads a querier's body (2xx). `noStore` is what its header said. */
export function readRangeAnswer(body: Uint8Array, noStore: boolean): RangeAnswer {
  const scan = new JsonScan(body);
  const points = new PointReader(scan);
  const series: RangeSeries[] = [];
  let warnings: readonly string[] = [];
  let stats: QueryStats | undefined;
  let analysis: Analysis | undefined;
  scan.object(scan.space(0), (name, at) => {
    const end = name === "data" ? at : scan.value(at);
    if (name === "warnings") warnings = (scan.parse(at, end) as string[] | null) ?? [];
    if (name !== "data") return end;
    return scan.object(at, (field, from) => {
      if (field === "result") return scan.array(from, (item) => readSeries(scan, points, item, series));
      const to = scan.value(from);
      if (field === "stats") stats = readStats(scan.parse(from, to));
      if (field === "analysis") analysis = readAnalysis(scan.parse(from, to));
      return to;
    });
  });
  return {series, warnings, stats, analysis, noStore: noStore || warnings.some(tellsOfGaps)};
}

/** PromQL's own remarks are about the query; whatever else warns is about data that is missing. */
export const tellsOfGaps = (warning: string): boolean => !/^PromQL (warning|info): /.test(warning);

function readSeries(scan: JsonScan, points: PointReader, at: number, into: RangeSeries[]): number {
  let metric = "{}";
  let floats: Piece[] = [];
  let histograms: Piece[] = [];
  const end = scan.object(at, (name, from) => {
    if (name === "values" || name === "histograms") {
      const read = points.read(from);
      const pieces = read.times.length === 0 ? [] : [{points: read, from: 0, to: read.times.length}];
      if (name === "values") floats = pieces;
      else histograms = pieces;
      return points.end;
    }
    const to = scan.value(from);
    if (name === "metric") metric = scan.slice(from, to);
    return to;
  });
  into.push({...metricOf(metric), floats, histograms});
  return end;
}

type Metric = {readonly metric: string; readonly key: string};

/** Label sets whose forms are remembered: the parts of a query, and its refreshes, have the same. Longer ones are not. */
const MOST_METRICS = 4096;
const LONGEST_METRIC = 512;
const metrics = new Map<string, Metric>();

/** The label set of a metric in JSON, in both of its forms. */
export function metricOf(json: string): Metric {
  const known = metrics.get(json);
  if (known !== undefined) return known;
  const found = parseMetric(json);
  if (json.length > LONGEST_METRIC) return found;
  if (metrics.size >= MOST_METRICS) metrics.clear();
  metrics.set(json, found);
  return found;
}

function parseMetric(json: string): Metric {
  const labels = JSON.parse(json) as Record<string, string>;
  const names = Object.keys(labels);
  const sorted = names.every((name, i) => i === 0 || (names[i - 1] as string) < name);
  const metric = sorted ? json : JSON.stringify(Object.fromEntries(names.sort().map((name) => [name, labels[name]])));
  return {metric, key: Labels.fromObject(labels).toString()};
}

export function readStats(value: unknown): QueryStats | undefined {
  const samples = (value as {samples?: {totalQueryableSamples?: number; peakSamples?: number}} | null)?.samples;
  if (samples === undefined || samples === null) return undefined;
  const {totalQueryableSamplesPerStep: perStep} = samples as {totalQueryableSamplesPerStep?: [number, number][]};
  return {total: samples.totalQueryableSamples ?? 0, peak: samples.peakSamples ?? 0, perStep};
}

/** First time of any point, ms; +Infinity for none. */
const firstTime = ({series}: RangeAnswer): number => {
  let first = Number.POSITIVE_INFINITY;
  for (const {floats, histograms} of series) {
    for (const [piece] of [floats, histograms]) {
      if (piece !== undefined) first = Math.min(first, piece.points.times[piece.from] as number);
    }
  }
  return first;
};

/**
 * One answer out of the answers to the parts of a query. Compat: parts in the order of their first points; of a series,
 * points that are not behind the ones before them are dropped; series in the order of their labels' text. Warnings come
 * once each.
 */
export function mergeRange(answers: readonly RangeAnswer[], kind: PartKind = "times"): RangeAnswer {
  const byKey = new Map<string, {metric: string; key: string; floats: Piece[]; histograms: Piece[]}>();
  const ordered = answers.map((answer) => ({answer, first: firstTime(answer)})).sort((a, b) => a.first - b.first);
  for (const {answer} of ordered) {
    for (const {metric, key, floats, histograms} of answer.series) {
      const known = byKey.get(key);
      if (known === undefined) byKey.set(key, {metric, key, floats: [...floats], histograms: [...histograms]});
      else {
        append(known.floats, floats);
        append(known.histograms, histograms);
      }
    }
  }
  const series = [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return {
    series,
    warnings: [...new Set(answers.flatMap(({warnings}) => warnings))],
    stats: mergeStats(answers.map(({stats}) => stats)),
    analysis:
      mergeAnalyses(
        answers.map(({analysis}) => analysis),
        kind,
      ) ?? NO_ANALYSIS,
    noStore: answers.some(({noStore}) => noStore),
  };
}

function append(to: Piece[], more: readonly Piece[]): void {
  for (const piece of more) {
    const last = to.at(-1);
    const end = last === undefined ? Number.NEGATIVE_INFINITY : (last.points.times[last.to - 1] as number);
    const from = firstAtOrAfter(piece.points, piece.from, piece.to, end + 1);
    if (from < piece.to) to.push({...piece, from});
  }
}

export function mergeStats(all: readonly (QueryStats | undefined)[]): QueryStats | undefined {
  const given = all.filter((stats) => stats !== undefined);
  if (given.length === 0) return undefined;
  const perStep = new Map<number, number>();
  for (const stats of given) {
    for (const [t, n] of stats.perStep ?? []) perStep.set(t, Math.max(perStep.get(t) ?? 0, n));
  }
  return {
    total: given.reduce((sum, {total}) => sum + total, 0),
    peak: Math.max(...given.map(({peak}) => peak)),
    perStep: given.some((stats) => stats.perStep !== undefined) ? [...perStep].sort(([a], [b]) => a - b) : undefined,
  };
}

/** The points of an answer in [start, end], ms, both inclusive; series without any are left out. */
export function sliceRange(answer: RangeAnswer, start: number, end: number): RangeAnswer {
  const slice = (pieces: readonly Piece[]): Piece[] =>
    pieces.map((piece) => cut(piece, start, end)).filter((piece) => piece !== undefined);
  const series = answer.series
    .map((one) => ({...one, floats: slice(one.floats), histograms: slice(one.histograms)}))
    .filter(({floats, histograms}) => floats.length + histograms.length > 0);
  return {...answer, series};
}

const COMMA = Buffer.from(",");

/** The body for the client, in pieces that look into the answer's own bytes. */
export function* writeRange(answer: RangeAnswer): Generator<Uint8Array> {
  yield Buffer.from('{"status":"success","data":{"resultType":"matrix","result":[');
  for (const [i, {metric, floats, histograms}] of answer.series.entries()) {
    yield Buffer.from(`${i > 0 ? "," : ""}{"metric":${metric}`);
    if (floats.length > 0) yield* writePoints("values", floats);
    if (histograms.length > 0) yield* writePoints("histograms", histograms);
    yield Buffer.from("}");
  }
  const {stats, analysis, warnings} = answer;
  const parts = ["]"];
  if (stats !== undefined) parts.push(`,"stats":${statsJson(stats)}`);
  if (analysis !== undefined) parts.push(`,"analysis":${JSON.stringify(analysis)}`);
  parts.push("}");
  if (warnings.length > 0) parts.push(`,"warnings":${JSON.stringify(warnings)}`);
  parts.push("}");
  yield Buffer.from(parts.join(""));
}

function* writePoints(name: string, pieces: readonly Piece[]): Generator<Uint8Array> {
  yield Buffer.from(`,"${name}":[`);
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) yield COMMA;
    yield pieceBytes(piece);
  }
  yield Buffer.from("]");
}

export const statsJson = ({total, peak, perStep}: QueryStats): string =>
  JSON.stringify({
    samples: {totalQueryableSamples: total, totalQueryableSamplesPerStep: perStep ?? null, peakSamples: peak},
  });

/** The error a querier's 2xx body holds in spite of its status. */
export function checkStatus(body: {status?: string; error?: string}): void {
  if (body.status === "error") throw new StrataError("internal", `the querier answered: ${body.error ?? "error"}`);
}
