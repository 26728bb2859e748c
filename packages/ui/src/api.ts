import type {Metric} from "./format.ts";

/** A native histogram of the API. */
export type Histogram = {
  readonly count: string;
  readonly sum: string;
  readonly buckets?: readonly (readonly [number, string, string, string])[];
};

/** Unix seconds and the value's text. */
export type Sample = readonly [number, string];
export type HistogramSample = readonly [number, Histogram];

export type VectorResult = {readonly metric: Metric; readonly value?: Sample; readonly histogram?: HistogramSample};
export type MatrixResult = {
  readonly metric: Metric;
  readonly values?: readonly Sample[];
  readonly histograms?: readonly HistogramSample[];
};

export type QueryData =
  | {readonly resultType: "vector"; readonly result: readonly VectorResult[]}
  | {readonly resultType: "matrix"; readonly result: readonly MatrixResult[]}
  | {readonly resultType: "scalar"; readonly result: Sample}
  | {readonly resultType: "string"; readonly result: Sample};

/** One endpoint of `/api/v1/stores`. Times in Unix milliseconds. */
export type Store = {
  readonly name: string;
  readonly lastCheck: string;
  readonly lastError: string | null;
  readonly labelSets: readonly Metric[] | null;
  readonly minTime: number;
  readonly maxTime: number;
};

/** An answer and what the server had to say about it. */
export type Answer<T> = {readonly data: T; readonly warnings: readonly string[]; readonly infos: readonly string[]};

/** What the API, or the way to it, complains about. `type` is the API's errorType. */
export class ApiError extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/** The server's address below which `api/v1` lies: the folder of this page, so that any prefix works. */
export const baseUrl = (): string => new URL(".", document.baseURI).href;

/** How the API is asked. */
export type Call = {
  readonly signal: AbortSignal;
  /** Sent as a form by POST: expressions may be long. */
  readonly params?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  /** GET unless there are parameters. */
  readonly method?: "GET" | "DELETE";
};

/** Asks a path below `api/v1`. Throws ApiError, or AbortError when cancelled. */
export async function callApi<T>(path: string, {signal, params, headers, method = "GET"}: Call): Promise<Answer<T>> {
  const url = new URL(`api/v1/${path}`, baseUrl());
  let response: Response;
  try {
    response = await fetch(url, {
      signal,
      headers: {Accept: "application/json", ...headers},
      ...(params === undefined ? {method} : {method: "POST", body: params}),
    });
  } catch (err) {
    if (signal.aborted) throw err;
    throw new ApiError("unreachable", "The server cannot be reached.");
  }
  return readAnswer<T>(response);
}

/** Whatever was thrown, as something to show. */
export const toApiError = (err: unknown): ApiError =>
  err instanceof ApiError ? err : new ApiError("internal", err instanceof Error ? err.message : String(err));

async function readAnswer<T>(response: Response): Promise<Answer<T>> {
  // What was asked for is done, and there is nothing to say about it.
  if (response.status === 204) return {data: undefined as T, warnings: [], infos: []};
  const text = await response.text();
  let body: {status?: string; data?: T; error?: string; errorType?: string; warnings?: string[]; infos?: string[]};
  try {
    body = JSON.parse(text) as typeof body;
  } catch {
    const detail = text.trim().slice(0, 200);
    throw new ApiError(`HTTP ${response.status}`, detail === "" ? "The server sent no answer." : detail);
  }
  if (body.status !== "success" || body.data === undefined) {
    throw new ApiError(body.errorType ?? `HTTP ${response.status}`, body.error ?? "The server sent no data.");
  }
  return {data: body.data, warnings: body.warnings ?? [], infos: body.infos ?? []};
}
