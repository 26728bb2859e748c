import {StrataError} from "@strata/base";
import {compareUtf8, formatRfc3339, goQuote} from "@strata/model";
import type {BlockMeta} from "@strata/tsdb";

type Value = string | number | boolean | readonly Value[] | {readonly [name: string]: Value};

/** Marks objects that the original prints as a map. */
const MAPS = new Set(["Labels"]);

/**
 * A line made of a template over a block's meta, with the names that Go programs use: `{{.ULID}} {{.Stats.NumSeries}}`.
 * Only fields are known, no functions or conditions. Throws `bad_data`.
 */
export function metaTemplate(template: string): (meta: BlockMeta) => string {
  const parts: (string | readonly string[])[] = [];
  let at = 0;
  for (const action of template.matchAll(/\{\{-?\s*(.*?)\s*-?\}\}/gs)) {
    const path = action[1] as string;
    if (!/^(\.[A-Za-z]+)+$/.test(path) || action[0].includes("{{-") || action[0].includes("-}}")) {
      throw bad(`${goQuote(action[0])} is not a field, such as {{.ULID}} or {{.Stats.NumSeries}}`);
    }
    parts.push(template.slice(at, action.index), path.slice(1).split("."));
    at = action.index + action[0].length;
  }
  const rest = template.slice(at);
  if (rest.includes("{{")) throw bad(`${goQuote(rest)} does not end with }}`);
  parts.push(rest);
  return (meta) => {
    const fields = metaFields(meta);
    return parts.map((part) => (typeof part === "string" ? part : textOf(fieldOf(fields, part)))).join("");
  };
}

const bad = (what: string): StrataError => new StrataError("bad_data", `cannot use the template of --output: ${what}`);

function fieldOf(fields: Value, path: readonly string[]): Value {
  let value = fields;
  path.forEach((name, i) => {
    const isObject = typeof value === "object" && !Array.isArray(value);
    const next = isObject && Object.hasOwn(value as object, name) ? (value as {[n: string]: Value})[name] : undefined;
    // A label that a block does not have is no mistake.
    if (next === undefined && MAPS.has(path[i - 1] ?? "")) value = "<no value>";
    else if (next === undefined) throw bad(`a block has no field .${path.slice(0, i + 1).join(".")}`);
    else value = next;
  });
  return value;
}

/** As Go prints values of its own accord. */
function textOf(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => compareUtf8(a, b));
  return `map[${entries.map(([name, v]) => `${name}:${textOf(v)}`).join(" ")}]`;
}

const metaFields = ({ulid, minTime, maxTime, version, stats, compaction, thanos}: BlockMeta): Value => ({
  ULID: ulid,
  MinTime: minTime,
  MaxTime: maxTime,
  Version: version,
  Stats: {
    NumSamples: stats.numSamples,
    NumFloatSamples: stats.numFloatSamples,
    NumHistogramSamples: stats.numHistogramSamples,
    NumSeries: stats.numSeries,
    NumChunks: stats.numChunks,
    NumTombstones: stats.numTombstones,
  },
  Compaction: {
    Level: compaction.level,
    Sources: compaction.sources,
    Deletable: compaction.deletable,
    Failed: compaction.failed,
    Hints: compaction.hints,
  },
  Thanos: {
    Version: thanos?.version ?? 0,
    Labels: thanos?.labels ?? {},
    Downsample: {Resolution: thanos?.resolution ?? 0},
    Source: thanos?.source ?? "",
    SegmentFiles: thanos?.segmentFiles ?? [],
    UploadTime: thanos?.uploadTime ?? formatRfc3339(0),
  },
});
