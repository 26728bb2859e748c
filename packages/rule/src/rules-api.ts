import {type Labels, type Timestamp, ZERO_TIME} from "@strata/model";
import {thanos} from "@strata/proto";
import type {Alert, AlertState, Group, Rule} from "@strata/rules";
import {type ApiSource, collect, labelSet, mergeRules} from "@strata/storeapi";
import type {RulesBackend} from "@strata/web";

const {RULES_ALL, RULES_ALERT} = thanos.RulesType;
const STATES: Readonly<Record<AlertState | "unknown", number>> = {unknown: 0, inactive: 1, pending: 2, firing: 3};

/** The rules of this ruler as thanos.Rules gives them; `externalLabels` are added to those of rules and win. */
export function rulesSource(
  groups: () => readonly Group[],
  externalLabels: Labels,
): ApiSource<thanos.RulesRequest, thanos.RuleGroup> {
  const constants = new WeakMap<Rule["spec"], Constants>();
  const constantsOf = (spec: Rule["spec"]): Constants => {
    let known = constants.get(spec);
    if (known === undefined) {
      const annotations = spec.kind === "alerting" ? labelSet(spec.annotations) : undefined;
      known = {labels: labelSet(spec.labels.extend(externalLabels)), annotations};
      constants.set(spec, known);
    }
    return known;
  };
  return async function* ({type}) {
    for (const group of groups()) yield {value: groupMessage(group, type, constantsOf)};
  };
}

/** What a rule's message has in common each time. */
type Constants = {readonly labels: thanos.LabelSet; readonly annotations: thanos.LabelSet | undefined};

/** What the ruler's own HTTP API answers from. */
export function rulesBackend(source: ApiSource<thanos.RulesRequest, thanos.RuleGroup>): RulesBackend {
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
      return {groups: mergeRules(values, q, replicaLabels), warnings};
    },
  };
}

function groupMessage(group: Group, type: number, constantsOf: (spec: Rule["spec"]) => Constants): thanos.RuleGroup {
  const {spec} = group;
  const rules = group.rules.filter(
    ({alerting}) => type === RULES_ALL || (type === RULES_ALERT) === (alerting !== undefined),
  );
  return {
    name: spec.name,
    file: spec.file,
    rules: rules.map((rule) => ruleMessage(rule, strategyOf(group), constantsOf(rule.spec))),
    interval: group.intervalMs / 1000,
    evaluationDurationSeconds: group.evaluationSeconds,
    lastEvaluation: timestamp(group.evaluatedAt),
    limit: spec.limit,
    partialResponseStrategy: strategyOf(group),
  };
}

const strategyOf = ({spec}: Group): number =>
  spec.strategy === "warn" ? thanos.PartialResponseStrategy.WARN : thanos.PartialResponseStrategy.ABORT;

function ruleMessage(rule: Rule, strategy: number, {labels, annotations}: Constants): thanos.Rule {
  const {spec, alerting} = rule;
  const shared = {
    name: spec.name,
    query: spec.query,
    labels,
    health: rule.health,
    lastError: rule.lastError,
    evaluationDurationSeconds: rule.evaluationSeconds,
    lastEvaluation: timestamp(rule.evaluatedAt),
  };
  if (alerting === undefined || spec.kind !== "alerting") return {recording: shared, alert: undefined};
  return {
    recording: undefined,
    alert: {
      ...shared,
      state: STATES[alerting.state],
      durationSeconds: spec.forMs / 1000,
      keepFiringForSeconds: spec.keepFiringForMs / 1000,
      annotations,
      alerts: alerting.active.map((alert) => alertMessage(alert, strategy)),
    },
  };
}

const alertMessage = (alert: Alert, strategy: number): thanos.AlertInstance => ({
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
