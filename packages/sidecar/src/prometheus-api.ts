import {StrataError, withContext} from "@strata/base";
import type {HttpClient} from "@strata/http-client";
import {Labels, type Matcher, matcherText} from "@strata/model";
import {parse} from "yaml";

/** The largest JSON answer read whole: series and label lists of a very large Prometheus. */
const MAX_JSON_BYTES = 512 * 1024 * 1024;
/** /metrics of a Prometheus itself. */
const MAX_METRICS_BYTES = 64 * 1024 * 1024;

export type LabelsAnswer = {readonly values: readonly string[]; readonly warnings: readonly string[]};

/** What a sidecar asks of its Prometheus, apart from remote read. Times are ms; Prometheus gets seconds. */
export class PrometheusApi {
  readonly #http: HttpClient;

  constructor(client: HttpClient) {
    this.#http = client;
  }

  /** `global.external_labels` of the configuration in force. */
  async externalLabels(signal: AbortSignal): Promise<Labels> {
    const {data} = await this.#json("/api/v1/status/config", undefined, signal);
    const yaml = (data as {yaml?: unknown} | null)?.yaml;
    if (typeof yaml !== "string") throw new StrataError("internal", "cannot read the configuration of Prometheus");
    const config = parse(yaml) as {global?: {external_labels?: Record<string, unknown> | null} | null} | null;
    const labels = config?.global?.external_labels ?? {};
    return Labels.fromPairs(Object.entries(labels).map(([name, value]) => [name, String(value)] as const));
  }

  /** The command-line flags in force, or undefined where Prometheus does not have the endpoint. */
  async flags(signal: AbortSignal): Promise<Readonly<Record<string, string>> | undefined> {
    try {
      const {data} = await this.#json("/api/v1/status/flags", undefined, signal);
      return data as Record<string, string>;
    } catch (err) {
      if (err instanceof StrataError && err.code === "not_found") return undefined;
      throw err;
    }
  }

  /** The oldest sample time that its database reports (ms), or undefined while it reports none. */
  async lowestTimestamp(signal: AbortSignal): Promise<number | undefined> {
    const body = await this.#http.body({method: "GET", path: "/metrics"}, MAX_METRICS_BYTES, signal);
    const line = /^prometheus_tsdb_lowest_timestamp_seconds(?:\{[^}]*\})? ([^ \n]+)/m.exec(body.toString("utf8"));
    const value = line === null ? Number.NaN : Number(line[1]) * 1000;
    // An empty head reports the largest int64.
    return Number.isFinite(value) && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;
  }

  /** `data` of an answer to GET `path`. */
  async data(path: string, params: URLSearchParams, signal: AbortSignal): Promise<unknown> {
    return (await this.#json(path, params, signal)).data;
  }

  async series(matchers: readonly Matcher[], mint: number, maxt: number, limit: number, signal: AbortSignal) {
    const {data, warnings} = await this.#json("/api/v1/series", query(matchers, mint, maxt, limit), signal);
    const series = (data as Record<string, string>[]).map((labels) => Labels.fromObject(labels));
    return {series, warnings};
  }

  async labelNames(
    matchers: readonly Matcher[],
    mint: number,
    maxt: number,
    limit: number,
    signal: AbortSignal,
  ): Promise<LabelsAnswer> {
    const {data, warnings} = await this.#json("/api/v1/labels", query(matchers, mint, maxt, limit), signal);
    return {values: data as string[], warnings};
  }

  async labelValues(
    name: string,
    matchers: readonly Matcher[],
    mint: number,
    maxt: number,
    limit: number,
    signal: AbortSignal,
  ): Promise<LabelsAnswer> {
    const path = `/api/v1/label/${encodeURIComponent(pathLabelName(name))}/values`;
    const {data, warnings} = await this.#json(path, query(matchers, mint, maxt, limit), signal);
    return {values: data as string[], warnings};
  }

  async #json(path: string, params: URLSearchParams | undefined, signal: AbortSignal) {
    const body = await this.#http.body({method: "GET", path, params}, MAX_JSON_BYTES, signal);
    try {
      const answer = JSON.parse(body.toString("utf8")) as {status?: string; data?: unknown; warnings?: string[]};
      if (answer.status !== "success") throw new StrataError("internal", `status "${answer.status}"`);
      return {data: answer.data, warnings: answer.warnings ?? []};
    } catch (err) {
      throw withContext(err, `cannot read the answer of Prometheus to ${path}`);
    }
  }
}

function query(matchers: readonly Matcher[], mint: number, maxt: number, limit: number): URLSearchParams {
  const params = new URLSearchParams();
  if (matchers.length > 0) params.set("match[]", `{${matchers.map(matcherText).join(",")}}`);
  params.set("start", seconds(mint));
  params.set("end", seconds(maxt));
  if (limit > 0) params.set("limit", String(limit));
  return params;
}

/** Prometheus parses times as floats and refuses what does not fit its own limits. */
const MAX_SECONDS = 9_223_309_900_000_000;
function seconds(ms: number): string {
  const s = Math.min(Math.max(ms / 1000, -MAX_SECONDS), MAX_SECONDS);
  return Number.isInteger(s) ? s.toFixed(0) : s.toFixed(3);
}

/**
 * Names that are no plain identifiers go into the path in the escaped form that Prometheus 3 understands there:
 * "U__" and each other character as its code point between underscores.
 */
function pathLabelName(name: string): string {
  if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) return name;
  let out = "U__";
  for (const ch of name) {
    if (ch === "_") out += "__";
    else if (/[a-zA-Z0-9:]/.test(ch)) out += ch;
    else out += `_${(ch.codePointAt(0) as number).toString(16)}_`;
  }
  return out;
}
