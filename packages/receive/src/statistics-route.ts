import {StrataError} from "@strata/base";
import {headStatistics} from "@strata/tsdb";
import {type Api, int64Json, resolveTenant, type TenantConfig} from "@strata/web";
import type {Tenant} from "./tenant.ts";

export type StatisticsRouteOptions = {
  /** The tenants whose databases are open. */
  readonly tenants: () => readonly Tenant[];
  readonly tenancy: TenantConfig;
  /** Why there is nothing to tell yet, or undefined. */
  readonly notReady: () => string | undefined;
};

/** Compat: entries of each list where the request does not say how many. */
const DEFAULT_LIMIT = 10;

/**
 * Adds `GET /status/tsdb`: what is in the head of the request's tenant, or with `all_tenants=true` in everybody's, and which
 * names and values have the most series.
 */
export function addStatisticsRoute(api: Api, {tenants, tenancy, notReady}: StatisticsRouteOptions): void {
  api.add(["GET"], "/status/tsdb", "tsdb_status", ({query, raw}) => {
    const reason = notReady();
    if (reason !== undefined) throw new StrataError("unavailable", `service unavailable: ${reason}`);
    const all = query.get("all_tenants") === "true";
    if (all && (raw.headers[tenancy.header.toLowerCase()] ?? "") !== "") {
      const text = `using both the all_tenants parameter and the ${tenancy.header} header is not supported`;
      throw new StrataError("bad_data", text);
    }
    const limit = limitOf(query.get("limit") ?? "");
    const own = all ? undefined : resolveTenant(raw, tenancy);
    const asked = tenants().filter(({name}) => own === undefined || name === own);
    return {data: [...asked].sort((a, b) => (a.name < b.name ? -1 : 1)).map((tenant) => statusOf(tenant, limit))};
  });
}

function limitOf(text: string): number {
  if (text === "") return DEFAULT_LIMIT;
  const limit = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(limit))
    throw new StrataError("bad_data", `unable to parse 'limit' parameter: ${JSON.stringify(text)} is no whole number`);
  return limit || DEFAULT_LIMIT;
}

function statusOf({name, db: {head}}: Tenant, limit: number): Record<string, unknown> {
  const n = headStatistics(head, limit);
  return {
    tenant: name,
    headStats: {
      numSeries: n.series,
      numLabelPairs: n.labelPairs,
      chunkCount: n.chunks,
      // Compat: the ends of int64 while the head is empty.
      minTime: int64Json(head.minTime),
      maxTime: int64Json(head.maxTime),
    },
    seriesCountByMetricName: n.seriesByMetricName,
    labelValueCountByLabelName: n.valuesByLabelName,
    memoryInBytesByLabelName: n.bytesByLabelName,
    seriesCountByLabelValuePair: n.seriesByLabelPair,
  };
}
