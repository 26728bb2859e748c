import {Labels as LabelSet, type Labels, type Matcher} from "@strata/model";
import type {Connection} from "@strata/storeapi";

/** A label set with the times for which its data is there, ms; plain, for it crosses threads. */
export type CoveredSet = {readonly pairs: readonly string[]; readonly mint: number; readonly maxt: number};

/** What a querier may leave the evaluation to: other queriers, and what else there is that only has series. */
export type Federation = {
  readonly engines: readonly {readonly connection: Connection; readonly sets: readonly CoveredSet[]}[];
  /** Stores that are no queriers: what they may hold cannot be evaluated elsewhere. */
  readonly stores: readonly {
    readonly sets: readonly (readonly string[])[];
    readonly mint: number;
    readonly maxt: number;
  }[];
  /** `--query.partition-label`: only these tell engines apart; empty for all but the replica labels. */
  readonly partitionLabels: readonly string[];
};

/** One part of the data, known to one querier or to several alike. */
export type Part = {
  readonly connections: readonly Connection[];
  /** Without replica labels. */
  readonly labelSets: readonly Labels[];
  readonly mint: number;
  readonly maxt: number;
};

/**
 * The parts of the data whose union is all that queriers have, each sample in one of them only. Queriers that name the same
 * label sets, replica labels included, are one part; of those only such are used as have data for all of [mint, maxt].
 * undefined where the parts cannot be told apart.
 */
export function partsOf(
  {engines, partitionLabels}: Federation,
  replicaLabels: readonly string[],
  mint: number,
  maxt: number,
): readonly Part[] | undefined {
  const groups = new Map<string, {connection: Connection; sets: readonly CoveredSet[]}[]>();
  for (const engine of engines) {
    const key = [...new Set(engine.sets.map(({pairs}) => JSON.stringify(pairs)))].sort().join();
    groups.set(key, [...(groups.get(key) ?? []), engine]);
  }
  const parts: Part[] = [];
  for (const group of groups.values()) {
    const usable = group.length === 1 ? group : group.filter(({sets}) => covers(sets, mint, maxt));
    if (usable.length === 0) return undefined;
    const sets = usable[0]?.sets ?? [];
    parts.push({
      connections: usable.map(({connection}) => connection),
      labelSets: sets.map(({pairs}) => new LabelSet(pairs).without(replicaLabels)),
      mint: sets.length === 0 ? Number.NEGATIVE_INFINITY : Math.min(...sets.map((s) => s.mint)),
      maxt: sets.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...sets.map((s) => s.maxt)),
    });
  }
  const tells = (name: string): boolean => partitionLabels.length === 0 || partitionLabels.includes(name);
  return areDisjoint(parts, tells) ? parts : undefined;
}

/** Whether each label set has data for all of [mint, maxt] without a gap. */
function covers(sets: readonly CoveredSet[], mint: number, maxt: number): boolean {
  return sets.every(({pairs}) => {
    const key = JSON.stringify(pairs);
    return sets.some((s) => JSON.stringify(s.pairs) === key && s.mint <= mint && s.maxt >= maxt);
  });
}

/**
 * Whether no series can be in two parts: any two label sets of different parts have a label in common whose values
 * differ. Only labels that `kept` accepts count: what an expression has dropped tells nothing apart any more.
 */
export function areDisjoint(parts: readonly Part[], kept: (name: string) => boolean): boolean {
  return (
    parts.every((a, i) =>
      parts.slice(i + 1).every((b) => a.labelSets.every((x) => b.labelSets.every((y) => differ(x, y, kept)))),
    ) &&
    (parts.length < 2 || parts.every((p) => p.labelSets.length > 0))
  );
}

const differ = (x: Labels, y: Labels, kept: (name: string) => boolean): boolean =>
  [...x].some(([name, value]) => kept(name) && y.has(name) && y.get(name) !== value);

/** Whether a part may hold series for one of the selectors. */
export const mayHold = (part: Part, selectors: readonly (readonly Matcher[])[]): boolean =>
  part.labelSets.length === 0 || selectors.some((s) => part.labelSets.some((set) => fits(set, s)));

const fits = (set: Labels, matchers: readonly Matcher[]): boolean =>
  matchers.every((m) => !set.has(m.name) || m.matches(set.get(m.name)));

/** Whether some store that is no querier may hold series for one of the selectors. */
export function storesMayHold(
  {stores}: Federation,
  selectors: readonly (readonly Matcher[])[],
  mint: number,
  maxt: number,
): boolean {
  return stores.some((store) => {
    if (store.mint > maxt || store.maxt < mint) return false;
    const sets = store.sets.map((pairs) => new LabelSet(pairs));
    return sets.length === 0 || selectors.some((s) => sets.some((set) => fits(set, s)));
  });
}
