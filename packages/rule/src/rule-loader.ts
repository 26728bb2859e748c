import {globSync, readFileSync, statSync} from "node:fs";
import {join} from "node:path";
import {errorText} from "@strata/base";
import type {ParseOptions} from "@strata/promql";
import {type GroupSpec, parseRuleFile, type RuleFileError} from "@strata/rules";

/** What the files of `--rule-file` hold at the moment. */
export type LoadedRules = {
  readonly groups: readonly GroupSpec[];
  readonly errors: readonly RuleFileError[];
  readonly warnings: readonly string[];
  /** Equal texts mean that nothing has changed. */
  readonly fingerprint: string;
};

/** Reads all files that the patterns match; none is fine. Never throws. */
export function loadRules(patterns: readonly string[], parse: ParseOptions): LoadedRules {
  const groups: GroupSpec[] = [];
  const errors: RuleFileError[] = [];
  const warnings: string[] = [];
  const texts: string[] = [];
  for (const file of ruleFiles(patterns)) {
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (err) {
      const message = `cannot read it: ${errorText(err)}`;
      errors.push({file, line: 0, column: 0, group: undefined, rule: undefined, ruleName: "", message});
      texts.push(file, message);
      continue;
    }
    texts.push(file, text);
    const read = parseRuleFile(file, text, {parse, retypeScalars: true});
    groups.push(...read.groups);
    errors.push(...read.errors);
    warnings.push(...read.warnings);
  }
  return {groups, errors, warnings, fingerprint: texts.join("\u0000")};
}

/** The files, each once, in the order of the patterns; a folder stands for the `.yml` and `.yaml` files in it. */
function ruleFiles(patterns: readonly string[]): readonly string[] {
  const files = patterns.flatMap((pattern) =>
    globSync(pattern)
      .sort()
      .flatMap((path) => (isFolder(path) ? folderFiles(path) : [path])),
  );
  return [...new Set(files)];
}

const folderFiles = (dir: string): string[] => globSync(join(dir, "*.{yml,yaml}")).sort();

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
