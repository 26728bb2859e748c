import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {goldenDir} from "@strata/base/testing";
import {format} from "../format.ts";
import {parseExpr} from "../parse.ts";
import {atVariants} from "./at-variants.ts";
import {parseScript} from "./script.ts";

const ALL = {experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true};

const files = readdirSync(goldenDir("query", "promqltest")).filter((name) => name.endsWith(".test"));
assert.notEqual(files.length, 0);

for (const name of files) {
  test(`${name} parses, with every expression in it, and prints back`, () => {
    const source = readFileSync(join(goldenDir("query", "promqltest"), name), "utf8");
    const commands = parseScript(source, name);
    const count = (pattern: RegExp): number => source.split("\n").filter((line) => pattern.test(line)).length;
    const kinds = (kind: string): number => commands.filter((c) => c.kind === kind).length;
    assert.equal(kinds("eval"), count(/^\s*eval/));
    assert.equal(kinds("load"), count(/^\s*load/));
    assert.equal(kinds("clear"), count(/^\s*clear/));
    for (const command of commands) {
      if (command.kind !== "eval") continue;
      const expr = parseExpr(command.expr, ALL);
      const printed = format(expr);
      assert.equal(format(parseExpr(printed, ALL)), printed, `line ${command.line}`);
      const pinned = atVariants(expr, command.grid.start);
      if (pinned !== undefined) assert.equal(format(parseExpr(pinned.expr, ALL)), pinned.expr);
    }
  });
}
