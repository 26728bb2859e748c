import {StrataError} from "@strata/base";
import {goQuote} from "@strata/model";

/** One thing wrong with a rule file, and where. */
export type RuleFileError = {
  readonly file: string;
  /** From 1; 0 where the whole file is meant. */
  readonly line: number;
  readonly column: number;
  readonly group: string | undefined;
  /** Position in the group, from 1. */
  readonly rule: number | undefined;
  readonly ruleName: string;
  readonly message: string;
};

/** `FILE: LINE:COLUMN: group "G", rule N, "NAME": MESSAGE`. */
export function ruleFileErrorText(error: RuleFileError): string {
  const place = error.line === 0 ? "" : ` ${error.line}:${error.column}:`;
  const group = error.group === undefined ? "" : ` group ${goQuote(error.group)}`;
  const rule = error.rule === undefined ? "" : `, rule ${error.rule}, ${goQuote(error.ruleName)}`;
  return `${error.file}:${place}${group}${rule}${group === "" ? "" : ":"} ${error.message}`;
}

/** All errors of all files as one. */
export const ruleFilesError = (errors: readonly RuleFileError[]): StrataError =>
  new StrataError("bad_data", errors.map(ruleFileErrorText).join("\n"), {fields: {errors: errors.length}});
