import type {Labels} from "@strata/model";
import {type Init, thanos} from "@strata/proto";
import {type ApiAnswer, labelSet, labelsOf, matchersOf, type ReadApis} from "@strata/storeapi";
import type {PrometheusApi} from "./prometheus-api.ts";
import {exemplarSeries, metricMetadata, ruleGroups, targetDiscovery, tsdbStatistics} from "./prometheus-json.ts";

/**
 * Rules, targets, metadata, exemplars and head statistics of one Prometheus, with its external labels added, for it
 * leaves them out there. Of a request for rules only the type reaches Prometheus; the querier does the rest.
 */
export function sidecarApis(api: PrometheusApi, externalLabels: () => Labels): ReadApis {
  const extended = (set: Init<thanos.LabelSet> | undefined) => labelSet(labelsOf(set).extend(externalLabels()));
  return {
    async *rules({type}, _caller, signal) {
      const params = type === 0 ? {} : {type: type === thanos.RulesType.RULES_ALERT ? "alert" : "record"};
      const groups = ruleGroups(await api.data("/api/v1/rules", new URLSearchParams(params), signal));
      for (const group of groups)
        yield {value: {...group, rules: (group.rules ?? []).map((r) => withLabels(r, extended))}};
    },
    async *targets({state}, _caller, signal) {
      const params = state === 0 ? {} : {state: state === thanos.TargetState.TARGET_ACTIVE ? "active" : "dropped"};
      const found = targetDiscovery(await api.data("/api/v1/targets", new URLSearchParams(params), signal));
      yield {
        value: {
          activeTargets: (found.activeTargets ?? []).map((t) => ({
            ...t,
            discoveredLabels: extended(t.discoveredLabels),
            labels: extended(t.labels),
          })),
          droppedTargets: (found.droppedTargets ?? []).map((t) => ({discoveredLabels: extended(t.discoveredLabels)})),
        },
      };
    },
    async *metricMetadata({metric, limit}, _caller, signal) {
      const params = new URLSearchParams({
        ...(metric === "" ? {} : {metric}),
        ...(limit < 0 ? {} : {limit: String(limit)}),
      });
      yield {value: metricMetadata(await api.data("/api/v1/metadata", params, signal))};
    },
    async *exemplars({query, start, end}, _caller, signal) {
      const params = new URLSearchParams({query, start: seconds(start), end: seconds(end)});
      for (const series of exemplarSeries(await api.data("/api/v1/query_exemplars", params, signal))) {
        yield {value: {...series, seriesLabels: extended(series.seriesLabels)}};
      }
    },
    async *status({limit, matchers}, _caller, signal): AsyncGenerator<ApiAnswer<Init<thanos.TSDBStatistics>>> {
      const external = externalLabels();
      if (!matchersOf(matchers).every((m) => m.matches(external.get(m.name)))) {
        yield {value: {}};
        return;
      }
      const params = new URLSearchParams(limit > 0 ? {limit: String(limit)} : {});
      const entry = tsdbStatistics(await api.data("/api/v1/status/tsdb", params, signal));
      yield {value: {statistics: new Map([["", entry]])}};
    },
  };
}

function withLabels(
  {alert, recording}: Init<thanos.Rule>,
  extended: (set: Init<thanos.LabelSet> | undefined) => thanos.LabelSet,
): Init<thanos.Rule> {
  return alert === undefined
    ? {recording: {...recording, labels: extended(recording?.labels)}}
    : {alert: {...alert, labels: extended(alert.labels)}};
}

/** Prometheus takes these times as seconds, and refuses what its clock cannot say. */
function seconds(ms: number): string {
  const s = Math.min(Math.max(ms / 1000, -MAX_SECONDS), MAX_SECONDS);
  return String(s);
}

const MAX_SECONDS = 9_223_309_900_000_000;
