import {compareUtf8, formatTimestamp, type Timestamp, ZERO_TIME} from "@strata/model";
import {formatFloat} from "@strata/promql";
import {type Init, thanos} from "@strata/proto";

/** What endpoints know beside series as the API shows it. Keys stand in the order of the originals. */

const STATES = ["unknown", "inactive", "pending", "firing"];
const HEALTHS = ["down", "up", "unknown"];

export const groupJson = (group: thanos.RuleGroup): Record<string, unknown> => ({
  name: group.name,
  file: group.file,
  rules: group.rules.map(ruleJson),
  interval: group.interval,
  evaluationTime: group.evaluationDurationSeconds,
  lastEvaluation: timeJson(group.lastEvaluation),
  limit: group.limit,
  partialResponseStrategy: strategyJson(group.partialResponseStrategy),
});

function ruleJson({alert, recording}: thanos.Rule): Record<string, unknown> {
  const rule = alert ?? recording;
  const tail = {
    health: rule?.health ?? "",
    ...(rule?.lastError ? {lastError: rule.lastError} : {}),
    evaluationTime: rule?.evaluationDurationSeconds ?? 0,
    lastEvaluation: timeJson(rule?.lastEvaluation),
  };
  if (alert === undefined) {
    return {
      name: recording?.name ?? "",
      query: recording?.query ?? "",
      labels: labelsJson(recording?.labels),
      ...tail,
      type: "recording",
    };
  }
  return {
    state: STATES[alert.state] ?? STATES[0],
    name: alert.name,
    query: alert.query,
    duration: alert.durationSeconds,
    labels: labelsJson(alert.labels),
    annotations: labelsJson(alert.annotations),
    alerts: alert.alerts.map(alertJson),
    ...tail,
    keepFiringFor: alert.keepFiringForSeconds,
    type: "alerting",
  };
}

export const alertJson = (alert: thanos.AlertInstance): Record<string, unknown> => ({
  labels: labelsJson(alert.labels),
  annotations: labelsJson(alert.annotations),
  state: STATES[alert.state] ?? STATES[0],
  ...(alert.activeAt === undefined ? {} : {activeAt: timeJson(alert.activeAt)}),
  value: alert.value,
  partialResponseStrategy: strategyJson(alert.partialResponseStrategy),
});

export const activeTargetJson = (target: thanos.ActiveTarget): Record<string, unknown> => ({
  discoveredLabels: labelsJson(target.discoveredLabels),
  labels: labelsJson(target.labels),
  scrapePool: target.scrapePool,
  scrapeUrl: target.scrapeUrl,
  globalUrl: target.globalUrl,
  lastError: target.lastError,
  lastScrape: timeJson(target.lastScrape),
  lastScrapeDuration: target.lastScrapeDuration,
  health: HEALTHS[target.health] ?? "unknown",
});

export const droppedTargetJson = (target: thanos.DroppedTarget): Record<string, unknown> => ({
  discoveredLabels: labelsJson(target.discoveredLabels),
});

export const metaJson = ({type, help, unit}: thanos.Meta): Record<string, unknown> => ({type, help, unit});

export const exemplarsJson = ({seriesLabels, exemplars}: thanos.ExemplarData): Record<string, unknown> => ({
  seriesLabels: labelsJson(seriesLabels),
  exemplars: exemplars.map(({labels, ts, value}) => ({
    labels: labelsJson(labels),
    timestamp: ts / 1000,
    value: formatFloat(value),
  })),
});

export function statisticsJson(entry: thanos.TSDBStatisticsEntry, limit: number): Record<string, unknown> {
  const head: Init<thanos.HeadStatistics> = entry.headStatistics ?? {};
  const list = (statistics: readonly thanos.Statistic[]) =>
    statistics.slice(0, limit).map(({name, value}) => ({name, value}));
  return {
    headStats: {
      numSeries: head.numSeries ?? 0,
      numLabelPairs: head.numLabelPairs ?? 0,
      chunkCount: head.chunkCount ?? 0,
      minTime: head.minTime ?? 0,
      maxTime: head.maxTime ?? 0,
    },
    seriesCountByMetricName: list(entry.seriesCountByMetricName),
    labelValueCountByLabelName: list(entry.labelValueCountByLabelName),
    memoryInBytesByLabelName: list(entry.memoryInBytesByLabelName),
    seriesCountByLabelValuePair: list(entry.seriesCountByLabelValuePair),
  };
}

/** Compat: names sorted, whatever order they came in. */
const labelsJson = (set: thanos.LabelSet | undefined): Record<string, string> =>
  Object.fromEntries(
    (set?.labels ?? []).map(({name, value}) => [name, value] as const).sort(([a], [b]) => compareUtf8(a, b)),
  );

const timeJson = (t: Timestamp | undefined): string => formatTimestamp(t ?? ZERO_TIME);

const strategyJson = (strategy: number): string =>
  strategy === thanos.PartialResponseStrategy.ABORT ? "ABORT" : "WARN";
