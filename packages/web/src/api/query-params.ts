import type {Matcher} from "@strata/model";
import {type ParseOptions, parseMatchParam} from "@strata/promql";
import type {Shard} from "@strata/series";
import {formatTraceparent} from "@strata/telemetry";
import type {HttpRequest} from "../http-types.ts";
import {resolveTenant, type TenantConfig} from "../tenant.ts";
import {
  badData,
  boolParam,
  durationParam,
  limitParam,
  metadataRange,
  parseDuration,
  parseTime,
  timeParam,
} from "./param-values.ts";
import type {InstantParams, MetadataParams, QueryParams, RangeParams, SeriesParams} from "./query-backend.ts";

/** What requests may leave out. Durations in ms. */
export type QueryDefaults = {
  readonly replicaLabels: readonly string[];
  readonly partialResponse: boolean;
  /** `--query.promql-engine`. */
  readonly engine: string;
  readonly autoDownsampling: boolean;
  /** `--query.instant.default.max_source_resolution`. */
  readonly instantResolution: number;
  /** `--query.default-step`. */
  readonly step: number;
  /** `--query.metadata.default-time-range`. */
  readonly metadataRange: number;
  /** undefined: the engine's own. */
  readonly lookbackDelta: number | undefined;
  readonly tenants: TenantConfig;
  /** What of the language is switched on. */
  readonly language: ParseOptions;
  /** ms since the epoch; replaced in tests. */
  readonly now: () => number;
};

/** Most steps between start and end. */
const MOST_STEPS = 11_000;
/** A query without a step gets one that makes so many. */
const DEFAULT_STEPS = 250;
/** Automatic resolution leaves at least so many samples to a step. */
const SAMPLES_PER_STEP = 5;

const ENGINES = ["prometheus", "thanos"];

/** Parameters of /query. Compat: they are judged in the original's order, which decides what error several give. */
export async function instantParams(request: HttpRequest, defaults: QueryDefaults): Promise<InstantParams> {
  const form = await request.form();
  const t = timeParam(form, "time", defaults.now());
  return {...commonParams(request, form, defaults, defaults.instantResolution), t};
}

/** Parameters of /query_range. */
export async function rangeParams(request: HttpRequest, defaults: QueryDefaults): Promise<RangeParams> {
  const form = await request.form();
  const start = parseTime(form.get("start") ?? "");
  const end = parseTime(form.get("end") ?? "");
  if (end < start) throw badData("end timestamp must not be before start time");
  const exact = stepParam(form, end - start, defaults.step);
  if (Math.floor((end - start) / exact) > MOST_STEPS) {
    throw badData(
      "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
    );
  }
  const step = Math.trunc(exact);
  if (step === 0) throw badData(ZERO_STEP);
  return {...commonParams(request, form, defaults, step / SAMPLES_PER_STEP), start, end, step};
}

function stepParam(form: URLSearchParams, rangeMs: number, defaultMs: number): number {
  const given = durationParam(form, "step");
  const step =
    given ?? Math.max(Math.floor(Math.floor(rangeMs / 1000) / DEFAULT_STEPS), Math.floor(defaultMs / 1000)) * 1000;
  if (!(step > 0)) throw badData(ZERO_STEP);
  return step;
}

const ZERO_STEP = "zero or negative query resolution step widths are not accepted. Try a positive integer";

function commonParams(
  request: HttpRequest,
  form: URLSearchParams,
  defaults: QueryDefaults,
  autoResolution: number,
): QueryParams {
  const timeout = form.get("timeout") ?? "";
  const timeoutMs = timeout === "" ? undefined : parseDuration(timeout);
  const dedup = boolParam(form, "dedup", true);
  const storeMatch = storeMatchParam(form);
  const partialResponse = boolParam(form, "partial_response", defaults.partialResponse);
  const maxSourceResolution = resolutionParam(form, defaults, autoResolution);
  const shard = shardParam(form);
  const engine = engineParam(form, defaults);
  const lookback = durationParam(form, "lookback_delta") ?? 0;
  return {
    query: form.get("query") ?? "",
    timeoutMs,
    dedup,
    replicaLabels: replicaLabelsParam(form, defaults),
    storeMatch,
    partialResponse,
    maxSourceResolution,
    lookbackDelta: lookback > 0 ? lookback : defaults.lookbackDelta,
    engine,
    shard,
    stats: form.get("stats") ?? "",
    analyze: ["true", "1"].includes(form.get("analyze") ?? ""),
    tenant: resolveTenant(request.raw, defaults.tenants),
    requestId: request.id,
    traceparent: traceparentOf(request),
  };
}

