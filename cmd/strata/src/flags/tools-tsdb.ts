import {StrataError} from "@strata/base";
import {goQuote, parseRfc3339} from "@strata/model";
import {bool, dur, type Flag, type FlagOptions, type FlagTable, godur, oneOf, path, text, uint, url} from "./spec.ts";
import type {FlagType} from "./types.ts";

const MIN_TIME = "-9223372036854775808";
const MAX_TIME = "9223372036854775807";

/** A time in ms; what lies beyond the whole numbers of a double means from the beginning, or to the end, of time. */
const millisType: FlagType<number> = {
  placeholder: "MS",
  parse(value) {
    if (!/^[+-]?[0-9]{1,19}$/.test(value)) throw new StrataError("bad_data", `${goQuote(value)} is not a time in ms`);
    return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(value)));
  },
  format: String,
};

/** RFC 3339 or seconds since 1970, in ms; undefined when not given. */
const instantType: FlagType<number | undefined> = {
  placeholder: "TIME",
  parse(value) {
    if (value === "") return undefined;
    if (/^-?[0-9]+(\.[0-9]+)?$/.test(value)) return Math.round(Number(value) * 1000);
    const t = parseRfc3339(value);
    if (t === undefined) {
      throw new StrataError("bad_data", `${goQuote(value)} is neither RFC 3339 nor a number of seconds since 1970`);
    }
    return t;
  },
  format: (value) => (value === undefined ? "" : new Date(value).toISOString()),
};

function flag<T>(type: FlagType<T>, options: FlagOptions): Flag<T> {
  return {...options, type: type as FlagType<unknown>, kind: "one"};
}

const humanReadable = bool({short: "r", help: "Print times and sizes for people."});

export const tsdbListFlags = {"human-readable": humanReadable} satisfies FlagTable;

export const tsdbAnalyzeFlags = {
  limit: uint({default: "20", help: "Entries shown in each list."}),
  extended: bool({help: "Read the chunks, too, and show how full they are."}),
} satisfies FlagTable;

const sandboxFlags = {
  "sandbox-dir-root": path({
    default: "",
    help: "Where the head is opened in a copy, so that the directory stays as it is; the system's temporary folder by default.",
  }),
} satisfies FlagTable;

const dumpRangeFlags = {
  "min-time": flag(millisType, {default: MIN_TIME, help: "Only samples from this time on, in ms."}),
  "max-time": flag(millisType, {default: MAX_TIME, help: "Only samples up to this time, in ms."}),
  match: text({default: "{__name__=~'(?s:.*)'}", help: "Only series that this selector matches."}),
  ...sandboxFlags,
} satisfies FlagTable;

export const tsdbDumpFlags = {
  ...dumpRangeFlags,
  format: oneOf(["prometheus", "golden"], {
    default: "prometheus",
    help: "prometheus prints the samples of a data directory, golden a block with its chunks as JSON, a series a line.",
  }),
} satisfies FlagTable;

export const tsdbDumpOpenMetricsFlags = dumpRangeFlags;

export const tsdbDumpWalFlags = {
  format: oneOf(["golden"], {default: "golden", help: "A series a line as JSON, samples of blocks and head merged."}),
  head: bool({help: "Only the in-order head, with its chunks."}),
  "out-of-order-cap": uint({default: "8", help: "Out-of-order samples of a series that the head puts in one chunk."}),
  ...sandboxFlags,
} satisfies FlagTable;

const createBlocksFlags = {
  "human-readable": humanReadable,
  quiet: bool({short: "q", help: "Do not list the blocks made."}),
  "max-block-duration": godur({default: "0s", hidden: true, help: "Longest span of a block; below 2h counts as 2h."}),
} satisfies FlagTable;

export const fromOpenMetricsFlags = createBlocksFlags;

export const fromRulesFlags = {
  ...createBlocksFlags,
  url: url({default: "http://localhost:9090", help: "Prometheus API that the rules are evaluated against."}),
  start: flag(instantType, {required: true, help: "First evaluation, RFC 3339 or seconds since 1970."}),
  end: flag(instantType, {default: "", help: "Last evaluation; three hours ago when left out."}),
  "output-dir": path({default: "data/", help: "Where the blocks go."}),
  "eval-interval": dur({default: "60s", help: "Time between evaluations for groups that do not say."}),
} satisfies FlagTable;

export const benchWriteFlags = {
  out: path({default: "benchout", help: "Directory for the blocks that the benchmark writes."}),
  metrics: uint({default: "10000", help: "Number of series."}),
  scrapes: uint({default: "3000", help: "Samples of each series, 15 s apart."}),
} satisfies FlagTable;
