import {compareUtf8, type Labels, type Matcher} from "@strata/model";
import {type IdList, intersects} from "./postings-ops.ts";
import {type PostingsSource, selectPostings} from "./select-postings.ts";

/** A source of postings that can also read the labels of series. */
export interface LabelSource extends PostingsSource {
  /** Hands the labels of each of the series (ids ascending) to `visit`. */
  readSeries(ids: IdList, visit: (id: number, labels: Labels) => void): Promise<void>;
}

/** Names of the labels of all series that fit the matchers, sorted by bytes. */
export async function selectLabelNames(matchers: readonly Matcher[], source: LabelSource): Promise<readonly string[]> {
  if (matchers.length === 0) return source.labelNames();
  const {ids} = await selectPostings(matchers, source);
  const names = new Set<string>();
  await source.readSeries(ids, (_, labels) => {
    for (let i = 0; i < labels.pairs.length; i += 2) names.add(labels.pairs[i] as string);
  });
  return [...names].sort(compareUtf8);
}

/** Finding and reading one posting list costs as much as reading the labels of so many neighbouring series. */
const SERIES_PER_LIST = 32;

/** Values that label `name` has in series that fit the matchers, sorted by bytes. */
export async function selectLabelValues(
  name: string,
  matchers: readonly Matcher[],
  source: LabelSource,
): Promise<readonly string[]> {
  if (matchers.length === 0) return source.labelValues(name);
  const {ids} = await selectPostings(matchers, source);
  if (ids.length === 0) return [];
  const candidates = (await source.labelValues(name)).filter((value) =>
    matchers.every((m) => m.name !== name || m.matches(value)),
  );
  // With matchers on this very name alone, the candidates are the answer.
  if (matchers.every((m) => m.name === name)) return candidates;
  return ids.length <= candidates.length * SERIES_PER_LIST
    ? valuesOfSeries(name, ids, source)
    : valuesOfLists(name, candidates, ids, source);
}

async function valuesOfSeries(name: string, ids: IdList, source: LabelSource): Promise<readonly string[]> {
  const values = new Set<string>();
  await source.readSeries(ids, (_, labels) => values.add(labels.get(name)));
  values.delete("");
  return [...values].sort(compareUtf8);
}

async function valuesOfLists(
  name: string,
  candidates: readonly string[],
  ids: IdList,
  source: LabelSource,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const value of candidates) {
    const lists = await source.postings(name, [value]);
    if (lists.some((list) => intersects(list, ids))) found.push(value);
  }
  return found;
}
