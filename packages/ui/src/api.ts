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

/** POST for queries, whose expressions may be long; GET unless it is said otherwise. Throws ApiError, or AbortError when cancelled. */
export async function callApi<T>(
  path: string,
  params: Readonly<Record<string, string>> | undefined,
  signal: AbortSignal,
  method: "GET" | "DELETE" = "GET",
): Promise<Answer<T>> {
  const url = new URL(`api/v1/${path}`, baseUrl());
  let response: Response;
  try {
    response = await fetch(url, {
      signal,
      headers: {Accept: "application/json"},
      ...(params === undefined ? {method} : {method: "POST", body: new URLSearchParams(params)}),
    });
  } catch (err) {
    if (signal.aborted) throw err;
    throw new ApiError("unreachable", "The server cannot be reached.");
  }
  return readAnswer<T>(response);
}

async function readAnswer<T>(response: Response): Promise<Answer<T>> {
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
