import {useEffect, useState} from "react";
import {type Answer, type ApiError, callApi, type QueryData, toApiError} from "../api.ts";
import type {PanelState} from "../url-state.ts";
import {type AskOptions, askHeaders, askParams, instantRequest, type Request, rangeRequest} from "./ask.ts";

/** What became of one expression. */
export type Part = {
  readonly expr: string;
  /** Its place in the panel; what is blank is not asked. */
  readonly index: number;
  readonly answer: Answer<QueryData> | undefined;
  readonly error: ApiError | undefined;
  /** ms. */
  readonly elapsed: number;
};

export type Result = {readonly request: Request; readonly parts: readonly Part[]};

/** While loading, the result before stays on the screen. */
export type QueryState = {readonly loading: boolean; readonly result: Result | undefined};

const IDLE: QueryState = {loading: false, result: undefined};

/** Runs the panel's expressions whenever they or `run` (a counter) change; what is overtaken by newer ones is dropped. */
export function useQuery(panel: PanelState, options: AskOptions, run: number): QueryState {
  const [state, setState] = useState<QueryState>(IDLE);
  const {exprs, tab, range, end, moment, step} = panel;
  const wanted = tab === "graph" || tab === "table" ? tab : undefined;
  const asked = exprs.map((expr, index) => ({expr, index})).filter(({expr}) => expr.trim() !== "");
  const key = JSON.stringify([asked, wanted, range, end, moment, step, options]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` stands for panel and options, `run` asks again
  useEffect(() => {
    if (wanted === undefined || asked.length === 0) {
      setState(IDLE);
      return;
    }
    const abort = new AbortController();
    const now = Date.now() / 1000;
    const request = wanted === "graph" ? rangeRequest(panel, now) : instantRequest(panel, now);
    setState((before) => ({loading: true, result: before.result}));
    const all = asked.map(({expr, index}) => askOne(expr, index, request, options, abort.signal));
    Promise.all(all).then(
      (parts) => setState({loading: false, result: {request, parts}}),
      (err: unknown) => {
        if (!abort.signal.aborted) throw err;
      },
    );
    return () => abort.abort();
  }, [key, run]);
  return state;
}

/** An answer or what went wrong; rejects only when it is overtaken. */
async function askOne(
  expr: string,
  index: number,
  request: Request,
  options: AskOptions,
  signal: AbortSignal,
): Promise<Part> {
  const started = performance.now();
  const path = request.kind === "range" ? "query_range" : "query";
  try {
    const params = askParams(expr, request, options);
    const answer = await callApi<QueryData>(path, {params, headers: askHeaders(options), signal});
    return {expr, index, answer, error: undefined, elapsed: performance.now() - started};
  } catch (err) {
    if (signal.aborted) throw err;
    return {expr, index, answer: undefined, error: toApiError(err), elapsed: performance.now() - started};
  }
}
