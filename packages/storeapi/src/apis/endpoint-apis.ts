import type {Labels} from "@strata/model";
import type {thanos} from "@strata/proto";
import type {EndpointApi, EndpointHandle} from "../endpoint-set.ts";
import {exemplarCalls} from "./exemplar-calls.ts";
import {type ApiCall, fanOut} from "./fan-out.ts";
import {type ApiSource, EXEMPLARS, METRIC_METADATA, RULES, STATUS, TARGETS} from "./read-api.ts";

/** All read APIs of other endpoints, each as one source whose values are whole messages. */
export type EndpointApis = {
  readonly rules: ApiSource<thanos.RulesRequest, thanos.RuleGroup>;
  readonly targets: ApiSource<thanos.TargetsRequest, thanos.TargetDiscovery>;
  readonly metricMetadata: ApiSource<thanos.MetricMetadataRequest, thanos.MetricMetadata>;
  readonly exemplars: ApiSource<thanos.ExemplarsRequest, thanos.ExemplarData>;
  readonly status: ApiSource<thanos.TSDBStatisticsRequest, thanos.TSDBStatistics>;
};

export type EndpointApisOptions = {
  /** The endpoints that serve an API at the moment; the `endpoints` of an EndpointSet. */
  readonly endpoints: (api: EndpointApi) => readonly EndpointHandle[];
  /** Labels that the proxy adds to its description and takes out of requests. */
  readonly selectorLabels: Labels;
  /** Longest pause in an endpoint's answer, ms; 0 is none. */
  readonly timeoutMs: number;
};

/** The read APIs of a set of endpoints: every endpoint that serves an API is asked, exemplars only of those that fit. */
export function endpointApis({endpoints, selectorLabels, timeoutMs}: EndpointApisOptions): EndpointApis {
  const all =
    <Req>(api: EndpointApi) =>
    (request: Req): readonly ApiCall<Req>[] =>
      endpoints(api).map((endpoint) => ({endpoint, request}));
  return {
    rules: fanOut(RULES, all("rules"), timeoutMs),
    targets: fanOut(TARGETS, all("targets"), timeoutMs),
    metricMetadata: fanOut(METRIC_METADATA, all("metricMetadata"), timeoutMs),
    exemplars: fanOut(EXEMPLARS, (r) => exemplarCalls(r, endpoints("exemplars"), selectorLabels), timeoutMs),
    status: fanOut(STATUS, all("status"), timeoutMs),
  };
}
