import {matcher} from "@strata/model";
import {thanos} from "@strata/proto";
import type {Caller} from "@strata/series";
import {
  collect,
  type EndpointApis,
  mergeExemplars,
  mergeMetadata,
  mergeRules,
  mergeStatistics,
  mergeTargets,
  protoMatchers,
  totalStatistics,
} from "@strata/storeapi";
import type {EndpointBackend, EndpointCall} from "@strata/web";

const TYPES = {all: 0, alert: 1, record: 2} as const;
const STATES = {any: 0, active: 1, dropped: 2} as const;

/**
 * What the querier's HTTP API tells of rules, targets, metadata, exemplars and heads: that of all endpoints, merged.
 * `tenantLabel` is there where tenancy is enforced.
 */
export function endpointBackend(apis: EndpointApis, tenantLabel: string | undefined): EndpointBackend {
  return {
    async rules(call, q, signal) {
      const request: thanos.RulesRequest = {
        type: TYPES[q.type],
        partialResponseStrategy: strategy(call),
        matcherString: [...q.matcherTexts],
        ruleName: [...q.names],
        ruleGroup: [...q.groups],
        file: [...q.files],
      };
      const {values, warnings} = await collect(apis.rules(request, callerOf(call), signal));
      return {groups: mergeRules(values, q, call.replicaLabels), warnings};
    },
    async targets(call, {state}, signal) {
      const request = {state: STATES[state], partialResponseStrategy: strategy(call)};
      const {values, warnings} = await collect(apis.targets(request, callerOf(call), signal));
      return {targets: mergeTargets(values, call.replicaLabels), warnings};
    },
    async metadata(call, {metric, limit}, signal) {
      const request = {metric, limit, partialResponseStrategy: strategy(call)};
      const {values, warnings} = await collect(apis.metricMetadata(request, callerOf(call), signal));
      return {metrics: mergeMetadata(values, limit), warnings};
    },
    async exemplars(call, {query, start, end}, signal) {
      const request = {query, start, end, partialResponseStrategy: strategy(call)};
      const {values, warnings} = await collect(apis.exemplars(request, callerOf(call), signal));
      return {series: mergeExemplars(values, call.replicaLabels), warnings};
    },
    async statistics(call, {limit, matchers}, signal) {
      const own = tenantLabel === undefined ? [] : [matcher(tenantLabel, "=", call.tenant)];
      const request: thanos.TSDBStatisticsRequest = {
        tenant: "",
        limit,
        partialResponseStrategy: strategy(call),
        matchers: protoMatchers([...matchers, ...own]),
      };
      const {values, warnings} = await collect(apis.status(request, callerOf(call), signal));
      const tenants = mergeStatistics(values);
      return {tenants, total: totalStatistics(tenants), warnings};
    },
  };
}

const strategy = ({partialResponse}: EndpointCall): number =>
  partialResponse ? thanos.PartialResponseStrategy.WARN : thanos.PartialResponseStrategy.ABORT;

const callerOf = ({tenant, requestId, traceparent}: EndpointCall): Caller => ({tenant, requestId, traceparent});
