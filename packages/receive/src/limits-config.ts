import {StrataError} from "@strata/base";
import {type HttpClientConfig, httpClientConfig} from "@strata/http-client";
import {parse} from "yaml";
import type {RequestLimits} from "./request-limits.ts";
import type {SeriesLimits} from "./tenant-writer.ts";

/** Limits of one tenant; 0 is none. */
export type TenantLimits = {
  readonly request: RequestLimits;
  /** Series in the heads of all receivers, as the meta-monitoring counts them. */
  readonly headSeries: number;
  /** Limits of this receiver's own database. */
  readonly series: SeriesLimits;
};

export type LimitsConfig = {
  /** Requests at once; 0 is no limit. */
  readonly maxConcurrency: number;
  /** Left out when head series are not counted. */
  readonly metaMonitoring: {readonly url: URL; readonly http: HttpClientConfig; readonly query: string} | undefined;
  readonly defaults: TenantLimits;
  readonly tenants: ReadonlyMap<string, TenantLimits>;
};

const DEFAULT_QUERY = "sum(prometheus_tsdb_head_series) by (tenant)";

const NONE: TenantLimits = {
  request: {sizeBytes: 0, series: 0, samples: 0},
  headSeries: 0,
  series: {headSeries: 0, labelNames: 0, labelNameLength: 0, labelValueLength: 0},
};

export const NO_LIMITS: LimitsConfig = {
  maxConcurrency: 0,
  metaMonitoring: undefined,
  defaults: NONE,
  tenants: new Map(),
};

/** Reads a limits file. Throws `bad_data` naming the key that is wrong; unknown keys are. */
export function parseLimits(text: string): LimitsConfig {
  const root = section(parse(text), "", ["write"]);
  const write = section(root.write, "write", ["global", "default", "tenants"]);
  const global = section(write.global, "write.global", [
    "max_concurrency",
    "meta_monitoring_url",
    "meta_monitoring_http_client",
    "meta_monitoring_limit_query",
  ]);
  const defaults = tenantLimits(write.default, "write.default", NONE);
  const tenants = new Map<string, TenantLimits>();
  for (const [name, entry] of Object.entries(section(write.tenants, "write.tenants"))) {
    tenants.set(name, tenantLimits(entry, `write.tenants.${name}`, defaults));
  }
  return {
    maxConcurrency: number(global.max_concurrency, "write.global.max_concurrency") ?? 0,
    metaMonitoring: metaMonitoring(global),
    defaults,
    tenants,
  };
}

type Fields = Readonly<Record<string, unknown>>;

function metaMonitoring(global: Fields): LimitsConfig["metaMonitoring"] {
  const text = global.meta_monitoring_url;
  if (text === undefined || text === null || text === "") return undefined;
  const url = URL.parse(String(text));
  if (url === null || !/^https?:$/.test(url.protocol) || url.host === "") {
    const [, scheme = "", host = ""] = /^(?:([a-z]+):)?\/*([^/]*)/i.exec(String(text)) ?? [];
    throw bad(`${String(text)} is not a valid meta-monitoring URL (scheme: ${scheme},host: ${host})`);
  }
  const query = global.meta_monitoring_limit_query;
  return {
    url,
    http: httpClientConfig(global.meta_monitoring_http_client),
    query: query === undefined || query === null || query === "" ? DEFAULT_QUERY : String(query),
  };
}

const REQUEST_KEYS = ["size_bytes_limit", "series_limit", "samples_limit"];
const TENANT_KEYS = [
  "request",
  "head_series_limit",
  "head_series_limit_local",
  "label_names_limit",
  "label_name_length_limit",
  "label_value_length_limit",
];

function tenantLimits(value: unknown, where: string, base: TenantLimits): TenantLimits {
  const entry = section(value, where, TENANT_KEYS);
  const request = section(entry.request, `${where}.request`, REQUEST_KEYS);
  const get = (fields: Fields, key: string, fallback: number): number =>
    Math.max(0, number(fields[key], `${where}.${key}`) ?? fallback);
  return {
    request: {
      sizeBytes: get(request, "size_bytes_limit", base.request.sizeBytes),
      series: get(request, "series_limit", base.request.series),
      samples: get(request, "samples_limit", base.request.samples),
    },
    headSeries: get(entry, "head_series_limit", base.headSeries),
    series: {
      headSeries: get(entry, "head_series_limit_local", base.series.headSeries),
      labelNames: get(entry, "label_names_limit", base.series.labelNames),
      labelNameLength: get(entry, "label_name_length_limit", base.series.labelNameLength),
      labelValueLength: get(entry, "label_value_length_limit", base.series.labelValueLength),
    },
  };
}

function section(value: unknown, where: string, keys?: readonly string[]): Fields {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw bad(`${where || "the document"} must be a mapping`);
  const fields = value as Fields;
  const unknown = keys && Object.keys(fields).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw bad(`field ${unknown} not found in ${where || "the document"}`);
  return fields;
}

function number(value: unknown, where: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Number.isSafeInteger(value)) throw bad(`${where} must be a whole number`);
  return value as number;
}

const bad = (problem: string): StrataError => new StrataError("bad_data", problem);
