import {type Labels, METRIC_NAME} from "@strata/model";
import type {Resource} from "./otlp-metrics.ts";
import {IDENTIFYING, type ResourceLabels} from "./resource-labels.ts";
import type {OtlpSettings} from "./translate.ts";

export type TargetInfo = {readonly labels: Labels; readonly times: Set<number>};

/** Half of the engine's lookback: so often there is a sample, for a query to find one at any time. ms. */
const INTERVAL_MS = 150_000;
/** Points of one export may be far apart; what lies between gets no more samples than this. */
const MAX_SAMPLES = 10_000;

/** Adds the samples of `target_info` for a resource: its other attributes beside job and instance. */
export function targetInfoSamples(
  resource: Resource,
  base: ResourceLabels,
  settings: OtlpSettings,
  infos: Map<string, TargetInfo>,
): void {
  const range = timesOf(resource);
  if (!settings.targetInfo || range === undefined || !base.isIdentified) return;
  const others = resource.attributes.filter(({key}) => !IDENTIFYING.includes(key));
  if (others.length === 0) return;
  const shown = settings.keepIdentifying ? resource.attributes : others;
  const labels = base.extend(shown, [[METRIC_NAME, "target_info"]], false);
  const key = labels.toString();
  let info = infos.get(key);
  if (info === undefined) {
    info = {labels, times: new Set()};
    infos.set(key, info);
  }
  if (settings.prometheus) {
    for (let t = range.first; t < range.last && info.times.size < MAX_SAMPLES; t += INTERVAL_MS) info.times.add(t);
  }
  info.times.add(range.last);
}

/** First and last time of all points; undefined when there are none, or only points without a time. */
function timesOf({scopes}: Resource): {first: number; last: number} | undefined {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const {metrics} of scopes) {
    for (const {data} of metrics) {
      if (data.kind === "empty") continue;
      for (const {t} of data.points) {
        first = Math.min(first, t);
        last = Math.max(last, t);
      }
    }
  }
  return last > 0 ? {first, last} : undefined;
}
