import {errorCode, errorText, StrataError} from "@strata/base";
import type {HttpRequest} from "../http-types.ts";
import {addActiveQueryRoutes} from "./active-query-routes.ts";
import {type Api, type ApiAnswer, surrounded} from "./envelope.ts";
import {goJson, int64Json, labelsJson} from "./go-json.ts";
import {jsonArray} from "./json-array.ts";
import {addLanguageRoutes} from "./language-routes.ts";
import {badData, labelNameParam} from "./param-values.ts";
import type {QueryAnswer, QueryBackend, QueryParams, StoreStatus} from "./query-backend.ts";
import {
  engineParam,
  instantParams,
  labelParams,
  type QueryDefaults,
  rangeParams,
  seriesParams,
} from "./query-params.ts";

const READ = ["GET", "POST"];
const TRUNCATED = "results truncated due to limit";

/** Adds the querier's routes for queries, series, labels and stores. */
export function addQueryRoutes(api: Api, backend: QueryBackend, defaults: QueryDefaults): void {
  api.add(READ, "/query", "query", async (request) => {
    const params = await instantParams(request, defaults);
    return queryAnswer(await clientFacing(backend.instant(params, request.signal)), params);
  });
  api.add(READ, "/query_range", "query_range", async (request) => {
    const params = await rangeParams(request, defaults);
    return queryAnswer(await clientFacing(backend.range(params, request.signal)), params);
  });
  addBatchRoute(api, backend, defaults);
  addExplainRoutes(api, backend, defaults);
  addActiveQueryRoutes(api, backend);

  api.add(READ, "/series", "series", async (request) => {
    const params = await seriesParams(request, defaults);
    const {series, warnings} = await clientFacing(backend.series(params, request.signal));
    const cut = truncate(series, params.limit, warnings);
    return {pieces: jsonArray(cut.items, labelsJson), warnings: cut.warnings};
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
  addLanguageRoutes(api, defaults.language);
}

/** Most queries of one batch. */
const MOST_QUERIES = 256;

/**
 * `POST /query_batch`: as `/query`, with `query` as many times as there are queries. What they select is read together.
 * Strata's own, for its ruler.
 */
function addBatchRoute(api: Api, backend: QueryBackend, defaults: QueryDefaults): void {
  const {batch} = backend;
  if (batch === undefined) return;
  api.add(["POST"], "/query_batch", "query_batch", async (request) => {
    const queries = (await request.form()).getAll("query");
    if (queries.length > MOST_QUERIES)
      throw badData(`a batch has ${queries.length} queries, and may have ${MOST_QUERIES}`);
    const params = await instantParams(request, defaults);
    return {pieces: await clientFacing(batch(params, queries, request.signal))};
  });
}

/** Compat: the engine is judged before all other parameters. */
function addExplainRoutes(api: Api, backend: QueryBackend, defaults: QueryDefaults): void {
  const checkEngine = async (request: HttpRequest): Promise<void> => {
    if (engineParam(await request.form(), defaults) !== "thanos") throw badData("engine type must be 'thanos'");
  };
  api.add(READ, "/query_explain", "query", async (request) => {
    await checkEngine(request);
    return {data: backend.explainInstant(await instantParams(request, defaults))};
  });
  api.add(READ, "/query_range_explain", "query", async (request) => {
    await checkEngine(request);
    return {data: backend.explainRange(await rangeParams(request, defaults))};
  });
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

function queryAnswer(answer: QueryAnswer, {stats: wanted, analyze, engine}: QueryParams): ApiAnswer {
  const stats = wanted !== "" && answer.stats !== undefined ? `,"stats":${goJson(answer.stats)}` : "";
  const pieces = surrounded(
    `{"resultType":"${answer.resultType}","result":`,
    answer.result,
    `${stats},"analysis":${goJson(answer.analysis ?? {})}}`,
  );
  const refused = analyze && engine !== "thanos" ? ["Query not analyzable; change engine to 'thanos'."] : [];
  return {pieces, annotations: answer.annotations, warnings: [...answer.warnings, ...refused]};
}

function truncate<T>(
  items: readonly T[],
  limit: number,
  warnings: readonly string[],
): {items: readonly T[]; warnings: readonly string[]} {
  if (limit === 0 || items.length <= limit) return {items, warnings};
  return {items: items.slice(0, limit), warnings: [...warnings.filter((w) => w !== TRUNCATED), TRUNCATED]};
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
