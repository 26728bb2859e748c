import {compareLabels, type Labels} from "@strata/model";
import type {thanos} from "@strata/proto";
import {labelSet, labelsOf} from "./merge-rules.ts";

/** Exemplars of several sources by series without its replica labels, sorted by labels and time, equal ones once. */
export function mergeExemplars(
  all: readonly thanos.ExemplarData[],
  replicaLabels: readonly string[],
): readonly thanos.ExemplarData[] {
  const series = new Map<string, {readonly labels: Labels; readonly exemplars: Sortable[]}>();
  for (const {seriesLabels, exemplars} of all) {
    if (exemplars.length === 0) continue;
    const labels = labelsOf(seriesLabels).without(replicaLabels);
    const known = series.get(labels.toString()) ?? {labels, exemplars: []};
    for (const exemplar of exemplars) known.exemplars.push({exemplar, labels: labelsOf(exemplar.labels)});
    series.set(labels.toString(), known);
  }
  return [...series.values()]
    .sort((a, b) => compareLabels(a.labels, b.labels))
    .map(({labels, exemplars}) => ({seriesLabels: labelSet(labels), exemplars: unique(exemplars)}));
}

type Sortable = {readonly exemplar: thanos.Exemplar; readonly labels: Labels};

function unique(exemplars: readonly Sortable[]): thanos.Exemplar[] {
  const out: Sortable[] = [];
  for (const next of [...exemplars].sort(compare)) {
    const last = out.at(-1);
    if (last === undefined || compare(last, next) !== 0) out.push(next);
  }
  return out.map(({exemplar, labels}) => ({...exemplar, labels: labelSet(labels)}));
}

function compare(a: Sortable, b: Sortable): number {
  const [x, y] = [a.exemplar, b.exemplar];
  return x.ts - y.ts || compareLabels(a.labels, b.labels) || compareValues(x.value, y.value);
}

/** NaN is equal to itself and before all numbers. */
function compareValues(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return a === b ? 0 : a < b ? -1 : 1;
}
