import {goFloat} from "./go-float.ts";
import type {MetricFamily, MetricSample, Registry} from "./metric-types.ts";

const TEXT = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS = (version: string): string => `application/openmetrics-text; version=${version}; charset=utf-8`;

export type ExpositionFormat = {readonly contentType: string; readonly openMetrics: boolean};

/**
 * What a scraper asked for in its `Accept` header: OpenMetrics 1.0.0 or 0.0.1 when it names one of them with at least
 * the quality of plain text, else text 0.0.4.
 */
export function negotiate(accept: string | undefined): ExpositionFormat {
  let best: ExpositionFormat = {contentType: TEXT, openMetrics: false};
  let bestQuality = -1;
  for (const part of (accept ?? "").split(",")) {
    const [type = "", ...params] = part.split(";").map((s) => s.trim().toLowerCase());
    const param = (name: string): string | undefined =>
      params.find((p) => p.startsWith(`${name}=`))?.slice(name.length + 1);
    const quality = Number(param("q") ?? "1");
    if (!(quality > bestQuality)) continue;
    if (type === "application/openmetrics-text") {
      const version = param("version") ?? "0.0.1";
      if (version !== "1.0.0" && version !== "0.0.1") continue;
      best = {contentType: OPEN_METRICS(version), openMetrics: true};
    } else if (type === "text/plain" || type === "*/*" || type === "text/*") {
      best = {contentType: TEXT, openMetrics: false};
    } else {
      continue;
    }
    bestQuality = quality;
  }
  return best;
}

/** The page of `/metrics` in the given format. */
export async function exposition(registry: Registry, format: ExpositionFormat): Promise<string> {
  const families = await registry.gather();
  return format.openMetrics ? openMetricsText(families) : plainText(families);
}

/** Text format 0.0.4. Families without series are left out. */
export function plainText(families: readonly MetricFamily[]): string {
  let out = "";
  for (const family of families) {
    if (family.samples.length === 0) continue;
    out += `# HELP ${family.name} ${escapeHelp(family.help)}\n# TYPE ${family.name} ${family.kind}\n`;
    for (const sample of family.samples)
      out += `${sample.name}${labelText(sample, goFloat)} ${goFloat(sample.value)}\n`;
  }
  return out;
}

/** OpenMetrics text: counters' families are named without `_total`, and the page ends with `# EOF`. */
export function openMetricsText(families: readonly MetricFamily[]): string {
  let out = "";
  for (const family of families) {
    if (family.samples.length === 0) continue;
    const counter = family.kind === "counter";
    const base = counter && family.name.endsWith("_total") ? family.name.slice(0, -"_total".length) : family.name;
    out += `# HELP ${base} ${escapeValue(family.help)}\n# TYPE ${base} ${family.kind}\n`;
    for (const sample of family.samples) {
      const name = counter ? `${base}_total` : sample.name;
      out += `${name}${labelText(sample, canonicalFloat)} ${canonicalFloat(sample.value)}\n`;
    }
  }
  return `${out}# EOF\n`;
}

/** OpenMetrics wants numbers that always look like floats: `1.0`, not `1`. */
function canonicalFloat(value: number): string {
  const text = goFloat(value);
  return /^-?[0-9]+$/.test(text) ? `${text}.0` : text;
}

function labelText(sample: MetricSample, float: (value: number) => string): string {
  if (sample.labels.length === 0) return "";
  const parts = sample.labels.map(([name, value]) => {
    // The bounds and ranks are numbers that the client library turned into text; print them as Go does.
    const text = name === "le" || name === "quantile" ? float(parseBound(value)) : value;
    return `${name}="${escapeValue(text)}"`;
  });
  return `{${parts.join(",")}}`;
}

const parseBound = (text: string): number => (text === "+Inf" ? Number.POSITIVE_INFINITY : Number(text));

const escapeHelp = (text: string): string => text.replace(/\\/g, "\\\\").replace(/\n/g, "\\n");
const escapeValue = (text: string): string => escapeHelp(text).replace(/"/g, '\\"');
