import {errorCode, errorText, StrataError, withContext} from "@strata/base";
import {parseMatchParam} from "@strata/promql";
import {formatTraceparent} from "@strata/telemetry";
import type {HttpRequest} from "../http-types.ts";
import {resolveTenant, type TenantConfig} from "../tenant.ts";
import type {EndpointBackend, EndpointCall, RulesBackend, RulesQuery} from "./endpoint-backend.ts";
import {
  activeTargetJson,
  alertJson,
  droppedTargetJson,
  exemplarsJson,
  groupJson,
  metaJson,
  statisticsJson,
} from "./endpoint-json.ts";
import type {Api, JsonPieces} from "./envelope.ts";
import {goJson} from "./go-json.ts";
import {jsonArray} from "./json-array.ts";
import {badData, boolParam, limitParam, MAX_TIME, MIN_TIME, timeParam} from "./param-values.ts";

/** What requests for rules may leave out. */
export type RulesDefaults = {
  readonly replicaLabels: readonly string[];
  readonly partialResponse: boolean;
  readonly tenants: TenantConfig;
};

/** What requests to endpoints may leave out: whether gaps are allowed, by API. */
export type EndpointDefaults = {
  readonly replicaLabels: readonly string[];
  readonly partialResponse: {
    readonly rules: boolean;
    readonly targets: boolean;
    readonly metadata: boolean;
    readonly exemplars: boolean;
    readonly status: boolean;
  };
  readonly tenants: TenantConfig;
};

const GET = ["GET"];

/** Adds `/rules`, `/alerts`, `/targets`, `/metadata`, `/query_exemplars` and `/status/tsdb`. */
export function addEndpointRoutes(api: Api, backend: EndpointBackend, defaults: EndpointDefaults): void {
  const {replicaLabels, partialResponse, tenants} = defaults;
  addRulesRoutes(api, backend, {replicaLabels, partialResponse: partialResponse.rules, tenants}, "alerts");

  const callOf = (request: HttpRequest, form: URLSearchParams, allowed: boolean) =>
    endpointCall(request, form, {replicaLabels, partialResponse: allowed, tenants});

  api.add(GET, "/targets", "targets", async (request) => {
    const state = oneOf(request.query, "state", ["any", "active", "dropped"], "targets");
    const call = callOf(request, request.query, partialResponse.targets);
    const {targets, warnings} = await retrieving(
      "retrieving targets: proxy Targets",
      backend.targets(call, {state}, request.signal),
    );
    const active = jsonArray(targets.activeTargets, (t) => goJson(activeTargetJson(t)));
    const dropped = jsonArray(targets.droppedTargets, (t) => goJson(droppedTargetJson(t)));
    return {pieces: joined('{"activeTargets":', active, ',"droppedTargets":', dropped, "}"), warnings};
  });

  api.add(GET, "/metadata", "metadata", async (request) => {
    const q = {metric: request.query.get("metric") ?? "", limit: metadataLimit(request.query.get("limit") ?? "")};
    const call = callOf(request, request.query, partialResponse.metadata);
    const {metrics, warnings} = await retrieving(
      "retrieving metadata: proxy MetricMetadata",
      backend.metadata(call, q, request.signal),
    );
    return {data: Object.fromEntries([...metrics].map(([name, metas]) => [name, metas.map(metaJson)])), warnings};
  });

  api.add(["GET", "POST"], "/query_exemplars", "exemplars", async (request) => {
    const form = await request.form();
    const [start, end] = [timeParam(form, "start", MIN_TIME), timeParam(form, "end", MAX_TIME)];
    const call = callOf(request, form, partialResponse.exemplars);
    const {series, warnings} = await retrieving(
      "retrieving exemplars: proxy Exemplars",
      backend.exemplars(call, {query: form.get("query") ?? "", start, end}, request.signal),
    );
    return {pieces: jsonArray(series, (s) => goJson(exemplarsJson(s))), warnings};
  });

  addStatisticsRoute(api, backend, defaults);
}

