import {compareUtf8} from "@strata/model";
import type {Init, thanos} from "@strata/proto";

/** Statistics of several heads added up by tenant ("" where there are none). */
export function mergeStatistics(
  all: readonly thanos.TSDBStatistics[],
): ReadonlyMap<string, thanos.TSDBStatisticsEntry> {
  const tenants = new Map<string, thanos.TSDBStatisticsEntry>();
  for (const {statistics} of all) {
    for (const [tenant, entry] of statistics) tenants.set(tenant, addStatistics(tenants.get(tenant) ?? EMPTY, entry));
  }
  return tenants;
}

/** The sum over all tenants. */
export function totalStatistics(tenants: ReadonlyMap<string, thanos.TSDBStatisticsEntry>): thanos.TSDBStatisticsEntry {
  return [...tenants.values()].reduce(addStatistics, EMPTY);
}

const EMPTY: thanos.TSDBStatisticsEntry = {
  headStatistics: undefined,
  seriesCountByMetricName: [],
  labelValueCountByLabelName: [],
  memoryInBytesByLabelName: [],
  seriesCountByLabelValuePair: [],
};

function addStatistics(a: thanos.TSDBStatisticsEntry, b: thanos.TSDBStatisticsEntry): thanos.TSDBStatisticsEntry {
  const add = (x: number, y: number) => x + y;
  return {
    headStatistics: addHeads(a.headStatistics, b.headStatistics),
    seriesCountByMetricName: combine(a.seriesCountByMetricName, b.seriesCountByMetricName, add),
    // The same values may be in several heads, so adding them up would be wrong more often than not.
    labelValueCountByLabelName: combine(a.labelValueCountByLabelName, b.labelValueCountByLabelName, Math.max),
    memoryInBytesByLabelName: combine(a.memoryInBytesByLabelName, b.memoryInBytesByLabelName, add),
    seriesCountByLabelValuePair: combine(a.seriesCountByLabelValuePair, b.seriesCountByLabelValuePair, add),
  };
}

function addHeads(a: Init<thanos.HeadStatistics> = {}, b: Init<thanos.HeadStatistics> = {}): thanos.HeadStatistics {
  const [minA, minB] = [a.minTime ?? 0, b.minTime ?? 0];
  return {
    numSeries: (a.numSeries ?? 0) + (b.numSeries ?? 0),
    numLabelPairs: (a.numLabelPairs ?? 0) + (b.numLabelPairs ?? 0),
    chunkCount: (a.chunkCount ?? 0) + (b.chunkCount ?? 0),
    // Compat: a time that is not positive counts as not known.
    minTime: minA <= 0 ? minB : Math.min(minA, minB),
    maxTime: Math.max(a.maxTime ?? 0, b.maxTime ?? 0),
  };
}

/** By name; the largest first, equal ones by name. */
function combine(
  a: readonly thanos.Statistic[],
  b: readonly thanos.Statistic[],
  join: (a: number, b: number) => number,
): thanos.Statistic[] {
  const values = new Map(a.map((s) => [s.name, s.value]));
  for (const {name, value} of b) {
    const known = values.get(name);
    values.set(name, known === undefined ? value : join(known, value));
  }
  return [...values]
    .map(([name, value]) => ({name, value}))
    .sort((x, y) => y.value - x.value || compareUtf8(x.name, y.name));
}
