import type {Matcher} from "@strata/model";
import {matcherValues} from "@strata/tsdb/blocks";
import type {BlockReader} from "./block-reader.ts";
import type {ReadContext} from "./read-context.ts";

/** `--store.enable-lazy-expanded-postings`. */
export type LazyPostings = {
  /** `--store.posting-group-max-key-series-ratio`: more values than this times the series expected are not looked up; 0: no bound. */
  readonly maxKeySeriesRatio: number;
};

/** Compat: of the series found so far each further matcher is expected to keep this share. */
const MATCH_SHARE = 0.5;

const ID_BYTES = 4;

/** A matcher with what the index-header knows: values that exist in the block, and series in their lists together. */
type Weighed = {
  readonly matcher: Matcher;
  /** true: its lists keep series, false: they take them away. */
  readonly keeps: boolean;
  readonly keys: number;
  readonly series: number;
};

/**
 * Parts matchers into those whose posting lists are worth fetching and those that are better checked on the labels of the
 * series which the others leave: a list that is larger than the series entries it would save is not fetched. Nothing is
 * read but the index-header. `seriesBytes` is what an entry takes.
 */
export async function partMatchers(
  matchers: readonly Matcher[],
  reader: BlockReader,
  {maxKeySeriesRatio}: LazyPostings,
  seriesBytes: number,
  {metrics}: ReadContext,
): Promise<{readonly fetched: readonly Matcher[]; readonly pending: readonly Matcher[]}> {
  const weighed: Weighed[] = [];
  for (const matcher of matchers) weighed.push(await weigh(matcher, reader));
  weighed.sort((a, b) => a.series - b.series);
  const first = weighed.findIndex(({keeps}) => keeps);
  // Nothing to keep, or nothing behind it that could be put off; or no series at all, which is soon found out.
  if (first < 0 || first === weighed.length - 1 || weighed[first]?.keys === 0) return {fetched: matchers, pending: []};
  const fetched = weighed.slice(0, first + 1);
  const pending: Matcher[] = [];
  const putOff = ({matcher, series}: Weighed, reason: "keys_limit" | "postings_size") => {
    pending.push(matcher);
    metrics.lazyGroups.with({reason}).inc();
    metrics.lazyBytes.inc(series * ID_BYTES);
  };
  let matched = expected(fetched);
  const most = matched;
  let rest = first + 1;
  for (; rest < weighed.length && matched > 0; rest++) {
    const next = weighed[rest] as Weighed;
    if (maxKeySeriesRatio > 0 && next.keys > maxKeySeriesRatio * most) {
      putOff(next, "keys_limit");
      continue;
    }
    const saved = Math.ceil((next.keeps ? matched : Math.min(next.series, matched)) * MATCH_SHARE);
    matched -= saved;
    // What follows is larger and saves less.
    if (next.series * ID_BYTES > saved * seriesBytes) break;
    fetched.push(next);
  }
  for (const next of weighed.slice(rest)) putOff(next, "postings_size");
  return {fetched: fetched.map(({matcher}) => matcher), pending};
}

/** Series that are left by the first list that keeps any and by smaller ones before it that take away. */
function expected(fetched: readonly Weighed[]): number {
  let taken = 0;
  for (const {keeps, series} of fetched) if (!keeps) taken += series;
  return (fetched.at(-1)?.series ?? 0) - Math.ceil(taken * MATCH_SHARE);
}

async function weigh(matcher: Matcher, reader: BlockReader): Promise<Weighed> {
  const {keeps, values} = await matcherValues(matcher, reader);
  return {matcher, keeps, ...(await reader.listSizes(matcher.name, values))};
}
