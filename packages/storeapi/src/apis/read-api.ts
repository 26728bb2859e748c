import {type Init, type info, type MethodDef, thanos} from "@strata/proto";
import type {Caller} from "@strata/series";
import type {GrpcServer} from "../grpc-server.ts";
import {callerOf} from "../store-service.ts";

/** One answer of a source: a value, or a warning about what is missing. */
export type ApiAnswer<T> = {readonly value: T} | {readonly warning: string};

/** Where the answers of one API come from: Prometheus, a rule manager, other endpoints. */
export type ApiSource<Req, T> = (request: Req, caller: Caller, signal: AbortSignal) => AsyncIterable<ApiAnswer<T>>;

/** The APIs beside Store and Query, by the names of their blocks in Info. Only what is there is served and announced. */
export type ReadApis = {
  readonly rules?: ApiSource<thanos.RulesRequest, Init<thanos.RuleGroup>> | undefined;
  readonly targets?: ApiSource<thanos.TargetsRequest, Init<thanos.TargetDiscovery>> | undefined;
  readonly metricMetadata?: ApiSource<thanos.MetricMetadataRequest, Init<thanos.MetricMetadata>> | undefined;
  readonly exemplars?: ApiSource<thanos.ExemplarsRequest, Init<thanos.ExemplarData>> | undefined;
  readonly status?: ApiSource<thanos.TSDBStatisticsRequest, Init<thanos.TSDBStatistics>> | undefined;
};

/** What tells one of these APIs from another: its method, and how its answers are wrapped. */
export type ApiKind<Req extends {partialResponseStrategy: number}, T, Res extends {warning: string | undefined}> = {
  readonly method: MethodDef<Req, Res>;
  readonly wrap: (value: Init<T>) => Init<Res>;
  readonly unwrap: (response: Res) => T | undefined;
  /** What is asked for, and of whom, in the originals' warnings. */
  readonly words: {readonly what: string; readonly client: string};
};

export const RULES: ApiKind<thanos.RulesRequest, thanos.RuleGroup, thanos.RulesResponse> = {
  method: thanos.RulesService.Rules,
  wrap: (group) => ({group}),
  unwrap: (r) => r.group,
  words: {what: "rules", client: "rules"},
};

export const TARGETS: ApiKind<thanos.TargetsRequest, thanos.TargetDiscovery, thanos.TargetsResponse> = {
  method: thanos.TargetsService.Targets,
  wrap: (targets) => ({targets}),
  unwrap: (r) => r.targets,
  words: {what: "targets", client: "targets"},
};

export const METRIC_METADATA: ApiKind<
  thanos.MetricMetadataRequest,
  thanos.MetricMetadata,
  thanos.MetricMetadataResponse
> = {
  method: thanos.MetadataService.MetricMetadata,
  wrap: (metadata) => ({metadata}),
  unwrap: (r) => r.metadata,
  words: {what: "metric metadata", client: "metadata"},
};

export const EXEMPLARS: ApiKind<thanos.ExemplarsRequest, thanos.ExemplarData, thanos.ExemplarsResponse> = {
  method: thanos.ExemplarsService.Exemplars,
  wrap: (data) => ({data}),
  unwrap: (r) => r.data,
  words: {what: "exemplars", client: "exemplars"},
};

export const STATUS: ApiKind<thanos.TSDBStatisticsRequest, thanos.TSDBStatistics, thanos.TSDBStatisticsResponse> = {
  method: thanos.StatusService.TSDBStatistics,
  wrap: (statistics) => ({statistics}),
  unwrap: (r) => r.statistics,
  words: {what: "tsdb statistics", client: "status"},
};

/** Serves the APIs that there are sources for. */
export function serveReadApis(server: GrpcServer, apis: ReadApis): void {
  serve(server, RULES, apis.rules);
  serve(server, TARGETS, apis.targets);
  serve(server, METRIC_METADATA, apis.metricMetadata);
  serve(server, EXEMPLARS, apis.exemplars);
  serve(server, STATUS, apis.status);
}

/** The blocks of Info that tell callers which of these APIs there are. */
export function announce(apis: ReadApis): Init<info.InfoResponse> {
  return Object.fromEntries(Object.entries(apis).flatMap(([api, source]) => (source === undefined ? [] : [[api, {}]])));
}

function serve<Req extends {partialResponseStrategy: number}, T, Res extends {warning: string | undefined}>(
  server: GrpcServer,
  kind: ApiKind<Req, T, Res>,
  source: ApiSource<Req, Init<T>> | undefined,
): void {
  if (source === undefined) return;
  server.stream(kind.method, async function* (request, ctx) {
    for await (const answer of source(request, callerOf(ctx), ctx.signal)) {
      yield "value" in answer ? kind.wrap(answer.value) : ({warning: answer.warning} as Init<Res>);
    }
  });
}
