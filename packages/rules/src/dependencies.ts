import {METRIC_NAME, matcher} from "@strata/model";
import {walk} from "@strata/promql";
import {ALERT_NAME, ALERTS, ALERTS_FOR_STATE} from "./alerting-rule.ts";
import type {RuleSpec} from "./rule-spec.ts";

/** Rules by their position that may run together; each set after the one before it. */
export type Batches = readonly (readonly number[])[];

/** What a rule reads: names, and alerts by name (undefined: of any). */
type Reads = {readonly names: Set<string>; readonly alerts: (readonly [name: string, alert: string | undefined])[]};

/**
 * Which rules of a group may be evaluated at once: first those that read nothing of the group, together; then those that
 * read and are read, one after another in their order; last those that are only readers, together. Where a selector
 * names no metric, nothing can be said and all run in order.
 */
export function evaluationBatches(rules: readonly RuleSpec[]): Batches {
  const inOrder = rules.map((_, i) => [i]);
  const reads = rules.map((rule) => readsOf(rule));
  if (reads.includes(undefined)) return inOrder;
  const dependents = rules.map((rule) => reads.flatMap((reader, i) => (dependsOn(reader as Reads, rule) ? [i] : [])));
  const dependsOnAny = new Set(dependents.flat());
  const all = rules.map((_, i) => i);
  const first = all.filter((i) => !dependsOnAny.has(i));
  const middle = all.filter((i) => dependsOnAny.has(i) && (dependents[i] as number[]).length > 0);
  const last = all.filter((i) => dependsOnAny.has(i) && (dependents[i] as number[]).length === 0);
  return [first, ...middle.map((i) => [i]), last].filter((batch) => batch.length > 0);
}

/** undefined where a selector could read anything. */
function readsOf(rule: RuleSpec): Reads | undefined {
  const reads: Reads = {names: new Set(), alerts: []};
  let known = true;
  walk(rule.expr, (node) => {
    if (node.kind !== "vector") return true;
    const name = node.matchers.find((m) => m.name === METRIC_NAME && m.op === "=")?.value ?? node.name;
    if (name === "") known = false;
    else if (name === ALERTS || name === ALERTS_FOR_STATE) {
      const alert = node.matchers.find((m) => m.name === ALERT_NAME);
      if (alert === undefined) reads.alerts.push([name, undefined]);
      else if (alert.op === "=") reads.alerts.push([name, alert.value]);
      else known = false;
    } else reads.names.add(name);
    return true;
  });
  return known ? reads : undefined;
}

function dependsOn(reader: Reads, rule: RuleSpec): boolean {
  if (rule.kind === "recording") return reader.names.has(rule.name);
  return reader.alerts.some(([, alert]) => alert === undefined || matcher(ALERT_NAME, "=", alert).matches(rule.name));
}
