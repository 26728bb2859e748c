import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {pathToFileURL} from "node:url";
import {repoRoot} from "@strata/base/testing";

type Entry = {readonly optionalDependencies?: Readonly<Record<string, string>>; readonly hasInstallScript?: boolean};
type Packages = Readonly<Record<string, Entry>>;

const script = pathToFileURL(join(repoRoot, "scripts/complete-lock.mjs")).href;
const {missingOptional} = (await import(script)) as {missingOptional: (packages: Packages) => Map<string, unknown>};
const read = (name: string) => JSON.parse(readFileSync(join(repoRoot, name), "utf8"));
const {packages} = read("package-lock.json") as {packages: Packages};

test("the lock file lists the optional packages of every system", () => {
  const missing = [...missingOptional(packages).keys()];
  assert.deepEqual(missing, [], "npm ci refuses such a lock file: run node scripts/complete-lock.mjs");
});

test("a missing optional package is derived from its name and its parent", () => {
  const optionalDependencies = {"@x/cli-linux-x64-musl": "1.2.3", "@x/cli-win32-arm64": "1.2.3", "x-odd": "1.2.3"};
  const missing = missingOptional({"node_modules/x": {optionalDependencies}, "node_modules/@x/cli-win32-arm64": {}});
  assert.deepEqual(missing.get("node_modules/@x/cli-linux-x64-musl"), {
    version: "1.2.3",
    cpu: ["x64"],
    libc: ["musl"],
    optional: true,
    os: ["linux"],
  });
  assert.equal(missing.has("node_modules/@x/cli-win32-arm64"), false);
  assert.ok(missing.has("node_modules/x-odd") && missing.get("node_modules/x-odd") === undefined);
});

test("every package with an install script is allowed or refused by name", () => {
  const allow = read("package.json").allowScripts as Readonly<Record<string, boolean>>;
  const withScripts = Object.entries(packages)
    .filter(([, entry]) => entry.hasInstallScript)
    .map(([path]) => path.replace(/^.*node_modules\//, ""));
  assert.deepEqual([...new Set(withScripts)].sort(), Object.keys(allow).sort());
  const run = Object.keys(allow).filter((name) => allow[name]);
  assert.deepEqual(run, ["node"], "node is the only package whose install script runs");
});

test("the lock file names no download address", () => {
  assert.doesNotMatch(readFileSync(join(repoRoot, "package-lock.json"), "utf8"), /"resolved": "http/);
});
