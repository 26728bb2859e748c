import {type FloatHistogram, histogramText} from "@strata/engine";
import {formatGoDuration} from "@strata/model";
import {goFloat} from "@strata/telemetry";

/** What a literal in a template may be: an int is a bigint, a float64 a number. */
export type Constant = boolean | bigint | number | string;

/** A map[string]string, or a map[string]any where `any` is set. */
export class GoMap {
  readonly entries: ReadonlyMap<string, Value>;
  readonly any: boolean;

  constructor(entries: ReadonlyMap<string, Value>, any = false) {
    this.entries = entries;
    this.any = any;
  }
}

/** A native histogram as a template sees it. */
export class GoHistogram {
  readonly histogram: FloatHistogram;

  constructor(histogram: FloatHistogram) {
    this.histogram = histogram;
  }
}

/** One element of what `query` gives. */
export class GoSample {
  readonly labels: GoMap;
  readonly value: number | GoHistogram;

  constructor(labels: GoMap, value: number | GoHistogram) {
    this.labels = labels;
    this.value = value;
  }
}

/** A time.Time in UTC, ms since the epoch. */
export class GoTime {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }
}

/** A time.Duration in nanoseconds. */
export class GoDuration {
  readonly nanos: number;

  constructor(nanos: number) {
    this.nanos = nanos;
  }

  get seconds(): number {
    return this.nanos / 1e9;
  }
}

/** A struct of Go: fields by name, among which methods without arguments are, too. */
export class GoStruct {
  /** The name of its type, for error texts. */
  readonly type: string;
  readonly fields: ReadonlyMap<string, Value>;
  /** How it is printed. */
  readonly text: string;

  constructor(type: string, fields: Readonly<Record<string, Value>>, text?: string) {
    this.type = type;
    this.fields = new Map(Object.entries(fields));
    this.text = text ?? `{${[...this.fields.values()].map(printed).join(" ")}}`;
  }
}

/** What the template of a rule is executed with. */
export class TemplateData {
  readonly labels: GoMap;
  readonly externalLabels: GoMap;
  readonly externalUrl: string;
  readonly value: number | GoHistogram;

  constructor(labels: GoMap, externalLabels: GoMap, externalUrl: string, value: number | GoHistogram) {
    this.labels = labels;
    this.externalLabels = externalLabels;
    this.externalUrl = externalUrl;
    this.value = value;
  }
}

/** Anything a template computes with; undefined is Go's missing value. */
export type Value =
  | undefined
  | Constant
  | GoMap
  | GoHistogram
  | GoSample
  | GoTime
  | GoDuration
  | GoStruct
  | TemplateData
  | readonly Value[];

/** The name of a value's Go type, for error texts. */
export function typeName(v: Value): string {
  if (v === undefined) return "<nil>";
  if (typeof v === "boolean") return "bool";
  if (typeof v === "bigint") return "int";
  if (typeof v === "number") return "float64";
  if (typeof v === "string") return "string";
  if (v instanceof GoMap) return v.any ? "map[string]interface {}" : "map[string]string";
  if (v instanceof GoHistogram) return "*histogram.FloatHistogram";
  if (v instanceof GoSample) return "*template.sample";
  if (v instanceof GoTime) return "*time.Time";
  if (v instanceof GoDuration) return "*time.Duration";
  if (v instanceof GoStruct) return v.type;
  if (v instanceof TemplateData) {
    return "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }";
  }
  return "template.queryResult";
}

/** Go's idea of a true value. */
export function truth(v: Value): boolean {
  if (v === undefined || v === 0n || v === 0 || v === "") return false;
  if (typeof v === "boolean") return v;
  if (typeof v !== "object") return true;
  if (v instanceof GoMap) return v.entries.size > 0;
  return Array.isArray(v) ? v.length > 0 : true;
}

/** A value as `%v` prints it. */
export function printed(v: Value): string {
  if (v === undefined) return "<no value>";
  if (typeof v === "number") return goFloat(v);
  if (typeof v !== "object") return String(v);
  if (v instanceof GoMap) {
    const keys = [...v.entries.keys()].sort();
    return `map[${keys.map((key) => `${key}:${printed(v.entries.get(key))}`).join(" ")}]`;
  }
  if (v instanceof GoHistogram) return histogramText(v.histogram);
  if (v instanceof GoSample) return `{${printed(v.labels)} ${printed(v.value)}}`;
  if (v instanceof GoTime) return timeText(v.ms);
  if (v instanceof GoDuration) return formatGoDuration(v.nanos / 1e6);
  if (v instanceof GoStruct) return v.text;
  if (v instanceof TemplateData) {
    return `{${printed(v.labels)} ${printed(v.externalLabels)} ${v.externalUrl} ${printed(v.value)}}`;
  }
  return `[${v.map(printed).join(" ")}]`;
}

/** `2015-06-23 13:19:44.128 +0000 UTC`: how Go prints a time in UTC. */
export function timeText(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return String(ms);
  return `${date
    .toISOString()
    .replace("T", " ")
    .replace(/\.?0*Z$/, "")} +0000 UTC`;
}
