import assert from "node:assert/strict";
import {mkdirSync, writeFileSync} from "node:fs";
import {dirname, join} from "node:path";
import {type TestContext, test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {importsOf, packageOf} from "./imports.ts";
import {readTree} from "./read-tree.ts";
import {type Rule, rules} from "./rules.ts";

/** A small clean repository: `high` stands on `low`, `cmd/strata` on both. */
const clean: Readonly<Record<string, unknown>> = {
  "package.json": {devDependencies: {"fast-check": "1"}},
  "tsconfig.json": {references: [{path: "packages/low"}, {path: "packages/high"}, {path: "cmd/strata"}]},
  "packages/low/package.json": {name: "@strata/low", dependencies: {yaml: "1"}},
  "packages/low/tsconfig.json": {references: []},
  "packages/low/src/index.ts": 'export {a} from "./a.ts";\n',
  "packages/low/src/a.ts":
    'import {readFile} from "node:fs/promises";\nimport {parse} from "yaml";\nimport type {B} from "./b.ts";\n',
  "packages/low/src/b.ts": 'import {a} from "./a.ts";\n// import {x} from "comment";\n',
  "packages/low/src/b.test.ts": 'import fc from "fast-check";\nimport {a} from "./a.ts";\n',
  "packages/high/package.json": {name: "@strata/high", dependencies: {"@strata/low": "1"}},
  "packages/high/tsconfig.json": {references: [{path: "../low"}]},
  "packages/high/src/index.ts": 'import {\n  a,\n} from "@strata/low";\n',
  "cmd/strata/package.json": {name: "@strata/strata", dependencies: {"@strata/high": "1"}},
  "cmd/strata/tsconfig.json": {references: [{path: "../../packages/high"}]},
  "cmd/strata/bin/strata.js": 'await import("@strata/high");\n',
};

const order = {layers: [["low", "twin"], ["high"], ["strata"]], sameLayerEdges: []};

/** The problems that a rule sees in the clean repository with `changes` on top. */
function judge(t: TestContext, rule: Rule, changes: Readonly<Record<string, unknown>>): string[] {
  const root = tempDir(t);
  for (const [path, content] of Object.entries({...clean, ...changes})) {
    mkdirSync(dirname(join(root, path)), {recursive: true});
    writeFileSync(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
  }
  return rule(readTree(root), order);
}

for (const [name, rule] of Object.entries(rules)) {
  test(`${name} accepts a clean repository`, (t) => {
    assert.deepEqual(judge(t, rule, {}), []);
  });
}

test("undeclaredImports sees a package that only another one declares, also in a dynamic import", (t) => {
  const f = (source: string, path = "packages/high/src/x.ts") => judge(t, rules.undeclaredImports, {[path]: source});
  assert.match(f('import {parse} from "yaml";\n')[0] ?? "", /^packages\/high\/src\/x\.ts:1: imports yaml/);
  assert.equal(f('const y = await import("yaml");\n').length, 1);
  assert.equal(f('export type {Y} from "yaml/deep";\n').length, 1);
  assert.equal(f('import fc from "fast-check";\n').length, 1);
  assert.equal(f('import fc from "fast-check";\n', "packages/high/src/x.test.ts").length, 0);
});

test("escapingImports sees a path into another package", (t) => {
  const problems = judge(t, rules.escapingImports, {
    "packages/high/src/x.ts": 'import {a} from "../../low/src/a.ts";\n',
  });
  assert.match(problems[0] ?? "", /outside of its package/);
});

test("upwardImports sees an import, a dependency, an unlisted edge and a package without a layer", (t) => {
  const f = (changes: Readonly<Record<string, unknown>>) => judge(t, rules.upwardImports, changes);
  assert.match(
    f({"packages/low/src/x.ts": '\nimport {h} from "@strata/high";\n'})[0] ?? "",
    /x\.ts:2: low \(layer 0\) imports high/,
  );
  const dependencies = {"@strata/high": "1"};
  assert.match(
    f({"packages/low/package.json": {name: "@strata/low", dependencies}})[0] ?? "",
    /^packages\/low\/package\.json/,
  );
  const twin = {name: "@strata/twin", dependencies: {"@strata/low": "1"}};
  assert.match(f({"packages/twin/package.json": twin})[0] ?? "", /same layer, an edge that is not listed/);
  assert.match(f({"packages/lost/package.json": {name: "@strata/lost"}})[0] ?? "", /packages\/lost: is in no layer/);
});

test("ownIndexImports sees the index by path and by name", (t) => {
  const f = (source: string) => judge(t, rules.ownIndexImports, {"packages/low/src/x.ts": source});
  assert.equal(f('import {a} from "./index.ts";\n').length, 1);
  assert.equal(f('import {a} from "@strata/low";\n').length, 1);
});

test("fileCycles sees a ring of values and lets a ring closed by types pass", (t) => {
  const ring = {"packages/low/src/a.ts": 'import {b} from "./b.ts";\n'};
  assert.match(
    judge(t, rules.fileCycles, ring)[0] ?? "",
    /a\.ts → packages\/low\/src\/b\.ts → packages\/low\/src\/a\.ts/,
  );
  // Types inline in braces keep the import statement alive under verbatimModuleSyntax.
  assert.equal(judge(t, rules.fileCycles, {"packages/low/src/a.ts": 'import {type B} from "./b.ts";\n'}).length, 1);
});

test("references sees a missing, a superfluous and a forgotten reference", (t) => {
  const f = (changes: Readonly<Record<string, unknown>>) => judge(t, rules.references, changes);
  assert.match(f({"packages/high/tsconfig.json": {references: []}})[0] ?? "", /lacks a reference to packages\/low/);
  assert.match(
    f({"packages/low/tsconfig.json": {references: [{path: "../high"}]}})[0] ?? "",
    /refers to packages\/high/,
  );
  assert.match(f({"tsconfig.json": {references: []}})[0] ?? "", /^tsconfig\.json: lacks/);
});

test("importsOf knows the forms of an import and their lines", () => {
  const source =
    'import "a";\n/* import "no"; */\nexport {b,\n c} from "b";\nimport type {C} from "c";\nimport type from "d";\n';
  assert.deepEqual(
    importsOf(source).map((entry) => [entry.specifier, entry.line, entry.typeOnly]),
    [
      ["a", 1, false],
      ["b", 3, false],
      ["c", 5, true],
      ["d", 6, false],
    ],
  );
  assert.equal(packageOf("@strata/base/testing"), "@strata/base");
  assert.equal(packageOf("yargs/helpers"), "yargs");
});
