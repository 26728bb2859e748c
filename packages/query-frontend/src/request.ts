import {StrataError} from "@strata/base";
import {type Matcher, matcherText, parsePrometheusDuration, parseRfc3339} from "@strata/model";
import {parseMatchParam} from "@strata/promql";

/** What all requests have in common once they are understood. Times are ms. */
export type Common = {
  /** As the client asked for it, prefix included. */
  readonly path: string;
  readonly partialResponse: boolean;
  /** Text of `storeMatch[]`, as it is sent on. */
  readonly storeMatch: readonly string[];
  /** `Cache-Control: no-store`. */
  readonly noStore: boolean;
  /** Sent with every request downstream. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whose cache is used. */
  readonly org: string;
};

type QueryCommon = Common & {
  readonly query: string;
  readonly dedup: boolean;
  readonly replicaLabels: readonly string[];
  readonly maxResolution: number;
  /** `max_source_resolution=auto`. */
  readonly autoResolution: boolean;
  /** JSON; "" for none. */
  readonly shardInfo: string;
  readonly lookbackMs: number;
  readonly analyze: boolean;
  readonly engine: string;
  readonly stats: string;
};

export type RangeRequest = QueryCommon & {
  readonly kind: "range";
  /** Both inclusive. */
  readonly start: number;
  readonly end: number;
  readonly step: number;
};

export type InstantRequest = QueryCommon & {
  readonly kind: "instant";
  /** undefined for now. */
  readonly time: number | undefined;
};

export type LabelsRequest = Common & {
  readonly kind: "labels";
  readonly op: "label_names" | "label_values" | "series";
  /** Of `label_values`; "" else. */
  readonly label: string;
  readonly start: number;
  readonly end: number;
  readonly matchers: readonly (readonly Matcher[])[];
  /** Of `series` only. */
  readonly dedup: boolean;
  readonly replicaLabels: readonly string[];
};

/** What a request may leave out. */
export type RequestDefaults = {
  readonly partialResponse: boolean;
  /** `--labels.default-time-range`, ms. */
  readonly timeRangeMs: number;
  readonly now: number;
};

/** Most steps between start and end. */
const MOST_STEPS = 11_000;
/** Automatic resolution leaves at least so many samples to a step. */
const SAMPLES_PER_STEP = 5;

const bad = (message: string): StrataError => new StrataError("bad_data", message);

/** A range query. Compat: texts of errors, and the order in which parameters are judged, are the original's. */
export function rangeRequest(form: URLSearchParams, common: Common, defaults: RequestDefaults): RangeRequest {
  const start = parseTime(form.get("start") ?? "");
  const end = parseTime(form.get("end") ?? "");
  if (end < start) throw bad("end timestamp must not be before start time");
  const step = parseDuration(form.get("step") ?? "");
  if (step <= 0) {
    throw bad("zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  if (Math.trunc((end - start) / step) > MOST_STEPS) {
    throw bad(
      "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
    );
  }
  return {kind: "range", ...queryParams(form, common, defaults, step), start, end, step};
}

export function instantRequest(form: URLSearchParams, common: Common, defaults: RequestDefaults): InstantRequest {
  const text = form.get("time") ?? "";
  const time = text === "" ? undefined : parseTime(text);
  return {
    kind: "instant",
    ...queryParams(form, common, defaults, 0),
    time: time !== undefined && time > 0 ? time : undefined,
  };
}

export function labelsRequest(
  form: URLSearchParams,
  common: Common,
  op: LabelsRequest["op"],
  label: string,
  defaults: RequestDefaults,
): LabelsRequest {
  const time = (name: string, fallback: number): number => {
    const text = form.get(name) ?? "";
    return text === "" ? fallback : parseTime(text);
  };
  const start = time("start", defaults.now - defaults.timeRangeMs);
  const end = time("end", defaults.now);
  return {
    kind: "labels",
    ...common,
    op,
    label,
    start,
    end,
    partialResponse: bool(form, "partial_response", defaults.partialResponse),
    storeMatch: matchersOf(form, "storeMatch[]").map(selectorText),
    matchers: matchersOf(form, "match[]"),
    dedup: op !== "series" || bool(form, "dedup", true),
    replicaLabels: op === "series" ? form.getAll("replicaLabels[]") : [],
  };
}

function queryParams(form: URLSearchParams, common: Common, defaults: RequestDefaults, step: number): QueryCommon {
  const dedup = bool(form, "dedup", true);
  const partialResponse = bool(form, "partial_response", defaults.partialResponse);
  const text = form.get("max_source_resolution") ?? "";
  const autoResolution = text === "auto";
  const maxResolution = autoResolution ? step / SAMPLES_PER_STEP : resolutionOf(text);
  const lookback = form.get("lookback_delta") ?? "";
  return {
    ...common,
    query: form.get("query") ?? "",
    dedup,
    partialResponse,
    maxResolution,
    autoResolution,
    replicaLabels: form.getAll("replicaLabels[]"),
    storeMatch: matchersOf(form, "storeMatch[]").map(selectorText),
    shardInfo: form.get("shard_info") ?? "",
    lookbackMs: lookback === "" ? 0 : parseDuration(lookback),
    analyze: bool(form, "analyze", false),
    engine: form.get("engine") ?? "",
    stats: form.get("stats") ?? "",
  };
}

function resolutionOf(text: string): number {
  if (text === "") return 0;
  let resolution: number;
  try {
    resolution = parseDuration(text);
  } catch (cause) {
    throw new StrataError("bad_data", "cannot parse parameter max_source_resolution", {cause});
  }
  if (resolution < 0) throw bad("negative max_source_resolution is not accepted. Try a positive integer");
  return resolution;
}

function matchersOf(form: URLSearchParams, name: string): readonly (readonly Matcher[])[] {
  try {
    return form.getAll(name).map(parseMatchParam);
  } catch (cause) {
    throw new StrataError("bad_data", `cannot parse parameter ${name}`, {cause});
  }
}

/** A selector as it is sent on: `{job="node", __name__="up"}`. */
export const selectorText = (matchers: readonly Matcher[]): string => `{${matchers.map(matcherText).join(", ")}}`;

function bool(form: URLSearchParams, name: string, fallback: boolean): boolean {
  const text = form.get(name) ?? "";
  if (text === "") return fallback;
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(text)) return false;
  throw bad(`cannot parse parameter ${name}`);
}

/** Unix seconds with a fraction, or RFC 3339; ms. */
function parseTime(text: string): number {
  const t = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Math.round(Number(text) * 1000) : parseRfc3339(text);
  if (t === undefined || !Number.isSafeInteger(t)) {
    throw bad(`cannot parse ${JSON.stringify(text)} to a valid timestamp`);
  }
  return t;
}

/** Seconds with a fraction, or a Prometheus duration; whole ms. */
function parseDuration(text: string): number {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) {
    const ms = Math.trunc(Number(text) * 1000);
    if (Number.isSafeInteger(ms)) return ms;
    throw bad(`cannot parse ${JSON.stringify(text)} to a valid duration. It overflows int64`);
  }
  try {
    return parsePrometheusDuration(text);
  } catch (cause) {
    throw new StrataError("bad_data", `cannot parse ${JSON.stringify(text)} to a valid duration`, {cause});
  }
}
