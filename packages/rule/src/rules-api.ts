import {type Labels, type Timestamp, ZERO_TIME} from "@strata/model";
import {type Init, thanos} from "@strata/proto";
import type {Alert, AlertState, Group, Rule} from "@strata/rules";
import {type ApiSource, collect, labelSet, mergeRules} from "@strata/storeapi";
import type {RulesBackend} from "@strata/web";

const {RULES_ALL, RULES_ALERT} = thanos.RulesType;
const STATES: Readonly<Record<AlertState | "unknown", number>> = {unknown: 0, inactive: 1, pending: 2, firing: 3};

/** The rules of this ruler as thanos.Rules gives them; `externalLabels` are added to those of rules and win. */
export function rulesSource(
  groups: () => readonly Group[],
  externalLabels: Labels,
): ApiSource<thanos.RulesRequest, Init<thanos.RuleGroup>> {
  return async function* ({type}) {
    for (const group of groups()) yield {value: groupMessage(group, type, externalLabels)};
  };
}

/** What the ruler's own HTTP API answers from. */
export function rulesBackend(source: ApiSource<thanos.RulesRequest, Init<thanos.RuleGroup>>): RulesBackend {
  return {
    async rules({tenant, replicaLabels}, q, signal) {
      const type = {all: RULES_ALL, alert: RULES_ALERT, record: thanos.RulesType.RULES_RECORD}[q.type];
      const request = {
        type,
        partialResponseStrategy: thanos.PartialResponseStrategy.ABORT,
        matcherString: [],
        ruleName: [],
        ruleGroup: [],
        file: [],
      };
      const {values, warnings} = await collect(source(request, {tenant}, signal));
      // Through the wire form, which fills in what is left out.
      const whole = values.map((group) => thanos.RuleGroup.decode(thanos.RuleGroup.encode(group)));
      return {groups: mergeRules(whole, q, replicaLabels), warnings};
    },
  };
}

function groupMessage(group: Group, type: number, external: Labels): Init<thanos.RuleGroup> {
  const {spec} = group;
  const rules = group.rules.filter(
    ({alerting}) => type === RULES_ALL || (type === RULES_ALERT) === (alerting !== undefined),
  );
  return {
    name: spec.name,
    file: spec.file,
    rules: rules.map((rule) => ruleMessage(rule, strategyOf(group), external)),
    interval: group.intervalMs / 1000,
    evaluationDurationSeconds: group.evaluationSeconds,
    lastEvaluation: timestamp(group.evaluatedAt),
    limit: spec.limit,
    partialResponseStrategy: strategyOf(group),
  };
}

const strategyOf = ({spec}: Group): number =>
  spec.strategy === "warn" ? thanos.PartialResponseStrategy.WARN : thanos.PartialResponseStrategy.ABORT;

function ruleMessage(rule: Rule, strategy: number, external: Labels): Init<thanos.Rule> {
  const {spec, alerting} = rule;
  const shared = {
    name: spec.name,
    query: spec.query,
    labels: labelSet(spec.labels.extend(external)),
    health: rule.health,
    lastError: rule.lastError,
    evaluationDurationSeconds: rule.evaluationSeconds,
    lastEvaluation: timestamp(rule.evaluatedAt),
  };
  if (alerting === undefined || spec.kind !== "alerting") return {recording: shared};
  return {
    alert: {
      ...shared,
      state: STATES[alerting.state],
      durationSeconds: spec.forMs / 1000,
      keepFiringForSeconds: spec.keepFiringForMs / 1000,
      annotations: labelSet(spec.annotations),
      alerts: alerting.active.map((alert) => alertMessage(alert, strategy)),
    },
  };
}

const alertMessage = (alert: Alert, strategy: number): Init<thanos.AlertInstance> => ({
  labels: labelSet(alert.labels),
  annotations: labelSet(alert.annotations),
  state: STATES[alert.state],
  activeAt: timestamp(alert.activeAt),
  value: exponentText(alert.value),
  partialResponseStrategy: strategy,
});

/** Go's shortest `%e`: `1e+00`. */
export function exponentText(v: number): string {
  if (Number.isNaN(v)) return "NaN";
  if (!Number.isFinite(v)) return v > 0 ? "+Inf" : "-Inf";
  const [mantissa, exponent] = v.toExponential().split("e") as [string, string];
  const sign = Object.is(v, -0) ? "-" : "";
  return `${sign}${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

/** Go's zero time where there was none yet. */
function timestamp(ms: number | undefined): Timestamp {
  if (ms === undefined) return ZERO_TIME;
  const seconds = Math.floor(ms / 1000);
  return {seconds, nanos: Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6))};
}
