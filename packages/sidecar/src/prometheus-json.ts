import {StrataError} from "@strata/base";
import {compareUtf8, parseTimestamp, ZERO_TIME} from "@strata/model";
import {type Init, thanos} from "@strata/proto";

/**
 * What Prometheus' API says of rules, targets, metadata, exemplars and its head, as messages of the StoreAPI. What it
 * leaves out has its default; what is of another kind than expected is told as an error that names it.
 */

/** `data` of `/api/v1/rules`. */
export const ruleGroups = (data: unknown): readonly Init<thanos.RuleGroup>[] =>
  list(object(data, "rules"), "groups").map((json) => {
    const group = object(json, "rule group");
    return {
      name: text(group, "name"),
      file: text(group, "file"),
      rules: list(group, "rules").map(rule),
      interval: number(group, "interval"),
      evaluationDurationSeconds: number(group, "evaluationTime"),
      lastEvaluation: time(group, "lastEvaluation"),
      limit: number(group, "limit"),
      // Prometheus evaluates over its own data: it always has the whole of it or fails.
      partialResponseStrategy: thanos.PartialResponseStrategy.ABORT,
    };
  });

function rule(json: unknown): Init<thanos.Rule> {
  const r = object(json, "rule");
  const common = {
    name: text(r, "name"),
    query: text(r, "query"),
    labels: labels(r, "labels"),
    health: text(r, "health"),
    lastError: text(r, "lastError"),
    evaluationDurationSeconds: number(r, "evaluationTime"),
    lastEvaluation: time(r, "lastEvaluation"),
  };
  const type = text(r, "type");
  if (type === "recording") return {recording: common};
  if (type !== "alerting") throw unexpected(`rule type ${JSON.stringify(type)}`);
  return {
    alert: {
      ...common,
      state: alertState(r),
      durationSeconds: number(r, "duration"),
      keepFiringForSeconds: number(r, "keepFiringFor"),
      annotations: labels(r, "annotations"),
      alerts: list(r, "alerts").map(alertInstance),
    },
  };
}

function alertInstance(json: unknown): Init<thanos.AlertInstance> {
  const alert = object(json, "alert");
  return {
    labels: labels(alert, "labels"),
    annotations: labels(alert, "annotations"),
    state: alertState(alert),
    activeAt: text(alert, "activeAt") === "" ? undefined : time(alert, "activeAt"),
    value: text(alert, "value"),
  };
}

function alertState(json: Json): number {
  const {ALERT_UNKNOWN, ALERT_INACTIVE, ALERT_PENDING, ALERT_FIRING} = thanos.AlertState;
  const states: Record<string, number> = {inactive: ALERT_INACTIVE, pending: ALERT_PENDING, firing: ALERT_FIRING};
  return states[text(json, "state")] ?? ALERT_UNKNOWN;
}

/** `data` of `/api/v1/targets`. */
export function targetDiscovery(data: unknown): Init<thanos.TargetDiscovery> {
  const found = object(data, "targets");
  return {
    activeTargets: list(found, "activeTargets").map((json) => {
      const target = object(json, "target");
      return {
        discoveredLabels: labels(target, "discoveredLabels"),
        labels: labels(target, "labels"),
        scrapePool: text(target, "scrapePool"),
        scrapeUrl: text(target, "scrapeUrl"),
        globalUrl: text(target, "globalUrl"),
        lastError: text(target, "lastError"),
        lastScrape: time(target, "lastScrape"),
        lastScrapeDuration: number(target, "lastScrapeDuration"),
        health: targetHealth(text(target, "health")),
      };
    }),
    droppedTargets: list(found, "droppedTargets").map((json) => ({
      discoveredLabels: labels(object(json, "dropped target"), "discoveredLabels"),
    })),
  };
}

