import {useEffect, useState} from "react";
import {type Answer, ApiError, callApi, type QueryData} from "../api.ts";
import {type PanelState, stepFor} from "../url-state.ts";

/** What was asked for, with "now" settled. Unix seconds. */
export type Request =
  | {readonly tab: "graph"; readonly start: number; readonly end: number; readonly step: number}
  | {readonly tab: "table"; readonly time: number};

export type Result = Answer<QueryData> & {readonly request: Request; readonly elapsed: number; readonly expr: string};

/** While loading, the result before stays on the screen. */
export type QueryState = {
  readonly loading: boolean;
  readonly result: Result | undefined;
  readonly error: {readonly error: ApiError; readonly expr: string} | undefined;
};

const IDLE: QueryState = {loading: false, result: undefined, error: undefined};

/** Runs the panel's query whenever it or `run` (a counter) changes; an answer overtaken by a newer query is dropped. */
export function useQuery(panel: PanelState, run: number): QueryState {
  const [state, setState] = useState<QueryState>(IDLE);
  const {expr, tab, range, end, moment, step, dedup, partialResponse, maxResolution} = panel;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `run` is there to ask again for the same
  useEffect(() => {
    if (expr.trim() === "") {
      setState(IDLE);
      return;
    }
    const abort = new AbortController();
    const now = Date.now() / 1000;
    const request: Request =
      tab === "graph" ? graphRequest(range, end ?? now, stepFor(range, step)) : {tab, time: moment ?? now};
    setState((before) => ({loading: true, result: before.result, error: undefined}));
    const started = performance.now();
    const params = {
      query: expr,
      ...timeParams(request),
      dedup: String(dedup),
      partial_response: String(partialResponse),
      ...(maxResolution === "" ? {} : {max_source_resolution: maxResolution}),
    };
    callApi<QueryData>(request.tab === "graph" ? "query_range" : "query", params, abort.signal).then(
      (answer) => {
        if (abort.signal.aborted) return;
        const elapsed = performance.now() - started;
        setState({loading: false, result: {...answer, request, elapsed, expr}, error: undefined});
      },
      (err: unknown) => {
        if (abort.signal.aborted) return;
        const error = err instanceof ApiError ? err : new ApiError("internal", String(err));
        setState({loading: false, result: undefined, error: {error, expr}});
      },
    );
    return () => abort.abort();
  }, [run, expr, tab, range, end, moment, step, dedup, partialResponse, maxResolution]);
  return state;
}

/** The graph's grid: its last point is `end`, its first no more than `range` before. */
function graphRequest(range: number, end: number, step: number): Request {
  const last = Math.round(end * 1000) / 1000;
  return {tab: "graph", start: last - Math.floor(range / step + 1e-9) * step, end: last, step};
}

const timeParams = (request: Request): Record<string, string> =>
  request.tab === "graph"
    ? {start: request.start.toFixed(3), end: request.end.toFixed(3), step: String(request.step)}
    : {time: request.time.toFixed(3)};
