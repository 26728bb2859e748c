import {readFileSync} from "node:fs";
import {join} from "node:path";
import {reportHtml} from "./bench-html.mjs";
import {reportMarkdown, summaryTable} from "./bench-markdown.mjs";
import {writeMarked} from "./marked-text.mjs";
import {root} from "./paths.mjs";
import {listFiles, writeFileWhole} from "./stamp.mjs";

/** Results of this machine, a file a benchmark: what runs later replaces only its own. */
export const resultsDir = join(root, "bench/results/local");
/** The results that are checked in, and what is made of them beside README.md's table. */
const latest = join(root, "bench/results/latest.json");
const reports = {"bench/results/report.md": reportMarkdown, "bench/results/report.html": reportHtml};

/** `{file, flags, status, seconds, machine, rows, output}` of one benchmark. */
export function writeResult(result) {
  const name = result.file.replace(/\.bench\.ts$/, "").replaceAll("/", "-");
  writeFileWhole(join(resultsDir, `${name}.json`), `${JSON.stringify(result, null, 1)}\n`);
}

/** All results that are there, whole scenarios first. */
export function readResults() {
  const results = listFiles(resultsDir)
    .filter((path) => path.endsWith(".json"))
    .map((path) => JSON.parse(readFileSync(path, "utf8")));
  const rank = ({file}) => (file.startsWith("bench/") ? 0 : 1);
  return results.sort((a, b) => rank(a) - rank(b) || (a.file < b.file ? -1 : 1));
}

/** Keeps the results in the repository, a row a line, without what was printed, and the reports of them; gives the files written. */
export function saveLatest(results) {
  const kept = results
    .filter(({rows}) => rows.length > 0)
    .map(({file, flags, status, seconds, machine, rows}) => ({
      ...{file, flags, status, seconds: Math.round(seconds), machine},
      rows: rows.map(shortened),
    }));
  const lines = kept.map(
    ({rows, ...head}) =>
      `{"about": ${JSON.stringify(head)},\n "rows": [\n${rows.map((row) => `  ${JSON.stringify(row)}`).join(",\n")}\n ]}`,
  );
  writeFileWhole(latest, `[\n${lines.join(",\n")}\n]\n`);
  const readme = join(root, "README.md");
  writeMarked(readme, "bench", summaryTable(readLatest()));
  const made = Object.entries(reports).map(([name, make]) => {
    writeFileWhole(join(root, name), make(readLatest()));
    return join(root, name);
  });
  return [latest, ...made, readme];
}

/** The results that are checked in, in the form of `readResults`. */
export function readLatest() {
  const kept = JSON.parse(readFileSync(latest, "utf8"));
  return kept.map(({about, rows}) => ({...about, rows, output: ""}));
}

/** Four digits are more than any figure here is good for. */
function shortened(row) {
  const short = (value) => (typeof value === "number" ? Number(value.toPrecision(4)) : value);
  const deep = (value) =>
    Array.isArray(value)
      ? value.map(deep)
      : value !== null && typeof value === "object"
        ? Object.fromEntries(Object.entries(value).map(([key, of]) => [key, deep(of)]))
        : short(value);
  return deep(row);
}
