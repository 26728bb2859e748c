import assert from "node:assert/strict";
import {test} from "node:test";
import {repoRoot} from "@strata/base/testing";
import {layers, sameLayerEdges} from "./layers.ts";
import {readTree} from "./read-tree.ts";
import {rules} from "./rules.ts";

const tree = readTree(repoRoot);

const states: Record<keyof typeof rules, string> = {
  undeclaredImports: "every import is declared in its package's package.json",
  escapingImports: "no relative import leaves its package",
  upwardImports: "imports and dependencies point to lower layers or along listed edges",
  ownIndexImports: "no source imports the index of its own package",
  fileCycles: "no files of a package import each other in a ring",
  references: "tsconfig references are the package's dependencies",
};

test("the walk finds packages, sources and imports", () => {
  const base = tree.packages.find((pkg) => pkg.short === "base");
  assert.ok(base && tree.packages.length > 10);
  const index = base.files.find((file) => file.path === "packages/base/src/index.ts");
  assert.ok(index?.imports.some((entry) => entry.specifier === "./errors.ts"));
});

for (const [name, rule] of Object.entries(rules)) {
  test(states[name as keyof typeof rules], () => {
    const problems = rule(tree, {layers, sameLayerEdges});
    assert.equal(problems.length, 0, `\n${problems.join("\n")}`);
  });
}
