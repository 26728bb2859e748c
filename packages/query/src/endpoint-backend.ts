import {StrataError} from "@strata/base";
import {type Expr, format, parseExpr} from "@strata/promql";
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
import {enforceOn, enforceOnExpr, type Tenancy, type TenantLabel, tenantLabel} from "./enforce-tenancy.ts";

const TYPES = {all: 0, alert: 1, record: 2} as const;
const STATES = {any: 0, active: 1, dropped: 2} as const;

/**
 * What the querier's HTTP API tells of rules, targets, metadata, exemplars and heads: that of all endpoints, merged.
 * `tenancy` is there where it is enforced.
 */
export function endpointBackend(apis: EndpointApis, tenancy: Tenancy | undefined): EndpointBackend {
  const tenantOf = ({tenant}: EndpointCall) => tenancy && tenantLabel(tenancy, tenant);
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
    async exemplars(call, q, signal) {
      const {start, end} = q;
      const query = enforced(q.query, tenantOf(call));
      const request = {query, start, end, partialResponseStrategy: strategy(call)};
      const {values, warnings} = await collect(apis.exemplars(request, callerOf(call), signal));
      return {series: mergeExemplars(values, call.replicaLabels), warnings};
    },
    async statistics(call, {limit, matchers}, signal) {
      const tenant = tenantOf(call);
      const request: thanos.TSDBStatisticsRequest = {
        tenant: "",
        limit,
        partialResponseStrategy: strategy(call),
        matchers: protoMatchers([...matchers, ...enforceOn([], tenant)]),
      };
      const {values, warnings} = await collect(apis.status(request, callerOf(call), signal));
      const all = mergeStatistics(values);
      if (tenant === undefined) return {statistics: totalStatistics(all), warnings};
      const own = new Map([...all].filter(([name]) => tenant.values.includes(name)));
      // Compat: a tenant that has no head is an error.
      if (own.size === 0) throw new StrataError("not_found", `${call.tenant} tenant not found`);
      return {statistics: totalStatistics(own), warnings};
    },
  };
}

/** The query with its selectors tied to the tenants; one that cannot be read is left to whoever will say so. */
function enforced(query: string, tenant: TenantLabel | undefined): string {
  if (tenant === undefined) return query;
  let expr: Expr;
  try {
    expr = parseExpr(query, {experimentalFunctions: true, xFunctions: true});
  } catch {
    return query;
  }
  return format(enforceOnExpr(expr, tenant));
}

const strategy = ({partialResponse}: EndpointCall): number =>
  partialResponse ? thanos.PartialResponseStrategy.WARN : thanos.PartialResponseStrategy.ABORT;

const callerOf = ({tenant, requestId, traceparent}: EndpointCall): Caller => ({tenant, requestId, traceparent});
