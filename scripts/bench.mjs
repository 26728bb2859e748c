// `npm run bench [-- part of a name …]`: runs bench/*.bench.ts and every package's *.bench.ts one after the other under
// the project's Node, so that none takes the other's core, and writes a report of them with plots. Only ratios travel, so
// scenarios run `thanos`, `prometheus` or `victoria-metrics` beside Strata where they are on PATH.
import {spawnSync} from "node:child_process";
import {basename, join, relative} from "node:path";
import {reportHtml} from "./lib/bench-html.mjs";
import {reportMarkdown} from "./lib/bench-markdown.mjs";
import {readResults, resultsDir, saveLatest, writeResult} from "./lib/bench-results.mjs";
import {runScenario} from "./lib/bench-scenario.mjs";
import {machineNow} from "./lib/machine.mjs";
import {root} from "./lib/paths.mjs";
import {listFiles, writeFileWhole} from "./lib/stamp.mjs";

/**
 * Scenarios that take many minutes with their own sizes: what a run of everything gives them instead. Named, they run
 * whole: `npm run bench -- compaction`.
 */
const LONG = {
  "bench/compaction.bench.ts": ["--scale=10000", "--reps=2"],
  "bench/query-range.bench.ts": ["--reps=3"],
  "bench/query-load.bench.ts": ["--seconds=5"],
  "bench/query-dedup.bench.ts": ["--reps=2"],
  "bench/frontend.bench.ts": ["--reps=4"],
  "bench/rule.bench.ts": ["--reps=1"],
};
/** Minutes: of a scenario (it is ended then, with what it has recorded), and of all that runs. */
const SCENARIO_MINUTES = 5;
const TOTAL_MINUTES = 40;

const USAGE = `usage: npm run bench [-- [part of a name …] [options]]
Runs benchmarks one after the other and writes bench/results/local/report.md and report.html.

  --list            names the benchmarks and runs none
  --report-only     makes the report again from the results that are there
  --save            also keeps the results as bench/results/latest.json and brings README.md's table up to date
  --limit=MINUTES   ends what has not begun by then (${TOTAL_MINUTES}; without a limit when names are given)
  --NAME=VALUE      any other option is given to the benchmarks (their first lines say which they take)

Examples:
  npm run bench -- query-range --reps=5
  PATH=/opt/thanos:$PATH npm run bench -- --save
Long ones, which a run of everything makes shorter: ${Object.keys(LONG)
  .map((file) => basename(file, ".bench.ts"))
  .join(", ")}.`;

async function main() {
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) return say(USAGE);
  const own = (name) => args.includes(name);
  const filters = args.filter((arg) => !arg.startsWith("-"));
  const limit = Number(args.find((arg) => arg.startsWith("--limit="))?.slice("--limit=".length) ?? NaN);
  const passed = args.filter(
    (arg) => arg.startsWith("-") && !/^--(list|report-only|save)$/.test(arg) && !arg.startsWith("--limit="),
  );
  const files = findBenches(filters);
  if (files.length === 0) {
    console.error(`bench: no *.bench.ts matches ${filters.join(" ")}`);
    return 2;
  }
  if (own("--list")) return say(files.join("\n"));
  let failed = [];
  if (!own("--report-only")) {
    const setup = spawnSync(process.execPath, [join(root, "scripts/setup.mjs")], {stdio: "inherit", cwd: root});
    if (setup.status !== 0) return 1;
    const minutes = Number.isFinite(limit) ? limit : filters.length > 0 ? Number.POSITIVE_INFINITY : TOTAL_MINUTES;
    failed = await runAll(files, passed, {minutes, whole: filters.length === 0});
  }
  writeReport(own("--save"));
  if (failed.length > 0) console.error(`\nbench: failed: ${failed.join(", ")}`);
  return failed.length > 0 ? 1 : 0;
}

function say(text) {
  console.log(text);
  return 0;
}

/** Whole scenarios first, then the loops beside the code. */
function findBenches(filters) {
  const skip = new Set(["node_modules", "dist", "generated"]);
  return ["bench", "packages", "cmd"]
    .flatMap((dir) => listFiles(join(root, dir), skip))
    .map((path) => relative(root, path))
    .filter((path) => path.endsWith(".bench.ts"))
    .filter((path) => filters.length === 0 || filters.some((name) => path.includes(name)));
}

async function runAll(files, flags, {minutes, whole}) {
  const machine = machineNow();
  const busy = machine.load > machine.cores / 2 ? " (busy: expect noise)" : "";
  console.log(
    `machine: ${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, Node ${machine.node}, ` +
      `load ${machine.load.toFixed(2)}${busy}; ${machine.versions.map(({name, version}) => `${name} ${version}`).join(", ")}`,
  );
  const begun = performance.now();
  const failed = [];
  for (const [i, file] of files.entries()) {
    const spent = (performance.now() - begun) / 60_000;
    if (spent > minutes) {
      console.log(`bench: ${minutes} minutes are over: not run: ${files.slice(i).join(", ")}`);
      break;
    }
    console.log(`\n── [${i + 1}/${files.length}, ${spent.toFixed(1)} min] ${file}`);
    const own = whole ? [...(LONG[file] ?? []), ...flags] : flags;
    const {status, seconds, output, rows} = await runScenario(file, own, whole ? SCENARIO_MINUTES : 60);
    console.log(`── ${file}: ${status} after ${seconds.toFixed(0)} s, ${rows.length} results`);
    if (status !== "done") failed.push(file);
    writeResult({file, flags: own, status, seconds, machine, rows, output});
  }
  return failed;
}

function writeReport(save) {
  const results = readResults();
  const [markdown, html] = [join(resultsDir, "report.md"), join(resultsDir, "report.html")];
  writeFileWhole(markdown, reportMarkdown(results));
  writeFileWhole(html, reportHtml(results));
  console.log(`\nbench: wrote ${relative(root, markdown)} and ${relative(root, html)} (${results.length} benchmarks)`);
  if (save) for (const path of saveLatest(results)) console.log(`bench: wrote ${relative(root, path)}`);
}

process.exitCode = await main();
