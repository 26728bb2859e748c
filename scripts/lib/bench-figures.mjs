// What the Markdown and the HTML report have in common: names, numbers, and how rows are grouped.
import {basename} from "node:path";

/** `query-range` of `bench/query-range.bench.ts`; a package's with its package. */
export function titleOf(file) {
  const name = basename(file, ".bench.ts");
  const pkg = /^packages\/([^/]+)\//.exec(file)?.[1];
  return pkg === undefined ? name : `${pkg}: ${name}`;
}

/** At most three digits that mean something. */
export function number(value) {
  if (!Number.isFinite(value)) return "";
  const size = Math.abs(value);
  if (size >= 1e6) return `${(value / 1e6).toFixed(size >= 1e7 ? 1 : 2)} M`;
  if (size >= 1e4) return `${(value / 1e3).toFixed(size >= 1e5 ? 0 : 1)} k`;
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : 2);
}

export const share = (ratio) => (ratio === undefined || ratio === null ? "" : `${ratio.toFixed(2)}×`);

/** Who comes first, and so has the same colour everywhere. */
const rankOf = (name) => ["strata", "thanos", "prometheus", "victoria-metrics"].indexOf(name) + 1 || 9;

/** The names of the systems in rows, Strata first. */
export function systemsOf(rows) {
  const names = new Set(rows.flatMap((row) => Object.keys(row.kind === "curve" ? row.lines : row.values)));
  return [...names].sort((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
}

/** What a group of figures shows, with the direction where more is better. */
export const headingOf = ({measure, unit, rows}) =>
  `${measure}, ${unit}${rows.some(({better}) => better === "more") ? " (more is better)" : ""}`;

/** Figures that belong in one table and plot: of one measure and unit, in the order they were recorded. */
export function measuresOf(rows) {
  const groups = new Map();
  for (const row of rows) {
    if (row.kind !== "figure") continue;
    const key = `${row.measure}, ${row.unit}`;
    const group = groups.get(key) ?? {measure: row.measure, unit: row.unit, rows: []};
    groups.set(key, group);
    const at = group.rows.findIndex(({name}) => name === row.name);
    // A scenario may record its systems one by one.
    if (at < 0) group.rows.push(row);
    else group.rows[at] = withRatio({...row, values: {...group.rows[at].values, ...row.values}});
  }
  return [...groups.values()];
}

function withRatio(row) {
  const {strata, ...others} = row.values;
  const other = Object.values(others)[0];
  return {...row, ratio: strata === undefined || other === undefined ? row.ratio : strata / other};
}

export const curvesOf = (rows) => rows.filter(({kind}) => kind === "curve");

/** One machine and commit for a list of results; "several" where they differ. */
export function common(results, of) {
  const all = new Set(results.map(of));
  return all.size === 1 ? [...all][0] : `several (${[...all].join("; ")})`;
}

/** Lines on what the results were made with. */
export function aboutLines(results) {
  const one = (of) => common(results, ({machine}) => of(machine));
  return [
    ["Machine", one((m) => `${m.cores} × ${m.cpu}, ${m.memoryGiB} GiB, ${m.system}`)],
    ["Versions", one((m) => [`Node ${m.node}`, ...m.versions.map((v) => `${v.name} ${v.version}`)].join(", "))],
    ["Commit", one((m) => m.commit)],
    [
      "Date",
      `${results.map(({machine}) => machine.date).sort()[0]} to ${results
        .map(({machine}) => machine.date)
        .sort()
        .at(-1)} UTC`,
    ],
    [
      "Load at the start",
      `${Math.min(...results.map(({machine}) => machine.load))} to ${Math.max(...results.map(({machine}) => machine.load))}`,
    ],
    ["Time of all", `${(results.reduce((sum, {seconds}) => sum + seconds, 0) / 60).toFixed(1)} minutes`],
  ];
}
