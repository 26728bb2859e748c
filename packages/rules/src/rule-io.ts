import type {FloatHistogram} from "@strata/engine";
import type {Labels} from "@strata/model";
import type {Expr} from "@strata/promql";
import type {Alert} from "./alert.ts";
import type {AlertingSpec, Strategy} from "./rule-spec.ts";

/** An instant vector as columns; entry i of `histograms` stands instead of value i. A scalar has one empty label set. */
export type RuleVector = {
  readonly labels: readonly Labels[];
  readonly values: Float64Array;
  readonly histograms: ReadonlyMap<number, FloatHistogram> | undefined;
};

/** A query that a rule or a template asks. */
export type RuleQuery = {
  readonly expr: Expr;
  /** The expression in canonical form. */
  readonly query: string;
  /** ms. */
  readonly t: number;
  readonly strategy: Strategy;
};

/** Where rules read from. Throws StrataError; warnings are whoever implements it's business. */
export type RuleQuerier = (query: RuleQuery, signal: AbortSignal) => Promise<RuleVector>;

/**
 * What one evaluation of a rule stores: samples of one time each. A value may be the stale marker. Label sets that a rule
 * gives again are the same objects as at the evaluation before, so that a storage can know them by identity.
 */
export type RuleSamples = {
  readonly t: number;
  readonly labels: readonly Labels[];
  readonly values: Float64Array;
  readonly histograms: ReadonlyMap<number, FloatHistogram> | undefined;
};

/** Samples that a storage did not take, by reason. The rest is stored. */
export type Refused = {readonly outOfOrder: number; readonly tooOld: number; readonly duplicate: number};

/** Where results go. Throws StrataError where nothing could be stored. */
export type RuleStorage = {
  append(samples: RuleSamples): Promise<Refused>;
};

/** The last float sample of a series of ALERTS_FOR_STATE. */
export type ForState = {readonly labels: Labels; readonly t: number; readonly v: number};

/** Finds what is stored about the state of alerts: series with all these labels, in [mint, maxt] ms. */
export type ForStateSource = (
  labels: Labels,
  mint: number,
  maxt: number,
  signal: AbortSignal,
) => Promise<readonly ForState[]>;

/** Takes the alerts of a rule that are to be sent. */
export type Notify = (rule: AlertingSpec, alerts: readonly Alert[]) => void;

export const NOTHING_REFUSED: Refused = {outOfOrder: 0, tooOld: 0, duplicate: 0};
