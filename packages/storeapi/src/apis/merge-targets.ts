import {compareLabels, compareUtf8, type Labels} from "@strata/model";
import type {thanos} from "@strata/proto";
import {labelSet, labelsOf} from "./merge-rules.ts";

/**
 * The targets of several sources as one list: those that differ only in `replicaLabels` are one (of active ones that
 * which is down, then the one scraped last). Sorted by what they were before the replica labels went.
 */
export function mergeTargets(
  all: readonly thanos.TargetDiscovery[],
  replicaLabels: readonly string[],
): thanos.TargetDiscovery {
  return {
    activeTargets: dedup(
      all.flatMap((t) => t.activeTargets).map((target) => ({target, facts: activeFacts(target)})),
      (target) => ({
        ...target,
        discoveredLabels: labelSet(labelsOf(target.discoveredLabels).without(replicaLabels)),
        labels: labelSet(labelsOf(target.labels).without(replicaLabels)),
      }),
      activeFacts,
      compareState,
    ),
    droppedTargets: dedup(
      all.flatMap((t) => t.droppedTargets).map((target) => ({target, facts: droppedFacts(target)})),
      (target) => ({discoveredLabels: labelSet(labelsOf(target.discoveredLabels).without(replicaLabels))}),
      droppedFacts,
      () => 0,
    ),
  };
}

/** What identifies a target, in the order it is compared. */
type TargetFacts = {readonly url: string; readonly pool: string; readonly labels: readonly Labels[]};

const activeFacts = (t: thanos.ActiveTarget): TargetFacts => ({
  url: t.scrapeUrl,
  pool: t.scrapePool,
  labels: [labelsOf(t.discoveredLabels), labelsOf(t.labels)],
});

const droppedFacts = (t: thanos.DroppedTarget): TargetFacts => ({
  url: "",
  pool: "",
  labels: [labelsOf(t.discoveredLabels)],
});

function dedup<T>(
  targets: readonly {readonly target: T; readonly facts: TargetFacts}[],
  strip: (target: T) => T,
  factsOf: (target: T) => TargetFacts,
  compare: (a: T, b: T) => number,
): T[] {
  const sorted = [...targets].sort((a, b) => compareFacts(a.facts, b.facts));
  const kept = new Map<string, T>();
  for (const {target} of sorted) {
    const stripped = strip(target);
    const {url, pool, labels} = factsOf(stripped);
    const key = JSON.stringify([url, pool, ...labels.map(String)]);
    const known = kept.get(key);
    if (known === undefined || compare(known, stripped) > 0) kept.set(key, stripped);
  }
  return [...kept.values()];
}

function compareFacts(a: TargetFacts, b: TargetFacts): number {
  const first = compareUtf8(a.url, b.url) || compareUtf8(a.pool, b.pool);
  return first || a.labels.reduce((d, set, i) => d || compareLabels(set, b.labels[i] as Labels), 0);
}

/** Of equal targets the one to keep is the smaller. Compat: the lower number of health (down, up, unknown) wins. */
function compareState(a: thanos.ActiveTarget, b: thanos.ActiveTarget): number {
  if (a.health !== b.health) return a.health - b.health;
  const [x, y] = [a.lastScrape, b.lastScrape];
  return (y?.seconds ?? 0) - (x?.seconds ?? 0) || (y?.nanos ?? 0) - (x?.nanos ?? 0);
}
