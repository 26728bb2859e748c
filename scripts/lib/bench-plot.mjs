// Plots as inline SVG: bars for figures, lines for curves. Colours come from the page's style sheet.
import {number, systemsOf} from "./bench-figures.mjs";

const WIDTH = 720;
const LABEL = 230;
const BAR = 14;
const GAP = 10;

export const escapeHtml = (text) =>
  String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const text = (x, y, content, more = "") =>
  `<text x="${round(x)}" y="${round(y)}" ${more}>${escapeHtml(content)}</text>`;
const round = (value) => Math.round(value * 10) / 10;

/** A group of bars a figure, one bar a system, all on one scale from zero. */
export function barPlot({measure, unit, rows}) {
  const systems = systemsOf(rows);
  const top = Math.max(...rows.flatMap(({values}) => Object.values(values)).filter(Number.isFinite), Number.MIN_VALUE);
  const room = WIDTH - LABEL - 80;
  const parts = [];
  let y = 4;
  for (const {name, values} of rows) {
    parts.push(text(LABEL - 8, y + (BAR * systems.length) / 2 + 4, name, 'text-anchor="end"'));
    for (const [i, system] of systems.entries()) {
      const value = values[system];
      if (!Number.isFinite(value)) continue;
      const width = Math.max(1, (Math.max(value, 0) / top) * room);
      const at = y + i * BAR;
      parts.push(`<rect class="s${i}" x="${LABEL}" y="${at}" width="${round(width)}" height="${BAR - 3}"/>`);
      parts.push(text(LABEL + width + 5, at + BAR - 4, number(value), 'class="small"'));
    }
    y += systems.length * BAR + GAP;
  }
  return svg(y, `${measure}, ${unit}`, parts) + legend(systems);
}

const HEIGHT = 260;
const PAD = {left: 60, right: 20, top: 14, bottom: 40};

/** A line a system; the x axis is logarithmic where its values are far apart. */
export function linePlot({name, unit, x, lines}) {
  const systems = systemsOf([{kind: "curve", lines}]);
  const points = Object.values(lines).flat();
  if (points.length === 0) return "";
  const xs = [...new Set(points.map(([value]) => value))].sort((a, b) => a - b);
  const positive = xs.filter((value) => value > 0);
  const log = positive.length > 1 && positive.at(-1) / positive[0] > 20;
  // Zero has no logarithm: it stands where a tenth of the next value would.
  const place = (value) => (log ? Math.log10(value > 0 ? value : positive[0] / 10) : value);
  const [x0, x1] = [place(xs[0]), place(xs.at(-1))];
  const top = niceTop(Math.max(...points.map(([, value]) => value)));
  const px = (value) => PAD.left + (x1 === x0 ? 0.5 : (place(value) - x0) / (x1 - x0)) * (WIDTH - PAD.left - PAD.right);
  const py = (value) => HEIGHT - PAD.bottom - (value / top) * (HEIGHT - PAD.top - PAD.bottom);
  const parts = [];
  for (let i = 0; i <= 4; i++) {
    const value = (top * i) / 4;
    parts.push(
      `<line class="grid" x1="${PAD.left}" x2="${WIDTH - PAD.right}" y1="${round(py(value))}" y2="${round(py(value))}"/>`,
    );
    parts.push(text(PAD.left - 6, py(value) + 4, number(value), 'class="small" text-anchor="end"'));
  }
  for (const value of xs) parts.push(text(px(value), HEIGHT - 22, number(value), 'class="small" text-anchor="middle"'));
  parts.push(text((WIDTH + PAD.left) / 2, HEIGHT - 5, x, 'class="small" text-anchor="middle"'));
  for (const [i, system] of systems.entries()) {
    const own = lines[system] ?? [];
    parts.push(
      `<polyline class="l${i}" points="${own.map(([a, b]) => `${round(px(a))},${round(py(b))}`).join(" ")}"/>`,
    );
    for (const [a, b] of own) {
      const title = `<title>${escapeHtml(`${system}: ${number(b)} ${unit} at ${number(a)} ${x}`)}</title>`;
      parts.push(`<circle class="s${i}" cx="${round(px(a))}" cy="${round(py(b))}" r="3.5">${title}</circle>`);
    }
  }
  return svg(HEIGHT, `${name}, ${unit}, by ${x}`, parts) + legend(systems);
}

/** The next of 1, 2, 2.5, 5, 10 times a power of ten. */
function niceTop(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}

function svg(height, label, parts) {
  const size = `viewBox="0 0 ${WIDTH} ${round(height)}" width="${WIDTH}" height="${round(height)}"`;
  return `<svg ${size} role="img" aria-label="${escapeHtml(label)}">${parts.join("")}</svg>`;
}

function legend(systems) {
  if (systems.length < 2) return "";
  const items = systems.map((system, i) => `<span><i class="k${i}"></i>${escapeHtml(system)}</span>`);
  return `<p class="legend">${items.join(" ")}</p>`;
}