/** Adds `/rules` and `/alerts`; `alertsKey` is where the alerts stand in the answer (rulers write it large). */
export function addRulesRoutes(
  api: Api,
  backend: RulesBackend,
  defaults: RulesDefaults,
  alertsKey: "alerts" | "Alerts",
): void {
  api.add(GET, "/rules", "rules", async (request) => {
    const q = rulesQuery(request.query);
    const call = endpointCall(request, request.query, defaults);
    const {groups, warnings} = await retrieving("error retrieving rules", rulesOf(backend, call, q, request.signal));
    return {
      pieces: joined(
        '{"groups":',
        jsonArray(groups, (g) => goJson(groupJson(g))),
        "}",
      ),
      warnings,
    };
  });
  api.add(GET, "/alerts", "alerts", async (request) => {
    const q = {...rulesQuery(new URLSearchParams()), type: "alert" as const};
    const call = endpointCall(request, request.query, defaults);
    const {groups, warnings} = await retrieving("error retrieving rules", rulesOf(backend, call, q, request.signal));
    const alerts = groups.flatMap((g) => g.rules).flatMap((r) => r.alert?.alerts ?? []);
    // Compat: null where there are none.
    const pieces = alerts.length === 0 ? [Buffer.from("null")] : jsonArray(alerts, (a) => goJson(alertJson(a)));
    return {pieces: joined(`{"${alertsKey}":`, pieces, "}"), warnings};
  });
}

function addStatisticsRoute(api: Api, backend: EndpointBackend, defaults: EndpointDefaults): void {
  const {replicaLabels, partialResponse, tenants} = defaults;
  api.add(GET, "/status/tsdb", "status_tsdb", async (request) => {
    const form = request.query;
    const limit = limitParam(form) || DEFAULT_STATISTICS;
    if (limit > MAX_INT32) throw badData(`limit ${limit} overflows int32`);
    const matchers = form.getAll("match[]").flatMap(parseMatchParam);
    const call = endpointCall(request, form, {replicaLabels, partialResponse: partialResponse.status, tenants});
    const asked = backend.statistics(call, {limit, matchers}, request.signal).catch((err: unknown) => {
      throw errorCode(err) === "not_found" ? err : withContext(err, "proxy TSDBStatistics");
    });
    const {statistics, warnings} = await retrieving("retrieving tsdb statistics", asked);
    return {data: statisticsJson(statistics, limit), warnings};
  });
}

const DEFAULT_STATISTICS = 10;
const MAX_INT32 = 2 ** 31 - 1;

function endpointCall(request: HttpRequest, form: URLSearchParams, defaults: RulesDefaults): EndpointCall {
  const {span, id} = request;
  return {
    partialResponse: boolParam(form, "partial_response", defaults.partialResponse),
    replicaLabels: boolParam(form, "dedup", true) ? defaults.replicaLabels : [],
    tenant: resolveTenant(request.raw, defaults.tenants),
    requestId: id,
    traceparent: span.context === undefined ? undefined : formatTraceparent(span.context),
  };
}

function rulesQuery(form: URLSearchParams): RulesQuery {
  const type = oneOf(form, "type", ["all", "alert", "record"], "rules");
  const matcherTexts = form.getAll("match[]");
  return {
    type,
    matcherTexts,
    // Compat: a selector that cannot be read is told as a fault of the server.
    matcherSets: matcherTexts.map((text) => {
      try {
        return parseMatchParam(text);
      } catch (err) {
        throw new StrataError("internal", `error retrieving rules: parser ParseMetricSelector: ${errorText(err)}`);
      }
    }),
    names: form.getAll("rule_name[]"),
    groups: form.getAll("rule_group[]"),
    files: form.getAll("file[]"),
  };
}

async function rulesOf(backend: RulesBackend, call: EndpointCall, q: RulesQuery, signal: AbortSignal) {
  try {
    return await backend.rules(call, q, signal);
  } catch (err) {
    throw withContext(err, "proxy Rules");
  }
}

/** Compat: whatever fails behind these routes is told as a fault of the server, with the step before it. */
async function retrieving<T>(step: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (err) {
    throw new StrataError(errorCode(err) === "canceled" ? "canceled" : "internal", `${step}: ${errorText(err)}`, {
      cause: err,
    });
  }
}

/** One of a few words in any case; the first where the parameter is missing. */
function oneOf<T extends string>(form: URLSearchParams, name: string, words: readonly [T, ...T[]], api: string): T {
  const text = form.get(name) ?? "";
  if (text === "") return words[0];
  const found = words.find((word) => word === text.toLowerCase());
  if (found === undefined) throw badData(`invalid ${api} parameter ${name}='${text}'`);
  return found;
}

/** A 32-bit number; -1, no limit, where it is missing. Compat: the error shows what Go's parser leaves. */
function metadataLimit(text: string): number {
  if (text === "") return -1;
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
  if (value === undefined) throw badData("invalid metric metadata limit='0'");
  const clamped = Math.min(Math.max(value, -MAX_INT32 - 1), MAX_INT32);
  if (clamped !== value) throw badData(`invalid metric metadata limit='${clamped}'`);
  return value;
}

/** Texts and pieces one after another. */
async function* joined(...parts: readonly (string | JsonPieces)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (typeof part === "string") yield Buffer.from(part);
    else yield* part;
  }
}
