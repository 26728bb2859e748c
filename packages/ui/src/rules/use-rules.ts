import type {Metric} from "../format.ts";
import {type Polled, usePolled} from "../parts/use-polled.ts";

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

/** The groups of rules of a kind, asked for again and again while the page is there. */
export const useRules = (type: "all" | "alert"): Polled<{readonly groups: readonly Group[]}> =>
  usePolled(type === "all" ? "rules" : "rules?type=alert");

/** The address that shows an expression's table. */
export const queryLink = (expr: string): string => `graph?${new URLSearchParams({"g0.expr": expr, "g0.tab": "1"})}`;