/** Parameters of /series; `match[]` is required. */
export async function seriesParams(request: HttpRequest, defaults: QueryDefaults): Promise<SeriesParams> {
  const form = await request.form();
  if (form.getAll("match[]").length === 0) throw badData("no match[] parameter provided");
  const metadata = metadataParams(request, form, defaults);
  return {...metadata, dedup: boolParam(form, "dedup", true), replicaLabels: replicaLabelsParam(form, defaults)};
}

/** Parameters of /labels and /label/…/values. */
export async function labelParams(request: HttpRequest, defaults: QueryDefaults): Promise<MetadataParams> {
  return metadataParams(request, await request.form(), defaults);
}

function metadataParams(request: HttpRequest, form: URLSearchParams, defaults: QueryDefaults): MetadataParams {
  const {mint, maxt} = metadataRange(form, defaults.metadataRange, defaults.now());
  const partialResponse = boolParam(form, "partial_response", defaults.partialResponse);
  const storeMatch = storeMatchParam(form);
  const limit = limitParam(form);
  const matcherSets = selectors(form, "match[]");
  const tenant = resolveTenant(request.raw, defaults.tenants);
  return {
    mint,
    maxt,
    limit,
    matcherSets,
    storeMatch,
    partialResponse,
    tenant,
    requestId: request.id,
    traceparent: traceparentOf(request),
  };
}

const traceparentOf = ({span}: HttpRequest): string | undefined =>
  span.context === undefined ? undefined : formatTraceparent(span.context);

const storeMatchParam = (form: URLSearchParams): readonly (readonly Matcher[])[] => selectors(form, "storeMatch[]");

/** The selectors of a repeated parameter. Compat: an empty one has the error text of an empty expression. */
function selectors(form: URLSearchParams, name: string): readonly (readonly Matcher[])[] {
  return form.getAll(name).map(parseMatchParam);
}

const replicaLabelsParam = (form: URLSearchParams, defaults: QueryDefaults): readonly string[] =>
  form.has("replicaLabels[]") ? form.getAll("replicaLabels[]") : defaults.replicaLabels;

/** `auto` means a fifth of the step; so does leaving it out under --query.auto-downsampling. */
function resolutionParam(form: URLSearchParams, defaults: QueryDefaults, automatic: number): number {
  const text = form.get("max_source_resolution") ?? "";
  if (text === "auto" || (text === "" && defaults.autoDownsampling)) return Math.trunc(automatic);
  const given = text === "" ? 0 : (durationParam(form, "max_source_resolution") ?? 0);
  if (given < 0) throw badData("negative 'max_source_resolution' is not accepted. Try a positive integer");
  return Math.trunc(given);
}

/** The engine that a request names, or the flag. */
export function engineParam(form: URLSearchParams, defaults: QueryDefaults): string {
  const engine = form.get("engine") ?? "";
  if (engine === "") return defaults.engine;
  if (!ENGINES.includes(engine)) throw badData(`'${engine}' bad engine`);
  return engine;
}

function shardParam(form: URLSearchParams): Shard | undefined {
  const text = form.get("shard_info") ?? "";
  if (text === "") return undefined;
  const fault = (what: string) => badData(`could not unmarshal parameter shard_info: ${what}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fault(jsonFault(text));
  }
  if (value === null) return undefined;
  const kind = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  if (kind !== "object") throw fault(`json: cannot unmarshal ${kind} into Go value of type storepb.ShardInfo`);
  const fields = value as {shard_index?: unknown; total_shards?: unknown; by?: unknown; labels?: unknown};
  const labels = Array.isArray(fields.labels) ? fields.labels.map(String) : [];
  const [index, total] = [Number(fields.shard_index ?? 0), Number(fields.total_shards ?? 0)];
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(total)) {
    throw fault("shard_index and total_shards must be whole numbers");
  }
  return total <= 0 ? undefined : {index, total, by: fields.by === true, labels};
}

/** Compat: Go's words where the first character already is wrong; else what JavaScript says. */
function jsonFault(text: string): string {
  const first = text.trimStart()[0] ?? "";
  if (!/[{["\d\-tfn]/.test(first)) return `invalid character '${first}' looking for beginning of value`;
  try {
    JSON.parse(text);
    return "";
  } catch (err) {
    return err instanceof Error ? err.message : String(err);
  }
}
