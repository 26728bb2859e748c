import {compareLabels, type Labels, type Matcher} from "@strata/model";
import type {Init, thanos} from "@strata/proto";
import {type ApiAnswer, exemplarSelectors, GRPC_CODE, labelSet, matchersOf, type ReadApis} from "@strata/storeapi";
import {headStatistics} from "@strata/tsdb";
import type {Tenant} from "./tenant.ts";
import type {Tenants} from "./tenants.ts";

/** Exemplars and statistics of all tenants' heads. */
export const tenantApis = (tenants: Tenants): ReadApis => ({
  async *exemplars({query, start, end}) {
    const selectors = exemplarSelectors(query, GRPC_CODE.InvalidArgument);
    for (const tenant of tenants.all) {
      for (const value of exemplarsOf(tenant, selectors, start, end)) yield {value};
    }
  },
  async *status({limit, matchers}): AsyncGenerator<ApiAnswer<Init<thanos.TSDBStatistics>>> {
    const own = matchersOf(matchers);
    const chosen = tenants.all.filter(({labels}) => own.every((m) => m.matches(labels.get(m.name))));
    yield {value: {statistics: new Map(chosen.map((tenant) => [tenant.name, statisticsOf(tenant, limit)]))}};
  },
});

/** Exemplars of [start, end] (ms) of series that any selector matches, in label order. */
function exemplarsOf(
  tenant: Tenant,
  selectors: readonly (readonly Matcher[])[],
  start: number,
  end: number,
): Init<thanos.ExemplarData>[] {
  const {head} = tenant.db;
  const series = new Map<number, {labels: Labels; exemplars: Init<thanos.Exemplar>[]} | undefined>();
  for (const {ref, t, v, labels} of head.exemplars.all()) {
    if (t < start || t > end) continue;
    if (!series.has(ref)) {
      const full = head.labelsOf(ref)?.extend(tenant.labels);
      const matches = full !== undefined && selectors.some((s) => s.every((m) => m.matches(full.get(m.name))));
      series.set(ref, matches ? {labels: full, exemplars: []} : undefined);
    }
    series.get(ref)?.exemplars.push({labels: labelSet(labels), value: v, ts: t});
  }
  return [...series.values()]
    .filter((entry) => entry !== undefined)
    .sort((a, b) => compareLabels(a.labels, b.labels))
    .map(({labels, exemplars}) => ({seriesLabels: labelSet(labels), exemplars}));
}

function statisticsOf({db}: Tenant, limit: number): Init<thanos.TSDBStatisticsEntry> {
  const s = headStatistics(db.head, Math.max(0, limit));
  return {
    headStatistics: {
      numSeries: s.series,
      numLabelPairs: s.labelPairs,
      chunkCount: s.chunks,
      minTime: s.minTime,
      maxTime: s.maxTime,
    },
    seriesCountByMetricName: s.seriesByMetricName,
    labelValueCountByLabelName: s.valuesByLabelName,
    memoryInBytesByLabelName: s.bytesByLabelName,
    seriesCountByLabelValuePair: s.seriesByLabelPair,
  };
}
