import {StrataError} from "@strata/base";
import {goQuote} from "@strata/model";

/** How names of OTLP become names of Prometheus. */
export type Naming = {
  /** Names stay as they are; else what is no letter, digit or colon becomes an underscore. */
  readonly utf8: boolean;
  /** Unit and type are added to names of metrics. */
  readonly suffixes: boolean;
};

export type MetricType = "counter" | "gauge" | "other";

const UNITS: Readonly<Record<string, string>> = {
  d: "days",
  h: "hours",
  min: "minutes",
  s: "seconds",
  ms: "milliseconds",
  us: "microseconds",
  ns: "nanoseconds",
  By: "bytes",
  KiBy: "kibibytes",
  MiBy: "mebibytes",
  GiBy: "gibibytes",
  TiBy: "tibibytes",
  KBy: "kilobytes",
  MBy: "megabytes",
  GBy: "gigabytes",
  TBy: "terabytes",
  m: "meters",
  V: "volts",
  A: "amperes",
  J: "joules",
  W: "watts",
  g: "grams",
  Cel: "celsius",
  Hz: "hertz",
  "1": "",
  "%": "percent",
};

const PER_UNITS: Readonly<Record<string, string>> = {
  s: "second",
  m: "minute",
  h: "hour",
  d: "day",
  w: "week",
  mo: "month",
  y: "year",
};

/** The name of a metric. Throws `bad_data` when nothing is left of it. */
export function metricName(name: string, unit: string, type: MetricType, naming: Naming): string {
  const built = naming.utf8 ? utf8Name(name, unit, type, naming) : plainName(name, unit, type, naming);
  if (built === "") throw bad(`normalization for metric ${goQuote(name)} resulted in empty name`);
  if (built !== name && /^_+$/.test(built)) {
    throw bad(`normalization for metric ${goQuote(name)} resulted in invalid name ${goQuote(built)}`);
  }
  return built;
}

function plainName(name: string, unit: string, type: MetricType, {suffixes}: Naming): string {
  let tokens = name.split(suffixes ? /[^a-zA-Z0-9:]+/ : /[^a-zA-Z0-9:_]+/).filter((token) => token !== "");
  if (suffixes) {
    const {main, per} = unitWords(unit);
    tokens = withUnits(tokens, cleanUnit(main), per === "" ? "" : cleanUnit(`per_${per}`));
    if (type === "counter") tokens = [...tokens.filter((token) => token !== "total"), "total"];
    if (unit === "1" && type === "gauge") tokens = [...tokens.filter((token) => token !== "ratio"), "ratio"];
  }
  const joined = tokens.join("_");
  return /^[0-9]/.test(joined) ? `_${joined}` : joined;
}

function withUnits(tokens: readonly string[], main: string, per: string): string[] {
  const out = [...tokens];
  const perWord = per === "per_" ? "" : per.replace(/_$/, "");
  const mainWord = perWord === "" ? main : main.replace(/_$/, "");
  if (mainWord !== "" && !tokens.includes(mainWord)) out.push(mainWord);
  if (perWord !== "" && !tokens.includes(perWord)) out.push(perWord);
  return out;
}

function utf8Name(name: string, unit: string, type: MetricType, {suffixes}: Naming): string {
  if (!suffixes) return name;
  const {main, per} = unitWords(unit);
  const ends: string[] = [];
  let base = name;
  if (unit === "1" && type === "gauge") {
    base = trimmed(base, "ratio");
    ends.unshift("ratio");
  }
  if (type === "counter") {
    base = trimmed(base, "total");
    ends.unshift("total");
  }
  if (per !== "") {
    base = trimmed(base, `per_${per}`);
    ends.unshift(`per_${per}`);
  }
  if (main !== "" && !base.endsWith(main)) base += `_${main}`;
  return [base, ...ends].join("_");
}

/** Without a suffix and the underscore before it. */
const trimmed = (name: string, suffix: string): string =>
  name.endsWith(`_${suffix}`) ? name.slice(0, -suffix.length - 1) : name;

/** The words of a unit such as `By/s`; annotations in braces are none. */
function unitWords(unit: string): {main: string; per: string} {
  const at = unit.indexOf("/");
  const main = (at < 0 ? unit : unit.slice(0, at)).trim();
  const per = at < 0 ? "" : unit.slice(at + 1).trim();
  const isWord = (text: string): boolean => text !== "" && !/[{}]/.test(text);
  return {
    main: isWord(main) ? (UNITS[main] ?? main) : "",
    per: isWord(per) ? (PER_UNITS[per] ?? per) : "",
  };
}

const cleanUnit = (unit: string): string =>
  unit
    .replace(/[^a-zA-Z0-9_]/g, "_")
    .replace(/__+/g, "_")
    .replace(/^_/, "");

/** The name of a label. Throws `bad_data` when nothing is left of it. */
export function labelName(name: string, {utf8}: Naming): string {
  if (name === "") throw bad("label name is empty");
  if (utf8) {
    if (/^_+$/.test(name)) throw bad(`label name ${goQuote(name)} contains only underscores`);
    return name;
  }
  let built = sanitized(name);
  if (/^[0-9]/.test(built)) built = `key_${built}`;
  if (/^_+$/.test(built)) {
    throw bad(`normalization for label name ${goQuote(name)} resulted in invalid name ${goQuote(built)}`);
  }
  return built;
}

/** Names of the system's own (`__a__`) keep their underscores. */
function sanitized(name: string): string {
  if (name.length > 4 && name.startsWith("__") && name.endsWith("__")) {
    return `__${name.slice(2, -2).replace(/[^a-zA-Z0-9]+/g, "_")}__`;
  }
  return name.replace(/[^a-zA-Z0-9]+/gu, "_");
}

const bad = (problem: string): StrataError => new StrataError("bad_data", problem);
