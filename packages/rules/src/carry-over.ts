import type {Group, Rule} from "./group.ts";
import {ruleKey} from "./rule-spec.ts";

/**
 * Hands state on from groups that end to those that take their place: each new rule takes the alerts and the open series of
 * an old one of its kind, name and labels, first from the group of the same file and name, then from any other, so that a
 * rule may move. Old groups must not evaluate any more. Returns, by old group, the rules that nobody took over.
 */
export function carryOver(ended: readonly Group[], begun: readonly Group[]): Map<Group, Rule[]> {
  const left = new Map(ended.map((group) => [group, [...group.rules]]));
  const waiting: Rule[] = [];
  for (const group of begun) {
    const before = ended.find(({spec}) => spec.file === group.spec.file && spec.name === group.spec.name);
    const candidates = before === undefined ? [] : (left.get(before) as Rule[]);
    for (const rule of group.rules) if (!takeFrom(candidates, rule)) waiting.push(rule);
  }
  for (const rule of waiting) {
    for (const candidates of left.values()) if (takeFrom(candidates, rule)) break;
  }
  return left;
}

/** Takes the first candidate of the rule's key, one with the same expression before others. */
function takeFrom(candidates: Rule[], rule: Rule): boolean {
  const key = ruleKey(rule.spec);
  const equal = candidates.filter((candidate) => ruleKey(candidate.spec) === key);
  const old = equal.find((candidate) => candidate.spec.query === rule.spec.query) ?? equal[0];
  if (old === undefined) return false;
  candidates.splice(candidates.indexOf(old), 1);
  rule.memory.adopt(old.memory);
  if (old.alerting !== undefined) rule.alerting?.adopt(old.alerting);
  rule.health = old.health;
  rule.lastError = old.lastError;
  rule.evaluatedAt = old.evaluatedAt;
  rule.evaluationSeconds = old.evaluationSeconds;
  return true;
}
