import {aboutLines, curvesOf, headingOf, measuresOf, number, share, systemsOf, titleOf} from "./bench-figures.mjs";

/** The report as Markdown: tables only, plots are in the HTML one. */
export function reportMarkdown(results) {
  const parts = ["# Benchmarks", ""];
  if (results.length === 0) return `${parts.join("\n")}No results yet: \`npm run bench\` makes them.\n`;
  parts.push(...aboutLines(results).map(([name, text]) => `- ${name}: ${text}`), "");
  parts.push("Only ratios between systems of one run travel to another machine. The plots are in report.html.", "");
  for (const result of results) parts.push(...scenario(result));
  return `${parts.join("\n").trimEnd()}\n`;
}

function scenario({file, flags, status, seconds, rows, output}) {
  const call = [file, ...flags].join(" ");
  const parts = [`## ${titleOf(file)}`, "", `\`${call}\`: ${status} in ${seconds.toFixed(0)} s.`, ""];
  for (const group of measuresOf(rows)) parts.push(...figureTable(group), "");
  for (const curve of curvesOf(rows)) parts.push(...curveTable(curve), "");
  if (output !== "" && rows.length === 0) parts.push("```text", output.trim(), "```", "");
  return parts;
}

function figureTable(group) {
  const {rows} = group;
  const systems = systemsOf(rows);
  const ratios = systems.length > 1 && rows.some(({ratio}) => ratio !== undefined && ratio !== null);
  return table(
    [headingOf(group), ...systems, ...(ratios ? ["ratio"] : [])],
    rows.map((row) => [
      row.name,
      ...systems.map((system) => number(row.values[system])),
      ...(ratios ? [share(row.ratio)] : []),
    ]),
  );
}

function curveTable({name, unit, x, lines}) {
  const systems = systemsOf([{kind: "curve", lines}]);
  const at = [...new Set(Object.values(lines).flatMap((points) => points.map(([value]) => value)))].sort(
    (a, b) => a - b,
  );
  const value = (system, key) => lines[system]?.find(([own]) => own === key)?.[1];
  return table(
    [`${name}, ${unit}, by ${x}`, ...systems],
    at.map((key) => [String(key), ...systems.map((system) => number(value(system, key)))]),
  );
}

/** The first `left` columns are texts, the others numbers. */
function table(head, rows, left = 1) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i < left ? "---" : "---:"))), ...rows.map(line)];
}

/**
 * README.md's table: of each scenario and measure, beside each other system, Strata's range, the other's, and the geometric
 * mean of the ratios. Scenarios without another system are left to the report.
 */
export function summaryTable(results) {
  if (results.length === 0) return "No results yet.";
  const rows = results.flatMap(({file, rows}) =>
    measuresOf(rows).flatMap((group) =>
      BESIDE.filter((other) => group.rows.some(({values}) => values[other] !== undefined)).map((other) => {
        const pairs = group.rows.filter(({values}) => values.strata > 0 && values[other] > 0);
        const logs = pairs.map(({values}) => Math.log(values.strata / values[other]));
        const mean = Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
        const spread = (system) => range(pairs.map(({values}) => values[system]));
        const what = [titleOf(file), headingOf(group), other];
        return [...what, String(pairs.length), spread("strata"), spread(other), share(mean)];
      }),
    ),
  );
  const newest = results.map(({machine}) => machine).sort((a, b) => (a.date < b.date ? 1 : -1))[0];
  const [[, machine], [, versions]] = aboutLines([{machine: newest, seconds: 0}]);
  return [
    `Measured up to ${newest.date} UTC, the last at commit ${newest.commit}, on ${machine}; ${versions}.`,
    "Other work may have run on the machine: the ratio, of one run, is what to look at (below 1× Strata needs less).",
    "",
    ...table(["scenario", "what", "beside", "figures", "Strata", "the other", "ratio (geometric mean)"], rows, 3),
  ].join("\n");
}

/** The systems that others are held against; "one querier" and the like are not among them. */
const BESIDE = ["thanos", "prometheus", "victoria-metrics"];

function range(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? number(low) : `${number(low)} – ${number(high)}`;
}
