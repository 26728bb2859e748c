import {CUSTOM_SCHEMA, type FloatHistogram, type QueryResult} from "@strata/engine";
import {compareLabels, compareUtf8, type Labels, METRIC_NAME} from "@strata/model";
import {goFloat} from "@strata/telemetry";
import type {NameEscaping} from "@strata/web";

/** What one selector came to: the series that are not stale, and all samples within the lookback. */
export type LatestParts = {readonly current: QueryResult; readonly recent: QueryResult};

type Latest = {readonly labels: Labels; readonly t: number; readonly value: number | FloatHistogram};

const PIECE_CHARS = 1 << 16;

/**
 * The newest sample of every series, with its time, in Prometheus' text format: sorted by name, each series once.
 * Native histograms cannot be said in it and are left out; those with custom buckets become classic ones.
 */
export function* federateText(parts: readonly LatestParts[], escaping: NameEscaping): Generator<Uint8Array> {
  const latest = new Map<string, Latest>();
  for (const part of parts) for (const one of latestOf(part)) latest.set(one.labels.toString(), one);
  const sorted = [...latest.values()].sort(
    (a, b) => compareUtf8(a.labels.get(METRIC_NAME), b.labels.get(METRIC_NAME)) || compareLabels(a.labels, b.labels),
  );
  let text = "";
  let family = "";
  for (const {labels, t, value} of sorted) {
    const name = labels.get(METRIC_NAME);
    const isFloat = typeof value === "number";
    // A series without a name is none for the format.
    if (name === "" || (!isFloat && value.schema !== CUSTOM_SCHEMA)) continue;
    const escaped = escapeName(name, escaping);
    const type = isFloat ? "untyped" : "histogram";
    const head = `# TYPE ${isPlainName(escaped) ? escaped : quoted(escaped)} ${type}\n`;
    if (head !== family) text += head;
    family = head;
    const pairs = labelPairs(labels, escaping);
    text += isFloat ? line(escaped, pairs, value, t) : classicHistogram(escaped, pairs, value, t);
    if (text.length < PIECE_CHARS) continue;
    yield Buffer.from(text);
    text = "";
  }
  yield Buffer.from(text);
}

/** The newest sample of each series that is not stale. */
function* latestOf({current, recent}: LatestParts): Generator<Latest> {
  const alive = new Set(current.labels.map(String));
  for (const [s, labels] of recent.labels.entries()) {
    if (!alive.has(labels.toString())) continue;
    const [from, to] = [recent.firstPoint[s]!, recent.firstPoint[s + 1]!];
    let last = from;
    for (let p = from; p < to; p++) if (recent.times[p]! >= recent.times[last]!) last = p;
    if (from === to) continue;
    yield {labels, t: recent.times[last]!, value: recent.histograms?.get(last) ?? recent.values[last]!};
  }
}

/** `name="value"` of all labels but the name. Compat: an empty instance where there is none keeps the scraper's away. */
function labelPairs(labels: Labels, escaping: NameEscaping): readonly string[] {
  const pairs = [...labels]
    .filter(([name]) => name !== METRIC_NAME)
    .map(([name, value]) => labelPair(escapeName(name, escaping), value));
  return labels.has("instance") ? pairs : [...pairs, 'instance=""'];
}

function labelPair(name: string, value: string): string {
  return `${/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : quoted(name)}=${quoted(value)}`;
}

const quoted = (text: string): string => `"${text.replace(/\\/g, "\\\\").replace(/\n/g, "\\n").replace(/"/g, '\\"')}"`;

function line(name: string, pairs: readonly string[], value: number, t: number): string {
  if (isPlainName(name)) return `${name}{${pairs.join(",")}} ${goFloat(value)} ${t}\n`;
  return `{${[quoted(name), ...pairs].join(",")}} ${goFloat(value)} ${t}\n`;
}

function classicHistogram(name: string, pairs: readonly string[], h: FloatHistogram, t: number): string {
  let out = "";
  let sum = 0;
  for (const [i, bound] of h.custom.entries()) {
    const at = h.pi.indexOf(i);
    sum += at < 0 ? 0 : h.pv[at]!;
    out += line(`${name}_bucket`, [...pairs, `le="${goFloat(bound)}"`], sum, t);
  }
  out += line(`${name}_bucket`, [...pairs, 'le="+Inf"'], h.count, t);
  return `${out}${line(`${name}_sum`, pairs, h.sum, t)}${line(`${name}_count`, pairs, h.count, t)}`;
}

const isPlainName = (name: string): boolean => /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name);

/** A name as older scrapers take it. */
export function escapeName(name: string, escaping: NameEscaping): string {
  if (escaping === "allow-utf-8" || (escaping !== "dots" && isPlainName(name))) return name;
  let out = escaping === "values" ? "U__" : "";
  let first = true;
  for (const char of name) {
    const plain = (first ? /[a-zA-Z_:]/ : /[a-zA-Z0-9_:]/).test(char);
    first = false;
    if (escaping === "underscores") out += plain ? char : "_";
    else if (char === "_") out += "__";
    else if (plain) out += char;
    else if (escaping === "values") out += `_${(char.codePointAt(0) as number).toString(16)}_`;
    else out += char === "." ? "_dot_" : "__";
  }
  return out;
}
