// Runs tests: `node scripts/test.mjs all|unit|golden|e2e|soak [part of a path …] [--verbose]`, through `npm test`,
// `npm run test:unit -- packages/tsdb` and so on. Every file is a process of its own, two at a time, under the project's
// Node. The last line is `N passed, N failed, N skipped`.
import {spawnSync} from "node:child_process";
import {existsSync} from "node:fs";
import {dirname, join, resolve} from "node:path";
import {fileURLToPath} from "node:url";
import {projectEnv} from "./lib/builds.mjs";
import {inCi} from "./lib/exec.mjs";
import {cacheDir, root} from "./lib/paths.mjs";
import {findTests, kinds, needsGolden} from "./lib/test-files.mjs";
import {killAllGroups, runTestFile} from "./lib/test-process.mjs";

const colours = process.stdout.isTTY === true && !process.env.NO_COLOR;
const paint = (code, text) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
const red = (text) => paint(31, text);
const green = (text) => paint(32, text);
const yellow = (text) => paint(33, text);

const goldenRoot = resolve(
  process.env.INIT_CWD ?? process.cwd(),
  process.env.STRATA_GOLDEN || join(root, "../shared/golden"),
);

async function main() {
  const [kind = "all", ...rest] = process.argv.slice(2);
  const verbose = rest.includes("--verbose") || rest.includes("-v");
  const filters = rest.filter((arg) => !arg.startsWith("-"));
  if (rest.includes("--help") || rest.includes("-h")) return help();
  const unknown = rest.find((arg) => arg.startsWith("-") && arg !== "--verbose" && arg !== "-v");
  if (unknown !== undefined) return usage(`unknown option ${unknown}`);
  if (!kinds.includes(kind)) return usage(`unknown kind ${kind}`);
  if (!setUp(kind)) return 1;
  const files = findTests(kind, filters);
  if (files.length === 0) return usage(`no test file of kind ${kind} matches ${filters.join(" ") || "anything"}`);
  const options = {env: testEnv(kind), timeoutMs: timeoutMs(kind)};
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));
  process.on("exit", killAllGroups);
  const results = [];
  const queue = [...files];
  const worker = async () => {
    for (let file = queue.shift(); file; file = queue.shift()) {
      const result =
        needsGolden(file) && !existsSync(goldenRoot) ? withoutGolden(file) : await runTestFile(file, options);
      printFile(result, verbose || filters.length > 0);
      results.push(result);
    }
  };
  await Promise.all([worker(), worker()]);
  return printSummary(results);
}

const USAGE = `usage: node scripts/test.mjs ${kinds.join("|")} [part of a path …] [--verbose]`;

function usage(problem) {
  console.error(`test: ${problem}\n${USAGE}`);
  return 2;
}

function help() {
  console.log(`${USAGE}
Runs the tests whose path contains one of the parts, all of the kind without any. STRATA_REPEAT is the share of random
rounds (soak: 1, else 0.1), STRATA_SEED repeats a run, STRATA_TEST_TIMEOUT is the longest a file may take, in seconds.`);
  return 0;
}

/** A bare clone is set up first. `npm test` has done so in its pretest script. */
function setUp(kind) {
  if (process.env.npm_lifecycle_event === "test") return true;
  const args = [join(dirname(fileURLToPath(import.meta.url)), "setup.mjs")];
  if (kind !== "unit" && kind !== "golden") args.push("--test");
  return spawnSync(process.execPath, args, {stdio: "inherit", cwd: root}).status === 0;
}

function testEnv(kind) {
  const env = projectEnv();
  env.STRATA_GOLDEN = goldenRoot;
  env.STRATA_REPEAT ||= kind === "soak" ? "1" : "0.1";
  env.NODE_COMPILE_CACHE ||= join(cacheDir, "compile");
  // Set in tests that run this script: the inner ones would report to the outer runner.
  delete env.NODE_TEST_CONTEXT;
  return env;
}

/** Five minutes a file, an hour in soak runs; STRATA_TEST_TIMEOUT (seconds) overrides both. */
function timeoutMs(kind) {
  return 1000 * (Number(process.env.STRATA_TEST_TIMEOUT) || (kind === "soak" ? 3600 : 300));
}

function withoutGolden(file) {
  const reason = `missing: no golden data at ${goldenRoot}; STRATA_GOLDEN names another folder`;
  return {file, tests: [{name: file, state: "skip", reason, ms: 0}], output: "", ms: 0};
}

function printFile({file, tests, output, ms, problem}, detailed) {
  const count = (state) => tests.filter((test) => test.state === state).length;
  const bad = problem !== undefined || count("fail") > 0;
  const counts = [`${count("pass")} passed`];
  if (count("fail") > 0) counts.push(`${count("fail")} failed`);
  if (count("skip") > 0) counts.push(`${count("skip")} skipped`);
  console.log(`${bad ? red("✗") : green("✓")} ${file}  ${counts.join(", ")} (${(ms / 1000).toFixed(1)} s)`);
  for (const test of tests) {
    if (test.state === "fail") console.log(`  ${red("✗")} ${test.name}\n${indent(test.error ?? "")}`);
    else if (detailed && test.state === "pass") console.log(`  ${green("✓")} ${test.name} (${test.ms.toFixed(1)} ms)`);
  }
  if (problem) console.log(`  ${red("✗")} ${file} ${problem}`);
  if (output.trim() !== "" && (bad || detailed)) console.log(indent(output.trimEnd()));
}

const indent = (text) => text.replace(/^/gm, "    ");

/**
 * With CI=true everything that `npm run setup:test` installs has to be there, so only skips that a test calls optional
 * are allowed; any other becomes a failure.
 */
function printSummary(results) {
  const ci = inCi();
  const tests = results.flatMap(({file, tests}) => tests.map((test) => ({...test, file})));
  const skipped = tests.filter((test) => test.state === "skip");
  const refused = skipped.filter((test) => ci && !test.reason.startsWith("optional:"));
  if (skipped.length > 0) console.log("\nskipped:");
  for (const test of skipped) {
    const reason = test.reason || "no reason given";
    console.log(`  ${yellow("-")} ${test.file}: ${test.name === test.file ? "all" : test.name}: ${reason}`);
  }
  for (const test of refused) console.log(`${red("✗")} skipped, which CI does not allow: ${test.file}: ${test.name}`);
  const broken = results.filter(({problem}) => problem !== undefined);
  const failed = tests.filter((test) => test.state === "fail");
  if (failed.length + broken.length > 0) console.log("\nfailed:");
  for (const test of failed) console.log(`  ${red("✗")} ${test.file}: ${test.name}`);
  for (const {file, problem} of broken) console.log(`  ${red("✗")} ${file} ${problem}`);
  const passed = tests.filter((test) => test.state === "pass").length;
  const bad = failed.length + broken.length + refused.length;
  console.log(`\n${passed} passed, ${bad} failed, ${skipped.length - refused.length} skipped`);
  return bad > 0 ? 1 : 0;
}

process.exitCode = await main();
