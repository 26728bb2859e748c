import {StrataError} from "@strata/base";
import {type Labels, type Matcher, matcher, quoteRegex} from "@strata/model";
import type {StoreHandle} from "./store-handle.ts";

/** What of a request decides which stores are asked. */
export type StoreQuery = {
  readonly matchers: readonly Matcher[];
  readonly mint: number;
  readonly maxt: number;
  /** Whether stores that are away are among them, for whoever wants to be told of them. */
  readonly partialResponse: boolean;
  /** Alternatives of debug matchers on `__address__`; none for all stores. */
  readonly storeMatch: readonly (readonly Matcher[])[];
};

/** Which label sets of stores a proxy may use; undefined for all of them. */
export type LabelSetSelector = ((labels: Labels) => boolean) | undefined;

/** What of a store decides whether it is asked. */
export type Choosable = Pick<StoreHandle, "address" | "labelSets" | "mint" | "maxt" | "away"> & {
  readonly source: {readonly kind: StoreHandle["source"]["kind"]};
};

/** A store to be asked, and the matchers that keep it to its selected label sets. */
export type ChosenStore<S extends Choosable> = {readonly store: S; readonly extraMatchers: readonly Matcher[]};

/** The stores that may hold series for the request, by selector, time, debug matchers and external labels. */
export function chooseStores<S extends Choosable>(
  stores: readonly S[],
  q: StoreQuery,
  selector: LabelSetSelector,
): readonly ChosenStore<S>[] {
  const chosen: ChosenStore<S>[] = [];
  for (const store of stores) {
    if (store.away !== undefined && !q.partialResponse) continue;
    const selected = selector === undefined ? store.labelSets : store.labelSets.filter(selector);
    if (store.labelSets.length > 0 && selected.length === 0) continue;
    if (q.mint > store.maxt || q.maxt < store.mint) continue;
    if (!addressMatches(store, q.storeMatch)) continue;
    if (!labelSetsMatch(store.labelSets, q.matchers)) continue;
    const partly = selected.length < store.labelSets.length;
    chosen.push({store, extraMatchers: partly ? matchersFor(selected) : []});
  }
  return chosen;
}

function addressMatches(store: Choosable, sets: readonly (readonly Matcher[])[]): boolean {
  if (sets.length === 0) return true;
  if (store.source.kind === "local") return false;
  return sets.some((set) => set.every((m) => m.name !== "__address__" || m.matches(store.address)));
}

/** Whether some label set contradicts no matcher. A label that a set lacks contradicts nothing; no sets match all. */
export function labelSetsMatch(sets: readonly Labels[], matchers: readonly Matcher[]): boolean {
  if (sets.length === 0) return true;
  return sets.some((set) => matchers.every((m) => !set.has(m.name) || m.matches(set.get(m.name))));
}

/** One matcher a label: any of the values the sets give it; a set without the label allows its absence. */
function matchersFor(sets: readonly Labels[]): Matcher[] {
  const names = new Set(sets.flatMap((set) => set.pairs.filter((_, i) => i % 2 === 0)));
  return [...names].sort().map((name) => {
    const values = new Set(sets.map((set) => (set.has(name) ? quoteRegex(set.get(name)) : "^$")));
    return matcher(name, "=~", [...values].sort().join("|"));
  });
}

/**
 * Matchers on labels that a source has by itself, evaluated and taken out: undefined when one does not match (the source
 * has nothing), else those that are left. None left is `bad_data`; `what` names the labels in its text.
 */
export function matchExternal(
  matchers: readonly Matcher[],
  external: Labels,
  what: string,
): readonly Matcher[] | undefined {
  const left: Matcher[] = [];
  for (const m of matchers) {
    if (!external.has(m.name)) left.push(m);
    else if (!m.matches(external.get(m.name))) return undefined;
  }
  if (left.length === 0) throw new StrataError("bad_data", `no matchers specified (excluding ${what} labels)`);
  return left;
}
