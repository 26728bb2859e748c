import {compareLabels, type Labels, type Matcher} from "@strata/model";
import type {Init, thanos} from "@strata/proto";
import {exemplarSelectors, GRPC_CODE, headStatus, labelSet, type ReadApis} from "@strata/storeapi";
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
  status: headStatus(() =>
    tenants.all.map(({name, labels, db}) => ({name, labels, numbers: (limit) => headStatistics(db.head, limit)})),
  ),
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
