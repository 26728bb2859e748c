import type {Matcher} from "@strata/model";
import {parseMatchParam} from "@strata/promql";
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
  const step = stepParam(form, end - start, defaults.step);
  if (Math.floor((end - start) / step) > MOST_STEPS) {
    throw badData(
      "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
    );
  }
  return {...commonParams(request, form, defaults, step / SAMPLES_PER_STEP), start, end, step};
}

function stepParam(form: URLSearchParams, rangeMs: number, defaultMs: number): number {
  const given = durationParam(form, "step");
  const step =
    given ?? Math.max(Math.floor(Math.floor(rangeMs / 1000) / DEFAULT_STEPS), Math.floor(defaultMs / 1000)) * 1000;
  const whole = Math.trunc(step);
  if (!(whole > 0))
    throw badData("zero or negative query resolution step widths are not accepted. Try a positive integer");
  return whole;
}

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

function engineParam(form: URLSearchParams, defaults: QueryDefaults): string {
  const engine = form.get("engine") ?? "";
  if (engine === "") return defaults.engine;
  if (!ENGINES.includes(engine)) throw badData(`'${engine}' bad engine`);
  return engine;
}

function shardParam(form: URLSearchParams): Shard | undefined {
  const text = form.get("shard_info") ?? "";
  if (text === "") return undefined;
  let value: {shard_index?: unknown; total_shards?: unknown; by?: unknown; labels?: unknown};
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    throw badData(`could not unmarshal parameter shard_info: ${jsonFault(text)}`);
  }
  const labels = Array.isArray(value.labels) ? value.labels.map(String) : [];
  const [index, total] = [Number(value.shard_index ?? 0), Number(value.total_shards ?? 0)];
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(total)) {
    throw badData("could not unmarshal parameter shard_info: shard_index and total_shards must be whole numbers");
  }
  return total === 0 ? undefined : {index, total, by: value.by === true, labels};
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
