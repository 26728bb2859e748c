import type {Matcher} from "@strata/model";
import {type IdList, intersectTwo, subtract, union} from "./postings-ops.ts";

/** Where posting lists come from: a block's index, an index-header with a bucket behind it, a head. */
export interface PostingsSource {
  /** All series, ascending. */
  all(): Promise<IdList>;
  /** Label names, sorted by bytes. */
  labelNames(): Promise<readonly string[]>;
  /** Values of a name that start with `prefix`, sorted by bytes; none for an unknown name. */
  labelValues(name: string, prefix?: string): Promise<readonly string[]>;
  /** The lists of those of the values that exist, in any order. */
  postings(name: string, values: readonly string[]): Promise<readonly IdList[]>;
  /** How many values a name has, where that is known without reading. */
  cardinality?(name: string): number | undefined;
}

/** Series that fit the matchers, but for those in `pending`, which are left to be checked on each series' labels. */
export type Selection = {readonly ids: IdList; readonly pending: readonly Matcher[]};

/** A matcher is left pending when it has this many times more values than there are series left to check. */
const LAZY_RATIO = 8;
/** … and at least so many. */
const LAZY_VALUES = 256;

/**
 * Posting lists of all series that fit every matcher. A matcher that lets a missing label pass takes away the series
 * whose value it refuses; any other keeps the union of the values that it accepts. The cheap ones go first, and once
 * nothing is left no more is read.
 *
 * With `lazy`, matchers over names with far more values than there are series left (`lazyRatio` times as many; 0 is no
 * bound) are not expanded but returned as `pending`.
 */
export async function selectPostings(
  matchers: readonly Matcher[],
  source: PostingsSource,
  options: {lazy?: boolean | undefined; lazyRatio?: number | undefined} = {},
): Promise<Selection> {
  const steps = matchers.map(step).sort((a, b) => a.cost - b.cost);
  const pending: Matcher[] = [];
  let ids: IdList | undefined;
  for (const {matcher, keeps, values} of steps) {
    if (ids?.length === 0) break;
    if (options.lazy && ids !== undefined && values === undefined && isWide(matcher, ids, source, options.lazyRatio)) {
      pending.push(matcher);
      continue;
    }
    const wanted = values ?? (await wantedValues(matcher, keeps, source));
    const lists = wanted.length === 0 ? [] : await source.postings(matcher.name, wanted);
    const found = union(lists);
    if (keeps) ids = ids === undefined ? found : intersectTwo(ids, found);
    else if (found.length > 0) ids = subtract(ids ?? (await source.all()), found);
  }
  return {ids: ids ?? (await source.all()), pending};
}

type Step = {
  readonly matcher: Matcher;
  /** true: keeps series with one of the values; false: takes them away. */
  readonly keeps: boolean;
  /** The values, where they are known without a list of all. */
  readonly values: readonly string[] | undefined;
  readonly cost: number;
};

function step(matcher: Matcher): Step {
  const keeps = !matcher.matches("");
  const values = isPositive(matcher, keeps) ? matcher.set?.filter((value) => value !== "") : undefined;
  // Keeping goes before taking away, so that only an all-negative selector ever needs the list of all series.
  const cost = (keeps ? 0 : 1e9) + (values === undefined ? 1e6 + (matcher.prefix === "" ? 1 : 0) : values.length);
  return {matcher, keeps, values, cost};
}

/** Whether the values to look up are those that the matcher's value or expression itself describes. */
const isPositive = (matcher: Matcher, keeps: boolean): boolean => keeps === (matcher.op === "=" || matcher.op === "=~");

const isWide = (matcher: Matcher, ids: IdList, source: PostingsSource, ratio = LAZY_RATIO): boolean => {
  const values = source.cardinality?.(matcher.name) ?? 0;
  return ratio > 0 && values >= LAZY_VALUES && values > ids.length * ratio;
};

/** The values whose lists a matcher takes: those of series that it keeps, or else of those that it takes away. */
export async function matcherValues(
  matcher: Matcher,
  source: PostingsSource,
): Promise<{readonly keeps: boolean; readonly values: readonly string[]}> {
  const {keeps, values} = step(matcher);
  return {keeps, values: values ?? (await wantedValues(matcher, keeps, source))};
}

async function wantedValues(matcher: Matcher, keeps: boolean, source: PostingsSource): Promise<readonly string[]> {
  const prefix = isPositive(matcher, keeps) ? matcher.prefix : "";
  const values = await source.labelValues(matcher.name, prefix);
  return values.filter((value) => matcher.matches(value) === keeps);
}
