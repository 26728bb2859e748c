import {compareLabels, compareUtf8, Labels, type Matcher} from "@strata/model";
import type {google, Init, thanos} from "@strata/proto";

/** Which rules are wanted; an empty list wants all. */
export type RulesFilter = {
  /** A rule's labels have to satisfy all of them. */
  readonly matcherSets: readonly (readonly Matcher[])[];
  readonly names: readonly string[];
  readonly groups: readonly string[];
  readonly files: readonly string[];
};

/**
 * The rule groups of several sources as one list: rules filtered, groups of one file and name joined, rules that differ
 * only in `replicaLabels` made one (the most severe alert, then the one evaluated last), all sorted.
 */
export function mergeRules(
  groups: readonly thanos.RuleGroup[],
  filter: RulesFilter,
  replicaLabels: readonly string[],
): readonly thanos.RuleGroup[] {
  const joined = new Map<string, thanos.RuleGroup>();
  for (const group of filtered(groups, filter)) {
    const key = `${group.file};${group.name}`;
    const known = joined.get(key);
    const newest = known !== undefined && compareTime(known.lastEvaluation, group.lastEvaluation) >= 0 ? known : group;
    joined.set(key, {...newest, rules: [...(known?.rules ?? []), ...group.rules]});
  }
  const keys = [...joined.keys()].sort(compareUtf8);
  return keys.map((key) => {
    const group = joined.get(key) as thanos.RuleGroup;
    return {...group, rules: dedupRules(group.rules, replicaLabels)};
  });
}

function filtered(groups: readonly thanos.RuleGroup[], filter: RulesFilter): readonly thanos.RuleGroup[] {
  const {matcherSets, names} = filter;
  const wanted = (list: readonly string[], value: string) => list.length === 0 || list.includes(value);
  const chosen = groups.filter((g) => wanted(filter.groups, g.name) && wanted(filter.files, g.file));
  const all = [matcherSets, names, filter.groups, filter.files].every((list) => list.length === 0);
  if (all) return chosen;
  return chosen
    .map((group) => ({
      ...group,
      rules: group.rules.filter((r) => wanted(names, factsOf(r).name) && matches(matcherSets, factsOf(r).labels)),
    }))
    .filter((group) => group.rules.length > 0);
}

/** Compat: labels that hold a template count as absent. */
function matches(sets: readonly (readonly Matcher[])[], labels: Labels): boolean {
  const value = (name: string) => (labels.get(name).includes("{{") ? "" : labels.get(name));
  return sets.every((set) => set.every((m) => m.matches(value(m.name))));
}

/** What identifies a rule. */
type RuleFacts = {
  readonly alerting: boolean;
  readonly name: string;
  readonly labels: Labels;
  readonly query: string;
  readonly duration: number;
};

function factsOf({alert, recording}: thanos.Rule): RuleFacts {
  const rule = alert ?? recording;
  return {
    alerting: alert !== undefined,
    name: rule?.name ?? "",
    labels: labelsOf(rule?.labels),
    query: rule?.query ?? "",
    duration: alert?.durationSeconds ?? 0,
  };
}

function dedupRules(rules: readonly thanos.Rule[], replicaLabels: readonly string[]): thanos.Rule[] {
  const sorted = rules
    .map((rule) => {
      const stripped = withoutLabels(rule, replicaLabels);
      return {rule: stripped, facts: factsOf(stripped)};
    })
    .sort((a, b) => compareFacts(a.facts, b.facts));
  const out: typeof sorted = [];
  for (const next of sorted) {
    const last = out.at(-1);
    if (last === undefined || compareFacts(last.facts, next.facts) !== 0) out.push(next);
    else if (compareState(last.rule, next.rule) > 0) out[out.length - 1] = next;
  }
  return out.map(({rule}) => rule);
}

function withoutLabels(rule: thanos.Rule, names: readonly string[]): thanos.Rule {
  if (names.length === 0) return rule;
  const {alert, recording} = rule;
  const strip = (set: thanos.LabelSet | undefined) => labelSet(labelsOf(set).without(names));
  return {
    alert: alert && {...alert, labels: strip(alert.labels)},
    recording: recording && {...recording, labels: strip(recording.labels)},
  };
}

/** Alerts before recordings; then by name, labels, query and duration. */
function compareFacts(a: RuleFacts, b: RuleFacts): number {
  if (a.alerting !== b.alerting) return a.alerting ? -1 : 1;
  return (
    compareUtf8(a.name, b.name) ||
    compareLabels(a.labels, b.labels) ||
    compareUtf8(a.query, b.query) ||
    a.duration - b.duration
  );
}

/** Of equal rules the one to keep is the smaller: the more severe state, then the later evaluation. */
function compareState(a: thanos.Rule, b: thanos.Rule): number {
  const severity = (b.alert?.state ?? 0) - (a.alert?.state ?? 0);
  const time = (r: thanos.Rule) => r.alert?.lastEvaluation ?? r.recording?.lastEvaluation;
  return severity || compareTime(time(b), time(a));
}

function compareTime(a: google.Timestamp | undefined, b: google.Timestamp | undefined): number {
  const seconds = (t: google.Timestamp | undefined) => t?.seconds ?? Number.NEGATIVE_INFINITY;
  if (seconds(a) !== seconds(b)) return seconds(a) < seconds(b) ? -1 : 1;
  return (a?.nanos ?? 0) - (b?.nanos ?? 0);
}

/** A label set of the StoreAPI as Labels; missing ones are empty. */
export const labelsOf = (set: Init<thanos.LabelSet> | undefined): Labels =>
  Labels.fromPairs((set?.labels ?? []).map((l) => [l.name ?? "", l.value ?? ""] as const));

/** Labels as a label set of the StoreAPI. */
export const labelSet = (labels: Labels): thanos.LabelSet => ({
  labels: [...labels].map(([name, value]) => ({name, value})),
});
