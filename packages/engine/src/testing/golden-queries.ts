import {errorText, StrataError} from "@strata/base";
import {parsePrometheusDuration} from "@strata/model";
import {type ParseOptions, parseExpr} from "@strata/promql";
import type {Queryable} from "@strata/series";
import {execute} from "../execute.ts";
import type {EngineOptions} from "../options.ts";
import {writeResultJson} from "../result-json.ts";

/** An answer in Prometheus' envelope. */
export type Envelope = {
  status: "success" | "error";
  data?: {resultType: string; result: unknown};
  errorType?: string;
  error?: string;
  warnings?: string[];
  infos?: string[];
};

/** One golden query with what the server said, also with features switched on where that differs. */
export type GoldenQuery = {
  id: string;
  family: string;
  query: string;
  kind: "instant" | "range";
  time?: string;
  start?: string;
  end?: string;
  step?: string;
  params?: Record<string, string>;
  unordered?: boolean;
  response: Envelope;
  response_features?: Envelope;
  response_delayed?: Envelope;
};

/** Which of the three servers answers. */
export type Server = "plain" | "features" | "delayed";

const ALL: ParseOptions = {experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true};

const ms = (seconds: string | undefined): number => Math.round(Number(seconds) * 1000);

const duration = (text: string): number =>
  Number.isNaN(Number(text)) ? parsePrometheusDuration(text) : Math.round(Number(text) * 1000);

/** The answer the engine gives, put into the envelope as the HTTP API would. */
export async function answer(q: GoldenQuery, server: Server, source: Queryable): Promise<Envelope> {
  let expr: ReturnType<typeof parseExpr>;
  try {
    expr = parseExpr(q.query, server === "plain" ? {} : ALL);
  } catch (err) {
    return {status: "error", errorType: "bad_data", error: `invalid parameter "query": ${errorText(err)}`};
  }
  const params =
    q.kind === "instant"
      ? {start: ms(q.time), end: ms(q.time), step: 0}
      : {start: ms(q.start), end: ms(q.end), step: duration(q.step ?? "0")};
  const options: Partial<EngineOptions> = {
    query: q.query,
    features: {delayedNameRemoval: server === "delayed", startTimestamps: false},
    ...(q.params?.lookback_delta === undefined ? {} : {lookbackMs: duration(q.params.lookback_delta)}),
  };
  try {
    const result = await execute(expr, params, source, options, new AbortController().signal);
    const json = Buffer.concat([...writeResultJson(result)]).toString();
    const data = {resultType: result.type as string, result: JSON.parse(json) as unknown};
    return {status: "success", data, warnings: [...result.warnings], infos: [...result.infos]};
  } catch (err) {
    if (!(err instanceof StrataError)) throw err;
    const errorType = err.code === "bad_data" ? "bad_data" : "execution";
    const error = err.code === "bad_data" ? `invalid parameter "query": ${err.message}` : err.message;
    return {status: "error", errorType, error};
  }
}

type Series = {
  metric: Record<string, string>;
  value?: Point;
  values?: Point[];
  histogram?: Point;
  histograms?: Point[];
};
type Point = [number, unknown];

/** What differs between two answers, or undefined. */
export function difference(got: Envelope, want: Envelope, q: GoldenQuery): string | undefined {
  if (got.status !== want.status)
    return `status ${got.status} (${got.error ?? ""}), want ${want.status} (${want.error ?? ""})`;
  if (want.status === "error") {
    if (got.errorType !== want.errorType) return `error type ${got.errorType}, want ${want.errorType}`;
    return got.error === want.error ? undefined : `error ${got.error}, want ${want.error}`;
  }
  const limit = q.params?.limit;
  const texts = textDifference(got, want, limit !== undefined);
  if (texts !== undefined) return texts;
  const a = got.data!;
  const b = want.data!;
  if (a.resultType !== b.resultType) return `type ${a.resultType}, want ${b.resultType}`;
  if (a.resultType === "scalar" || a.resultType === "string") return valueDifference(a.result, b.result, "scalar");
  return seriesDifference(a.result as Series[], b.result as Series[], {
    ordered: (/^sort/.test(q.query) && q.kind === "instant" && q.unordered !== true) || a.resultType === "matrix",
    part: limit !== undefined,
  });
}

const LIMITED = "results truncated due to limit";
const MOST = 10;

function textDifference(got: Envelope, want: Envelope, limited: boolean): string | undefined {
  for (const kind of ["warnings", "infos"] as const) {
    const b = new Set((want[kind] ?? []).filter((t) => !(limited && t === LIMITED)));
    const a = new Set(got[kind] ?? []);
    const cut = [...b].some((t) => /^\d+ more (?:warning|info) annotations omitted$/.test(t));
    if (cut ? a.size <= MOST : a.size !== b.size || [...b].some((t) => !a.has(t))) {
      return `${kind} ${JSON.stringify([...a])}, want ${JSON.stringify([...b])}`;
    }
  }
  return undefined;
}

function seriesDifference(got: Series[], want: Series[], how: {ordered: boolean; part: boolean}): string | undefined {
  if (how.part ? got.length < want.length : got.length !== want.length) {
    return `${got.length} series, want ${want.length}: ${JSON.stringify(got).slice(0, 300)} want ${JSON.stringify(want).slice(0, 300)}`;
  }
  const byMetric = new Map(got.map((s) => [JSON.stringify(s.metric), s]));
  for (let i = 0; i < want.length; i++) {
    const w = want[i]!;
    const key = JSON.stringify(w.metric);
    const g = how.ordered && !how.part ? got[i]! : byMetric.get(key);
    if (g === undefined) return `no series ${key}; there is ${[...byMetric.keys()].slice(0, 3).join(" ")}`;
    if (JSON.stringify(g.metric) !== key) return `series ${i} is ${JSON.stringify(g.metric)}, want ${key}`;
    const d = valueDifference({...g, metric: null}, {...w, metric: null}, key);
    if (d !== undefined) return d;
  }
  return undefined;
}

/** Compares JSON trees; strings that are numbers on both sides may differ by 1e-12 of themselves. */
function valueDifference(got: unknown, want: unknown, at: string): string | undefined {
  if (typeof want === "string" && typeof got === "string") {
    if (got === want) return undefined;
    const [a, b] = [Number(got), Number(want)];
    const close = Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
    return close ? undefined : `${at}: ${got}, want ${want}`;
  }
  if (typeof want !== "object" || want === null || typeof got !== "object" || got === null) {
    return got === want ? undefined : `${at}: ${JSON.stringify(got)}, want ${JSON.stringify(want)}`;
  }
  const keys = Object.keys(want);
  if (Object.keys(got).length !== keys.length) {
    return `${at}: ${JSON.stringify(got).slice(0, 400)}, want ${JSON.stringify(want).slice(0, 400)}`;
  }
  for (const key of keys) {
    const next = /^\d+$/.test(key) ? at : `${at}.${key}`;
    const d = valueDifference((got as Record<string, unknown>)[key], (want as Record<string, unknown>)[key], next);
    if (d !== undefined) return `${d}${/^\d+$/.test(key) ? ` [${key}]` : ""}`;
  }
  return undefined;
}
