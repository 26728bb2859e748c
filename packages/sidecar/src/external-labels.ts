import type {Labels, Matcher} from "@strata/model";

/**
 * What is left of `matchers` to ask of the source once its external labels are known: undefined when one of them
 * contradicts an external label, else those that are on other labels (grpc.md §4.2).
 */
export function stripExternal(matchers: readonly Matcher[], external: Labels): readonly Matcher[] | undefined {
  const rest: Matcher[] = [];
  for (const m of matchers) {
    if (!external.has(m.name)) rest.push(m);
    else if (!m.matches(external.get(m.name))) return undefined;
  }
  return rest;
}

/** The final label set of a series: its own, overwritten by the external ones, minus the replica labels. */
export function finalLabels(own: Labels, external: Labels, without: readonly string[]): Labels {
  const merged = own.extend(external);
  return without.length === 0 ? merged : merged.without(without);
}
