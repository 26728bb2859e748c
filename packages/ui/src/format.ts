/** One label set as the API gives it. */
export type Metric = Readonly<Record<string, string>>;

/** `up{job="api", instance="a:1"}`; `{}` for no labels at all. Labels in alphabetical order. */
export function formatMetric(metric: Metric): string {
  const {__name__: name = "", ...labels} = metric;
  const parts = Object.keys(labels)
    .sort()
    .map((label) => `${labelName(label)}=${JSON.stringify(labels[label])}`);
  const plain = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name);
  if (name !== "" && !plain) parts.unshift(JSON.stringify(name));
  const shown = plain ? name : "";
  return parts.length === 0 && shown !== "" ? shown : `${shown}{${parts.join(", ")}}`;
}

const labelName = (label: string): string => (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) ? label : JSON.stringify(label));

const SUFFIXES: readonly (readonly [number, string])[] = [
  [1e24, "Y"],
  [1e21, "Z"],
  [1e18, "E"],
  [1e15, "P"],
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
  [1, ""],
  [1e-3, "m"],
  [1e-6, "µ"],
  [1e-9, "n"],
];

/** A value for reading along the graph: at most six significant digits, exponents outside 10⁻⁴ … 10⁹. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "−Inf";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return minus(value.toExponential(4).replace(/\.?0+e/, "e"));
  return minus(String(Number(value.toPrecision(6))));
}

/**
 * A tick of a value axis: with the unit prefix that suits `value` and as many decimals as ticks `step` apart need to
 * differ. 1500 with step 500 is "1.5k".
 */
export function formatTick(value: number, step: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const [unit, suffix] = SUFFIXES.find(([least]) => size >= least) ?? [0, ""];
  if (unit === 0) return minus(value.toExponential(1));
  const decimals = decimalsOf(step / unit);
  return minus(trimZeros((value / unit).toFixed(decimals))) + suffix;
}

/** How many decimals `step` has, up to six. */
function decimalsOf(step: number): number {
  let decimals = 0;
  for (let x = step; decimals < 6 && Math.abs(x - Math.round(x)) > 1e-8; x *= 10) decimals++;
  return decimals;
}

const trimZeros = (text: string): string => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
const minus = (text: string): string => text.replace(/^-/, "−");

/** 1,430 */
export const formatCount = (n: number): string => n.toLocaleString("en-US");

/** "1 series", "2 samples": the word with its number. */
export const counted = (n: number, one: string, many: string): string => `${formatCount(n)} ${n === 1 ? one : many}`;

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** "512 B", "1.5 MiB": three significant digits. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let size = bytes;
  while (size >= 1024 && unit < BYTE_UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${Number(size.toPrecision(3))} ${BYTE_UNITS[unit]}`;
}

/** A load time: "84 ms", "1.24 s". */
export const formatElapsed = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;

const UNITS: readonly (readonly [string, number])[] = [
  ["y", 365 * 86_400],
  ["w", 7 * 86_400],
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
];

/** Seconds of a duration such as `1h30m`, `90s`, `2d` or a plain number of seconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed);
  if (!/^(\d+(ms|[ywdhms]))+$/.test(trimmed)) return undefined;
  let seconds = 0;
  for (const [, digits, unit] of trimmed.matchAll(/(\d+)(ms|[ywdhms])/g)) {
    seconds += unit === "ms" ? Number(digits) / 1000 : Number(digits) * (UNITS.find(([u]) => u === unit)?.[1] ?? 0);
  }
  return seconds;
}

/** `5400` as `1h30m`; years and weeks only where they come out even. */
export function formatDuration(seconds: number): string {
  if (seconds > 0 && seconds < 1) return `${Math.round(seconds * 1000)}ms`;
  let rest = Math.round(seconds);
  let out = "";
  for (const [unit, size] of UNITS) {
    if ((unit === "y" || unit === "w") && rest % size !== 0) continue;
    const count = Math.floor(rest / size);
    if (count > 0) out += `${count}${unit}`;
    rest -= count * size;
  }
  return out === "" ? "0s" : out;
}

const two = (n: number): string => String(n).padStart(2, "0");

/** A time on this machine's clock: `2024-03-01 14:05:09`. */
export function formatTime(seconds: number): string {
  const d = new Date(seconds * 1000);
  const day = `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  return `${day} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** How long ago, or ahead, in one unit: "12 s ago", "3 d ago", "now". */
export function formatAgo(seconds: number): string {
  const size = Math.abs(seconds);
  if (size < 1) return "now";
  const [unit, length] =
    size < 60 ? ["s", 1] : size < 3600 ? ["min", 60] : size < 172_800 ? ["h", 3600] : ["d", 86_400];
  const text = `${Math.floor(size / (length as number))} ${unit}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}
