import {Labels, METRIC_NAME} from "@strata/model";
import {ALERT_NAME, ALERTS_FOR_STATE, type AlertingRule} from "./alerting-rule.ts";
import type {ForState, ForStateSource} from "./rule-io.ts";
import {seriesKey} from "./series-memory.ts";

export type RestoreOptions = {
  readonly source: ForStateSource;
  /** How far back state counts, ms. */
  readonly outageToleranceMs: number;
  /** Least time between a restore and firing, ms; rules that wait less than this are not restored. */
  readonly graceMs: number;
  /** What the storage adds to series when they are read; series that have others there are not ours. */
  readonly externalLabels: Labels;
};

/**
 * Gives the alerts of a rule the age that they had before a restart at which the ruler was down until `now`. Whatever
 * goes wrong, the rule counts as restored afterwards; the error is thrown on.
 */
export async function restoreRule(
  rule: AlertingRule,
  now: number,
  options: RestoreOptions,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (rule.spec.forMs < options.graceMs || rule.alerts.length === 0) return;
    const stored = await options.source(selectorOf(rule), now - options.outageToleranceMs, now, signal);
    const byLabels = new Map<string, ForState>();
    const added = [...options.externalLabels].map(([name]) => name);
    for (const state of stored) {
      if (isOwn(state.labels, options.externalLabels)) {
        byLabels.set(seriesKey(state.labels.without([METRIC_NAME, ...added])), state);
      }
    }
    for (const alert of rule.alerts) {
      // The stored series also has the rule's labels as they were written, under the alert's own.
      const labels = Labels.fromPairs([...rule.spec.labels, ...alert.labels]).without(added);
      const state = byLabels.get(seriesKey(labels)) ?? byLabels.get(seriesKey(alert.labels.without(added)));
      if (state !== undefined) alert.activeAt = restoredAge(state, rule.spec.forMs, now, options.graceMs);
    }
  } finally {
    rule.restored = true;
  }
}

const isOwn = (labels: Labels, external: Labels): boolean =>
  [...external].every(([name, value]) => !labels.has(name) || labels.get(name) === value);

/** Since when an alert counts as active: the time that the ruler was down is not part of its age. */
function restoredAge(state: ForState, forMs: number, now: number, graceMs: number): number {
  const downAt = Math.floor(state.t / 1000) * 1000;
  const activeAt = state.v * 1000;
  const remaining = forMs - (downAt - activeAt);
  if (remaining <= 0) return activeAt;
  if (remaining < graceMs) return now + graceMs - forMs;
  return activeAt + (now - downAt);
}

/** Labels that the stored series of this rule must have; templated ones could be anything. */
const selectorOf = (rule: AlertingRule): Labels =>
  Labels.fromPairs([
    ...[...rule.spec.labels].filter(([, value]) => !value.includes("{{")),
    [METRIC_NAME, ALERTS_FOR_STATE],
    [ALERT_NAME, rule.spec.name],
  ]);
