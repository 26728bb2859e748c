import type {Labels} from "@strata/model";
import type {Expr} from "@strata/promql";

/** What happens to a group's rules when a query is answered only in part. */
export type Strategy = "abort" | "warn";

type RuleBase = {
  readonly expr: Expr;
  /** The expression in canonical form. */
  readonly query: string;
  /** The group's labels overlaid with the rule's own; not yet expanded. */
  readonly labels: Labels;
  /** Line of the rule in its file, from 1. */
  readonly line: number;
};

export type RecordingSpec = RuleBase & {readonly kind: "recording"; readonly name: string};

export type AlertingSpec = RuleBase & {
  readonly kind: "alerting";
  readonly name: string;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly annotations: Labels;
};

export type RuleSpec = RecordingSpec | AlertingSpec;

/** A group as its file has it, defaults not filled in. */
export type GroupSpec = {
  readonly file: string;
  readonly name: string;
  readonly intervalMs: number | undefined;
  readonly queryOffsetMs: number | undefined;
  /** Most series or alerts a rule may give; 0 is no limit. */
  readonly limit: number;
  readonly strategy: Strategy;
  readonly rules: readonly RuleSpec[];
  readonly line: number;
};

/** What two groups have in common exactly if one may go on running as the other. */
export const groupFingerprint = (group: GroupSpec): string =>
  JSON.stringify([
    group.intervalMs,
    group.queryOffsetMs,
    group.limit,
    group.strategy,
    group.rules.map((rule) => ruleFingerprint(rule)),
  ]);

const ruleFingerprint = (rule: RuleSpec): unknown => [
  rule.kind,
  rule.name,
  rule.query,
  rule.labels.pairs,
  ...(rule.kind === "alerting" ? [rule.forMs, rule.keepFiringForMs, rule.annotations.pairs] : []),
];

/** Rules of one key take over each other's state: their kind, name and labels. */
export const ruleKey = (rule: RuleSpec): string => JSON.stringify([rule.kind, rule.name, rule.labels.pairs]);
