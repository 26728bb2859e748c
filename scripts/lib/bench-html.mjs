import {aboutLines, curvesOf, headingOf, measuresOf, titleOf} from "./bench-figures.mjs";
import {barPlot, escapeHtml, linePlot} from "./bench-plot.mjs";

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fff; --line: #d5dae1; --c0: #2563a8; --c1: #c2661c; --c2: #3d8b50; --c3: #8650a6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e7ee; --paper: #14181e; --line: #3a424d; --c0: #6aa5e8; --c1: #eb9a55; --c2: #74c089; --c3: #bd8be0; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 760px; margin: 2rem auto; padding: 0 1rem; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); } h3 { margin: 1.5rem 0 .3rem; font-size: 1rem; }
svg { max-width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: var(--ink); } svg .small { font-size: 11px; opacity: .85; }
.grid { stroke: var(--line); } polyline { fill: none; stroke-width: 2; }
.s0 { fill: var(--c0); } .s1 { fill: var(--c1); } .s2 { fill: var(--c2); } .s3 { fill: var(--c3); }
.l0 { stroke: var(--c0); } .l1 { stroke: var(--c1); } .l2 { stroke: var(--c2); } .l3 { stroke: var(--c3); }
.legend { margin: 0; font-size: .85rem; } .legend span { margin-right: 1rem; } .legend i { display: inline-block; width: .8em; height: .8em; margin-right: .35em; }
.k0 { background: var(--c0); } .k1 { background: var(--c1); } .k2 { background: var(--c2); } .k3 { background: var(--c3); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; } dd { margin: 0; } pre { overflow: auto; font-size: .8rem; }
`;

/** The report as one page that needs nothing else: tables are in the Markdown one, here are the plots. */
export function reportHtml(results) {
  const about =
    results.length === 0
      ? "<p>No results yet: <code>npm run bench</code> makes them.</p>"
      : `<dl>${aboutLines(results)
          .map(([name, text]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(text)}</dd>`)
          .join("")}</dl><p>Only ratios between systems of one run travel to another machine.</p>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Strata: benchmarks</title><style>${STYLE}</style></head><body>
<h1>Benchmarks</h1>
${about}
${results.map(scenario).join("\n")}
</body></html>
`;
}

function scenario({file, flags, status, seconds, rows, output}) {
  const parts = [`<h2 id="${escapeHtml(titleOf(file))}">${escapeHtml(titleOf(file))}</h2>`];
  parts.push(
    `<p><code>${escapeHtml([file, ...flags].join(" "))}</code>: ${escapeHtml(status)} in ${seconds.toFixed(0)} s.</p>`,
  );
  for (const group of measuresOf(rows)) {
    parts.push(`<h3>${escapeHtml(headingOf(group))}</h3>${barPlot(group)}`);
  }
  for (const curve of curvesOf(rows)) {
    parts.push(`<h3>${escapeHtml(curve.name)}, ${escapeHtml(curve.unit)}</h3>${linePlot(curve)}`);
  }
  if (output !== "") {
    const open = rows.length === 0 ? " open" : "";
    parts.push(`<details${open}><summary>what it printed</summary><pre>${escapeHtml(output.trim())}</pre></details>`);
  }
  return parts.join("\n");
}
