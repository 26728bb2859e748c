import {readFile} from "node:fs/promises";
import {basename} from "node:path";
import {errorText, StrataError} from "@strata/base";
import {explain, type PlanNode} from "@strata/engine";
import {runScript} from "@strata/engine/testing";
import {type ParseOptions, parseExpr, prettify, toJson} from "@strata/promql";
import {toolCommand} from "./tools-output.ts";
import type {CommandModule} from "./tree.ts";

/** The whole language: a tool that looks at an expression must not care which server it is for. */
const WHOLE_LANGUAGE: ParseOptions = {
  experimentalFunctions: true,
  extendedRangeSelectors: true,
  binopFillModifiers: true,
  xFunctions: true,
};

const EXPRESSION = {name: "expression", required: true};
const expressionOf = (args: readonly string[]) => parseExpr(args[0] as string, WHOLE_LANGUAGE);

export const format: CommandModule = toolCommand({}, [EXPRESSION], async ({args}, {out}) => {
  await out.line(prettify(expressionOf(args)));
});

export const parse: CommandModule = toolCommand({}, [EXPRESSION], async ({args}, {out}) => {
  await out.line(JSON.stringify(toJson(expressionOf(args)), undefined, 2));
});

export const explainPlan: CommandModule = toolCommand({}, [EXPRESSION], async ({args}, {out}) => {
  const print = async (node: PlanNode, depth: number): Promise<void> => {
    await out.line(`${"  ".repeat(depth)}${node.name}${node.detail === "" ? "" : `: ${node.detail}`}`);
    for (const child of node.children) await print(child, depth + 1);
  };
  await print(explain(expressionOf(args)), 0);
});

/** Runs scripts of the PromQL test language; fails when an `eval` does not hold or a script cannot be run. */
export const promqlTest: CommandModule = toolCommand(
  {},
  [{name: "file", required: true, many: true}],
  async ({args}, {out}) => {
    let passed = 0;
    let failed = 0;
    for (const file of args) {
      try {
        for (const {line, expr, failure} of await runScript(await readFile(file, "utf8"), basename(file))) {
          if (failure === undefined) passed++;
          else {
            failed++;
            await out.line(`${file}:${line}: ${expr}: ${failure}`);
          }
        }
      } catch (err) {
        failed++;
        await out.line(`${file}: ${errorText(err)}`);
      }
    }
    await out.line(`${passed} passed, ${failed} failed`);
    if (failed > 0) throw new StrataError("execution", `${failed} of ${passed + failed} evaluations failed`);
  },
);
