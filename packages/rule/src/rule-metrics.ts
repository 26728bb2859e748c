import type {Registry} from "@strata/telemetry";

export type RuleMetrics = ReturnType<typeof ruleMetrics>;

/** Metrics of the rule engine, under the names that Prometheus gave them. */
export const ruleMetrics = (r: Registry) => {
  const group = <const L extends string>(name: string, help: string, labels: readonly L[]) => ({
    name: `prometheus_rule_group_${name}`,
    help,
    labels,
  });
  const both = ["strategy", "rule_group"] as const;
  return {
    evaluations: r.counter({name: "prometheus_rule_evaluations_total", help: "Evaluations of rules.", labels: both}),
    failures: r.counter({
      name: "prometheus_rule_evaluation_failures_total",
      help: "Evaluations of rules that failed.",
      labels: both,
    }),
    ruleSeconds: r.summary({
      name: "prometheus_rule_evaluation_duration_seconds",
      help: "How long evaluating a rule took.",
      labels: ["strategy"],
      quantiles: [0.5, 0.9, 0.99],
    }),
    ruleHistogram: r.histogram({
      name: "prometheus_rule_evaluation_duration_histogram_seconds",
      help: "How long evaluating a rule took.",
      labels: ["strategy"],
      buckets: [0.01, 0.1, 1, 10],
    }),
    groupSeconds: r.summary({
      ...group("duration_seconds", "How long evaluating a group took.", ["strategy"]),
      quantiles: [0.01, 0.05, 0.5, 0.9, 0.99],
    }),
    groupHistogram: r.histogram({
      ...group("duration_histogram_seconds", "How long evaluating a group took.", ["strategy"]),
      buckets: [0.01, 0.1, 1, 10],
    }),
    iterations: r.counter(group("iterations_total", "Iterations of a group that were due.", both)),
    missed: r.counter(group("iterations_missed_total", "Iterations of a group that came too late.", both)),
    interval: r.gauge(group("interval_seconds", "Interval of a group.", both)),
    lastSeconds: r.gauge(group("last_duration_seconds", "How long a group's last iteration took.", both)),
    lastTime: r.gauge(group("last_evaluation_timestamp_seconds", "When a group's last iteration began.", both)),
    lastSamples: r.gauge(group("last_evaluation_samples", "Samples that a group's last iteration gave.", both)),
    lastRuleSeconds: r.gauge(
      group("last_rule_duration_sum_seconds", "What the rules of a group's last iteration took together.", both),
    ),
    lastRestore: r.gauge(group("last_restore_duration_seconds", "How long restoring a group's alerts took.", both)),
    rules: r.gauge(group("rules", "Rules of a group.", both)),
    expansions: r.counter({
      name: "prometheus_template_text_expansions_total",
      help: "Templates of labels and annotations that were expanded.",
    }),
    expansionFailures: r.counter({
      name: "prometheus_template_text_expansion_failures_total",
      help: "Templates of labels and annotations that could not be expanded.",
    }),
    loaded: r.gauge({
      name: "thanos_rule_loaded_rules",
      help: "Rules that are loaded, by group.",
      labels: ["strategy", "file", "group"],
    }),
    reloadOk: r.gauge({
      name: "thanos_rule_config_last_reload_successful",
      help: "Whether the rule files could be read the last time.",
    }),
    reloadTime: r.gauge({
      name: "thanos_rule_config_last_reload_success_timestamp_seconds",
      help: "When the rule files were last read with success.",
    }),
    withWarnings: r.counter({
      name: "thanos_rule_evaluation_with_warnings_total",
      help: "Queries of rules that were answered with warnings.",
      labels: ["strategy"],
      preset: [{strategy: "abort"}, {strategy: "warn"}],
    }),
    duplicates: r.counter({
      name: "thanos_rule_duplicated_query_addresses_total",
      help: "Addresses of queriers that were found more than once.",
    }),
  };
};

/** Every family that has series by group. */
const GROUP_FAMILIES = [
  "evaluations",
  "failures",
  "iterations",
  "missed",
  "interval",
  "lastSeconds",
  "lastTime",
  "lastSamples",
  "lastRuleSeconds",
  "lastRestore",
  "rules",
] as const;

/** Takes the series of a group that is gone out of the exposition. */
export function forgetGroup(
  metrics: RuleMetrics,
  labels: {readonly strategy: string; readonly rule_group: string},
): void {
  for (const name of GROUP_FAMILIES) metrics[name].remove(labels);
}
