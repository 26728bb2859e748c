import type {GroupSpec, RuleSpec} from "../rule-spec.ts";

/** What lint looks for. */
export type Check =
  | "rate-window"
  | "rate-of-gauge"
  | "counter-without-rate"
  | "dropped-label"
  | "no-for"
  | "missing-series"
  | "record-name"
  | "impossible-join"
  | "template";

/** Something that is likely wrong with a rule. */
export type Finding = {
  readonly file: string;
  readonly line: number;
  readonly group: string;
  /** Position in the group, from 1. */
  readonly rule: number;
  readonly name: string;
  readonly check: Check;
  readonly message: string;
};

/** A rule with its place. */
export type Subject = {readonly group: GroupSpec; readonly rule: RuleSpec; readonly position: number};

export const finding = ({group, rule, position}: Subject, check: Check, message: string): Finding => ({
  file: group.file,
  line: rule.line,
  group: group.name,
  rule: position,
  name: rule.name,
  check,
  message,
});
