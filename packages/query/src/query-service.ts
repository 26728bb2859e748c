import {errorCode, errorText} from "@strata/base";
import {thanos} from "@strata/proto";
import type {Caller} from "@strata/series";
import {asGrpcError, DEFAULT_TENANT, GRPC_CODE, matchersOf, type QueryApi, queryMessage} from "@strata/storeapi";
import type {QueryAnswer, QueryParams} from "@strata/web";
import type {Job} from "./messages.ts";
import type {Querier} from "./querier.ts";

/** What requests may leave out. */
export type QueryServiceDefaults = {
  readonly replicaLabels: readonly string[];
  /** `--query.promql-engine`. */
  readonly engine: string;
  /** Coarsest data, ms. */
  readonly maxResolution: number;
  /** ms since the epoch. */
  readonly now: () => number;
};

/** A querier's evaluation as thanos.Query, for rulers and for queriers that push parts of their queries down. */
export function queryService(querier: Querier, defaults: QueryServiceDefaults): QueryApi {
  return {
    async *query(request, caller, signal) {
      const t = request.timeMilliseconds || request.timeSeconds * 1000 || defaults.now();
      const params = queryParams(request, defaults, caller);
      try {
        yield* answer(querier, params, {start: t, end: t, step: 0}, request.responseBatchSize, signal);
      } catch (err) {
        // Compat: an instant query that may be partial tells of its failure in a warning.
        if (!request.enablePartialResponse || !isEvaluation(err)) throw grpcFailure(err);
        yield queryMessage({warnings: errorText(err)});
      }
    },
    async *queryRange(request, caller, signal) {
      const {startTimeSeconds, endTimeSeconds, intervalSeconds} = request;
      if (intervalSeconds <= 0) {
        throw asGrpcError(GRPC_CODE.InvalidArgument, `cannot evaluate a range every ${intervalSeconds} seconds`);
      }
      const times = {start: startTimeSeconds * 1000, end: endTimeSeconds * 1000, step: intervalSeconds * 1000};
      const params = queryParams(request, defaults, caller);
      try {
        yield* answer(querier, params, times, request.responseBatchSize, signal);
      } catch (err) {
        throw grpcFailure(err);
      }
    },
  };
}

/** At most one message of warnings, then the series, then the statistics. */
async function* answer(
  querier: Querier,
  params: QueryParams,
  times: Job["params"],
  batchSize: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const {annotations, warnings, result, stats} = await querier.messages(params, times, batchSize, signal);
  const all = [...annotations, ...warnings];
  if (all.length > 0) yield queryMessage({warnings: all.join(", ")});
  for await (const message of result) yield Buffer.from(message.buffer, message.byteOffset, message.length);
  yield queryMessage({stats: params.engine === "thanos" ? queryStats(stats) : {}});
}

/** Compat: only what was asked of the engine `thanos` has numbers. */
function queryStats(stats: QueryAnswer["stats"]): {samplesTotal: number; peakSamples: number} {
  const samples = (stats as {samples?: {totalQueryableSamples?: number; peakSamples?: number}} | undefined)?.samples;
  return {samplesTotal: samples?.totalQueryableSamples ?? 0, peakSamples: samples?.peakSamples ?? 0};
}

function queryParams(
  request: thanos.QueryRequest | thanos.QueryRangeRequest,
  defaults: QueryServiceDefaults,
  caller: Caller,
): QueryParams {
  const {shardInfo: shard} = request;
  return {
    query: request.query,
    timeoutMs: request.timeoutSeconds > 0 ? request.timeoutSeconds * 1000 : undefined,
    dedup: request.enableDedup,
    replicaLabels: request.replicaLabels.length > 0 ? request.replicaLabels : defaults.replicaLabels,
    storeMatch: request.storeMatchers.map((m) => matchersOf(m.labelMatchers)),
    partialResponse: request.enablePartialResponse,
    maxSourceResolution: request.maxResolutionSeconds * 1000 || defaults.maxResolution,
    lookbackDelta: request.lookbackDeltaSeconds > 0 ? request.lookbackDeltaSeconds * 1000 : undefined,
    engine: engineName(request.engine, defaults.engine),
    shard:
      shard === undefined || shard.totalShards <= 0
        ? undefined
        : {index: shard.shardIndex, total: shard.totalShards, by: shard.by, labels: shard.labels},
    stats: "",
    analyze: false,
    tenant: caller.tenant ?? DEFAULT_TENANT,
    requestId: caller.requestId ?? "",
    traceparent: caller.traceparent,
  };
}

function engineName(engine: number, fallback: string): string {
  const {ENGINE_DEFAULT, ENGINE_PROMETHEUS, ENGINE_THANOS} = thanos.EngineType;
  if (engine === ENGINE_DEFAULT) return fallback;
  if (engine === ENGINE_PROMETHEUS) return "prometheus";
  if (engine === ENGINE_THANOS) return "thanos";
  throw asGrpcError(GRPC_CODE.InvalidArgument, "invalid engine parameter");
}

/** Whether the query was fine and its evaluation failed. */
const isEvaluation = (err: unknown): boolean => !["bad_data", "canceled"].includes(errorCode(err));

/** Compat: a query that cannot be parsed has no code of its own, one that fails later is Aborted. */
function grpcFailure(err: unknown): unknown {
  const code = errorCode(err);
  if (code === "canceled") return err;
  return asGrpcError(code === "bad_data" ? GRPC_CODE.Unknown : GRPC_CODE.Aborted, errorText(err), err);
}
