import {useCallback, useEffect, useState} from "react";
import {ApiError, callApi} from "../api.ts";
import type {Metric} from "../format.ts";

/** An alert as `/api/v1/rules` has it. */
export type Alert = {
  readonly labels: Metric;
  readonly annotations: Metric;
  readonly state: string;
  readonly activeAt?: string;
  readonly value: string;
};

export type Rule = {
  readonly type: "alerting" | "recording";
  readonly name: string;
  readonly query: string;
  readonly labels: Metric;
  readonly health: string;
  readonly lastError?: string;
  readonly evaluationTime: number;
  readonly lastEvaluation: string;
  /** Only alerting rules. Durations are seconds. */
  readonly state?: string;
  readonly duration?: number;
  readonly keepFiringFor?: number;
  readonly annotations?: Metric;
  readonly alerts?: readonly Alert[];
};

export type Group = {
  readonly name: string;
  readonly file: string;
  readonly interval: number;
  readonly lastEvaluation: string;
  readonly evaluationTime: number;
  readonly rules: readonly Rule[];
};

export type RulesLoad =
  | {readonly state: "loading"}
  | {readonly state: "failed"; readonly error: ApiError}
  | {
      readonly state: "done";
      readonly groups: readonly Group[];
      readonly warnings: readonly string[];
      readonly at: number;
    };

/** How often the pages ask again, in ms. */
const REFRESH = 15_000;

/** The rules of a kind, asked for again and again while the page is there. */
export function useRules(type: "all" | "alert"): {readonly load: RulesLoad; readonly retry: () => void} {
  const [load, setLoad] = useState<RulesLoad>({state: "loading"});
  const refresh = useCallback(
    (signal: AbortSignal): void => {
      const path = type === "all" ? "rules" : "rules?type=alert";
      callApi<{groups: readonly Group[]}>(path, undefined, signal).then(
        ({data, warnings}) => setLoad({state: "done", groups: data.groups, warnings, at: Date.now()}),
        (err: unknown) => {
          if (signal.aborted) return;
          setLoad({state: "failed", error: err instanceof ApiError ? err : new ApiError("internal", String(err))});
        },
      );
    },
    [type],
  );
  useEffect(() => {
    const abort = new AbortController();
    refresh(abort.signal);
    const timer = setInterval(() => refresh(abort.signal), REFRESH);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [refresh]);
  return {load, retry: () => refresh(new AbortController().signal)};
}
