import {globSync, readFileSync} from "node:fs";
import {dirname, isAbsolute, join} from "node:path";
import {errorText, StrataError} from "@strata/base";
import {type GroupSpec, parseRuleFile, ruleFileErrorText} from "@strata/rules";
import {runTestGroup, type TestFeatures} from "./run-test.ts";
import {parseRuleTestFile, type RuleTestFile} from "./test-file.ts";

export type RuleTestOptions = {
  readonly features: TestFeatures;
  /** Only groups of tests whose name this finds something in. */
  readonly run: ((name: string) => boolean) | undefined;
  /** Of rule files. */
  readonly ignoreUnknownFields: boolean;
  /** Told of what is no failure but not wanted either. */
  readonly warn: (text: string) => void;
};

/** Runs a file of unit tests for rules; what did not hold, a text each. Reads from the file system. */
export async function runRuleTestFile(path: string, options: RuleTestOptions, signal: AbortSignal): Promise<string[]> {
  let file: RuleTestFile;
  let groups: GroupSpec[];
  try {
    file = parseRuleTestFile(readFileSync(path, "utf8"));
    groups = readRules(dirname(path), file, options);
  } catch (err) {
    return errorText(err).split("\n");
  }
  const failures: string[] = [];
  for (const test of file.tests) {
    if (options.run?.(test.name) === false) continue;
    failures.push(...(await runTestGroup(test, file, groups, options.features, signal)));
  }
  return failures;
}

function readRules(
  base: string,
  file: RuleTestFile,
  {features, warn, ignoreUnknownFields}: RuleTestOptions,
): GroupSpec[] {
  const groups: GroupSpec[] = [];
  const errors: string[] = [];
  for (const pattern of file.ruleFiles) {
    const full = isAbsolute(pattern) ? pattern : join(base, pattern);
    const paths = globSync(full).sort();
    if (paths.length === 0) warn(`no file match pattern ${full}`);
    for (const path of paths) {
      const read = parseRuleFile(path, readFileSync(path, "utf8"), {
        parse: features.parse,
        unknownFields: ignoreUnknownFields,
      });
      groups.push(...read.groups);
      errors.push(...read.errors.map(ruleFileErrorText));
    }
  }
  if (errors.length > 0) throw new StrataError("bad_data", errors.join("\n"));
  return groups;
}