function targetHealth(health: string): number {
  const {TARGET_UP, TARGET_DOWN, TARGET_UNKNOWN} = thanos.TargetHealth;
  return health === "up" ? TARGET_UP : health === "down" ? TARGET_DOWN : TARGET_UNKNOWN;
}

/** `data` of `/api/v1/metadata`. */
export const metricMetadata = (data: unknown): Init<thanos.MetricMetadata> => ({
  metadata: new Map(
    Object.entries(object(data, "metadata")).map(([metric, metas]) => [
      metric,
      {
        metas: array(metas, "metadata of a metric").map((json) => {
          const meta = object(json, "metadata of a metric");
          return {type: text(meta, "type"), help: text(meta, "help"), unit: text(meta, "unit")};
        }),
      },
    ]),
  ),
});

/** `data` of `/api/v1/query_exemplars`. */
export const exemplarSeries = (data: unknown): readonly Init<thanos.ExemplarData>[] =>
  array(data, "exemplars").map((json) => {
    const series = object(json, "exemplars of a series");
    return {
      seriesLabels: labels(series, "seriesLabels"),
      exemplars: list(series, "exemplars").map((item) => {
        const exemplar = object(item, "exemplar");
        return {
          labels: labels(exemplar, "labels"),
          value: sampleValue(text(exemplar, "value")),
          ts: Math.round(number(exemplar, "timestamp") * 1000),
        };
      }),
    };
  });

function sampleValue(value: string): number {
  const infinite = /^([+-]?)Inf$/.exec(value);
  if (infinite !== null) return infinite[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return value === "" ? Number.NaN : Number(value);
}

/** `data` of `/api/v1/status/tsdb`. */
export function tsdbStatistics(data: unknown): Init<thanos.TSDBStatisticsEntry> {
  const status = object(data, "status of the database");
  const head = object(status.headStats ?? {}, "statistics of the head");
  const statistics = (name: string) =>
    list(status, name).map((json) => {
      const s = object(json, name);
      return {name: text(s, "name"), value: number(s, "value")};
    });
  return {
    headStatistics: {
      numSeries: number(head, "numSeries"),
      numLabelPairs: number(head, "numLabelPairs"),
      chunkCount: number(head, "chunkCount"),
      minTime: number(head, "minTime"),
      maxTime: number(head, "maxTime"),
    },
    seriesCountByMetricName: statistics("seriesCountByMetricName"),
    labelValueCountByLabelName: statistics("labelValueCountByLabelName"),
    memoryInBytesByLabelName: statistics("memoryInBytesByLabelName"),
    seriesCountByLabelValuePair: statistics("seriesCountByLabelValuePair"),
  };
}

type Json = Readonly<Record<string, unknown>>;

const unexpected = (what: string): StrataError =>
  new StrataError("internal", `cannot read the answer of Prometheus: unexpected ${what}`);

function object(json: unknown, what: string): Json {
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Json;
  throw unexpected(`kind of ${what}`);
}

function array(json: unknown, what: string): readonly unknown[] {
  if (json === undefined || json === null) return [];
  if (Array.isArray(json)) return json;
  throw unexpected(`kind of ${what}`);
}

const list = (json: Json, name: string): readonly unknown[] => array(json[name], name);

function text(json: Json, name: string): string {
  const value = json[name] ?? "";
  if (typeof value === "string") return value;
  throw unexpected(`kind of ${name}`);
}

function number(json: Json, name: string): number {
  const value = json[name] ?? 0;
  if (typeof value === "number") return value;
  throw unexpected(`kind of ${name}`);
}

const time = (json: Json, name: string) => parseTimestamp(text(json, name)) ?? ZERO_TIME;

/** Sorted by name. Empty values stay: annotations may have them. */
function labels(json: Json, name: string): Init<thanos.LabelSet> {
  const pairs = Object.entries(object(json[name] ?? {}, name)).sort(([a], [b]) => compareUtf8(a, b));
  return {labels: pairs.map(([label, value]) => ({name: label, value: String(value)}))};
}
