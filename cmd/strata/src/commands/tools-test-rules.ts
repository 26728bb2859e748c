import {StrataError} from "@strata/base";
import {compileSearch} from "@strata/model";
import {featuresFrom} from "@strata/query";
import {newLogger} from "@strata/telemetry";
import {runRuleTestFile} from "@strata/tools";
import {testRulesFlags} from "../flags/tools.ts";
import {toolCommand} from "./tools-output.ts";

/** Runs unit tests for rules, files in promtool's format; fails when one does not hold. */
export const testRules = toolCommand(
  testRulesFlags,
  [{name: "test-rule-file", required: true, many: true}],
  async ({args, flags}, {out, signal}) => {
    const {parse, engine} = featuresFrom(
      flags["enable-feature"],
      newLogger({level: "warn", format: "logfmt", name: "test-rules"}),
    );
    const run = flags.run.length === 0 ? undefined : compileSearch(flags.run.join("|")).test;
    let failed = 0;
    for (const file of args) {
      await out.line(`Unit Testing:  ${file}`);
      const failures = await runRuleTestFile(
        file,
        {
          features: {
            parse,
            engine: {features: {delayedNameRemoval: engine.delayedNameRemoval === true, startTimestamps: false}},
          },
          run,
          ignoreUnknownFields: flags["ignore-unknown-fields"],
          warn: (text) => void process.stderr.write(`  WARNING: ${text}\n`),
        },
        signal,
      );
      if (failures.length > 0) failed++;
      await out.line(failures.length === 0 ? "  SUCCESS\n" : `  FAILED:\n${failures.join("\n")}\n`);
    }
    if (failed > 0) throw new StrataError("execution", `${failed} of ${args.length} files with failed tests`);
  },
);
