import {errorCode, errorText, StrataError} from "@strata/base";
import {addActiveQueryRoutes} from "./active-query-routes.ts";
import {type Api, type ApiAnswer, surrounded} from "./envelope.ts";
import {goJson, int64Json} from "./go-json.ts";
import {jsonArray} from "./json-array.ts";
import {badData, labelNameParam} from "./param-values.ts";
import type {PlanTree, QueryAnswer, QueryBackend, StoreStatus} from "./query-backend.ts";
import {instantParams, labelParams, type QueryDefaults, rangeParams, seriesParams} from "./query-params.ts";

const READ = ["GET", "POST"];
const TRUNCATED = "results truncated due to limit";

/** Adds the querier's routes for queries, series, labels and stores. */
export function addQueryRoutes(api: Api, backend: QueryBackend, defaults: QueryDefaults): void {
  api.add(READ, "/query", "query", async (request) => {
    const params = await instantParams(request, defaults);
    return queryAnswer(await clientFacing(backend.instant(params, request.signal)), params.stats !== "");
  });
  api.add(READ, "/query_range", "query_range", async (request) => {
    const params = await rangeParams(request, defaults);
    return queryAnswer(await clientFacing(backend.range(params, request.signal)), params.stats !== "");
  });
  addExplainRoutes(api, backend, defaults);
  addActiveQueryRoutes(api, backend);

  api.add(READ, "/series", "series", async (request) => {
    const params = await seriesParams(request, defaults);
    const {series, warnings} = await clientFacing(backend.series(params, request.signal));
    const cut = truncate(series, params.limit, warnings);
    return {pieces: jsonArray(cut.items, (labels) => goJson(labels.toObject())), warnings: cut.warnings};
  });
  api.add(READ, "/labels", "label_names", async (request) => {
    const params = await labelParams(request, defaults);
    const {values, warnings} = await clientFacing(backend.labelNames(params, request.signal));
    const cut = truncate(values, params.limit, warnings);
    return {pieces: jsonArray(cut.items, goJson), warnings: cut.warnings};
  });
  api.add(["GET"], "/label/:name/values", "label_values", async (request) => {
    const name = labelNameParam(request.rawParams.name ?? "");
    const params = await labelParams(request, defaults);
    const {values, warnings} = await clientFacing(backend.labelValues(name, params, request.signal));
    const cut = truncate(values, params.limit, warnings);
    return {pieces: jsonArray(cut.items, goJson), warnings: cut.warnings};
  });
  api.add(["GET"], "/stores", "stores", () => ({data: storesByComponent(backend.stores())}));
}

function addExplainRoutes(api: Api, backend: QueryBackend, defaults: QueryDefaults): void {
  const thanosOnly = (engine: string): void => {
    if (engine !== "thanos") throw badData("engine type must be 'thanos'");
  };
  const {explainInstant, explainRange} = backend;
  if (explainInstant !== undefined) {
    api.add(READ, "/query_explain", "query", async (request): Promise<{data: PlanTree}> => {
      const params = await instantParams(request, defaults);
      thanosOnly(params.engine);
      return {data: await clientFacing(explainInstant.call(backend, params, request.signal))};
    });
  }
  if (explainRange !== undefined) {
    api.add(READ, "/query_range_explain", "query_range", async (request): Promise<{data: PlanTree}> => {
      const params = await rangeParams(request, defaults);
      thanosOnly(params.engine);
      return {data: await clientFacing(explainRange.call(backend, params, request.signal))};
    });
  }
}

/** Compat: an endpoint that fails a request which allows no gaps is an execution error (422), not 503. */
async function clientFacing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (err) {
    if (errorCode(err) !== "unavailable") throw err;
    throw new StrataError("execution", errorText(err), {cause: err});
  }
}

function queryAnswer(answer: QueryAnswer, withStats: boolean): ApiAnswer {
  const stats = withStats && answer.stats !== undefined ? `,"stats":${goJson(answer.stats)}` : "";
  const pieces = surrounded(
    `{"resultType":"${answer.resultType}","result":`,
    answer.result,
    `${stats},"analysis":${goJson(answer.analysis ?? {})}}`,
  );
  return {pieces, annotations: answer.annotations, warnings: answer.warnings};
}

function truncate<T>(
  items: readonly T[],
  limit: number,
  warnings: readonly string[],
): {items: readonly T[]; warnings: readonly string[]} {
  if (limit === 0 || items.length <= limit) return {items, warnings};
  return {items: items.slice(0, limit), warnings: [...warnings, TRUNCATED]};
}

function storesByComponent(stores: readonly StoreStatus[]): Record<string, unknown[]> {
  const byComponent: Record<string, unknown[]> = {};
  for (const store of stores) {
    byComponent[store.component] ??= [];
    byComponent[store.component]?.push({
      name: store.name,
      lastCheck: store.lastCheck.toISOString(),
      lastError: store.lastError ?? null,
      labelSets: store.labelSets.map((labels) => labels.toObject()),
      minTime: int64Json(store.minTime),
      maxTime: int64Json(store.maxTime),
    });
  }
  return Object.fromEntries(Object.entries(byComponent).sort(([a], [b]) => (a < b ? -1 : 1)));
}
