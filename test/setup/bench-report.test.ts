import assert from "node:assert/strict";
import {existsSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {pathToFileURL} from "node:url";
import {repoRoot} from "@strata/base/testing";

type Result = Readonly<Record<string, unknown>>;
type Report = (results: readonly Result[]) => string;

const load = async (name: string): Promise<unknown> => import(pathToFileURL(join(repoRoot, "scripts/lib", name)).href);
const {reportMarkdown, summaryTable} = (await load("bench-markdown.mjs")) as Record<string, Report>;
const {reportHtml} = (await load("bench-html.mjs")) as Record<string, Report>;
const {replaceMarked} = (await load("marked-text.mjs")) as Record<string, (...of: string[]) => string>;

const machine = {
  ...{date: "2026-01-02 03:04", commit: "abc", cpu: "CPU <1>", cores: 2, memoryGiB: 8, system: "Linux 6", load: 0.1},
  ...{node: "26", versions: [{name: "thanos", version: "0.43"}]},
};
const figure = (name: string, strata: number, thanos: number): Result => ({
  ...{kind: "figure", name, measure: "time", unit: "ms", better: "less", values: {strata, thanos}},
  ratio: strata / thanos,
});
const results: readonly Result[] = [
  {
    ...{file: "bench/x.bench.ts", flags: ["--reps=1"], status: "done", seconds: 61, machine, output: "as | printed"},
    rows: [
      figure("a | b", 10, 40),
      figure("c <d>", 20, 20),
      {
        kind: "curve",
        name: "memory",
        unit: "MB",
        x: "series",
        lines: {
          strata: [
            [1000, 5],
            [100000, 50],
          ],
          thanos: [[1000, 9]],
        },
      },
    ],
  },
  {
    ...{
      file: "packages/k/src/y.bench.ts",
      flags: [],
      status: "failed (1)",
      seconds: 1,
      machine,
      rows: [],
      output: "no",
    },
  },
];

test("the Markdown report has machine, versions, commit, figures with ratios, and points of curves", () => {
  const text = reportMarkdown?.(results) ?? "";
  for (const part of [
    "2 × CPU <1>, 8 GiB",
    "Node 26, thanos 0.43",
    "Commit: abc",
    "`bench/x.bench.ts --reps=1`: done in 61 s.",
    "| a \\| b | 10 | 40 | 0.25× |",
    "| 1000 | 5 | 9 |",
    "## k: y",
    "failed (1)",
  ])
    assert.ok(text.includes(part), `${part} is not in\n${text}`);
});

test("the HTML report draws bars and lines inline, escapes names, and asks no other host for anything", () => {
  const html = reportHtml?.(results) ?? "";
  assert.equal(html.match(/<svg /g)?.length, 2);
  assert.equal(html.match(/<polyline /g)?.length, 2);
  assert.match(html, /c &lt;d&gt;/);
  assert.match(html, /as \| printed/);
  assert.doesNotMatch(html, /https?:|<script|NaN|undefined/);
});

test("the summary has the geometric mean of the ratios of each measure", () => {
  assert.match(summaryTable?.(results) ?? "", /\| x \| time, ms \| thanos \| 2 \| 10 – 20 \| 20 – 40 \| 0\.50× \|/);
});

test("text between markers is replaced, and missing markers are an error", () => {
  const text = "a\n<!-- t: begin -->\nold\n<!-- t: end -->\nz";
  assert.equal(replaceMarked?.(text, "t", "new\n"), "a\n<!-- t: begin -->\nnew\n<!-- t: end -->\nz");
  assert.throws(() => replaceMarked?.(text, "other", "new"), /cannot find <!-- other: begin -->/);
});

test("README.md and the reports show the results that are checked in", async () => {
  const latest = join(repoRoot, "bench/results/latest.json");
  if (!existsSync(latest)) return assert.fail("bench/results/latest.json is not there: npm run bench -- --save");
  const {readLatest} = (await load("bench-results.mjs")) as {readLatest: () => readonly Result[]};
  const readme = readFileSync(join(repoRoot, "README.md"), "utf8");
  assert.equal(replaceMarked?.(readme, "bench", summaryTable?.(readLatest()) ?? ""), readme);
  for (const [name, make] of [
    ["report.md", reportMarkdown],
    ["report.html", reportHtml],
  ] as const)
    assert.equal(readFileSync(join(repoRoot, "bench/results", name), "utf8"), make?.(readLatest()), name);
});
