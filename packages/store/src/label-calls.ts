import {compareUtf8, Labels, type Matcher} from "@strata/model";
import {selectLabelNames, selectLabelValues, selectPostings} from "@strata/tsdb/blocks";
import type {BlockReader} from "./block-reader.ts";
import type {ReadContext} from "./read-context.ts";

/** Series entries looked at together where a time range cuts a block. */
const ROW_BATCH = 1024;

/** What a label call asks of one block: matchers left for its series, time in ms, both ends inclusive. */
export type BlockLabelQuery = {
  readonly matchers: readonly Matcher[];
  readonly mint: number;
  readonly maxt: number;
  readonly withoutReplicaLabels: readonly string[];
};

/** Names of the labels of matching series, external ones included. */
export async function blockLabelNames(
  reader: BlockReader,
  q: BlockLabelQuery,
  ctx: ReadContext,
): Promise<Iterable<string>> {
  const names = new Set<string>();
  if (q.matchers.length === 0 || coversBlock(reader, q)) {
    for (const name of await selectLabelNames(q.matchers, reader)) names.add(name);
  } else {
    await matchingPairs(reader, q, ctx, (pairs) => {
      for (let i = 0; i < pairs.length; i += 2) names.add(pairs[i] as string);
      return true;
    });
  }
  if (names.size === 0) return [];
  for (const [name] of reader.block.labels) names.add(name);
  for (const name of q.withoutReplicaLabels) names.delete(name);
  return names;
}

/** Values of `name` in matching series; of an external label its one value when any series matches. */
export async function blockLabelValues(
  name: string,
  reader: BlockReader,
  q: BlockLabelQuery,
  ctx: ReadContext,
): Promise<Iterable<string>> {
  const external = reader.block.labels.get(name);
  if (external !== "") return q.matchers.length === 0 || (await anySeries(reader, q, ctx)) ? [external] : [];
  if (q.matchers.length === 0) return reader.labelValues(name);
  if (coversBlock(reader, q)) return selectLabelValues(name, q.matchers, reader);
  const values = new Set<string>();
  await matchingPairs(reader, q, ctx, (pairs) => {
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === name) values.add(pairs[i + 1] as string);
    return true;
  });
  return values;
}

async function anySeries(reader: BlockReader, q: BlockLabelQuery, ctx: ReadContext): Promise<boolean> {
  if (coversBlock(reader, q)) return (await selectPostings(q.matchers, reader)).ids.length > 0;
  let found = false;
  await matchingPairs(reader, q, ctx, () => {
    found = true;
    return false;
  });
  return found;
}

/** Whether each series of the block has samples in the range for sure, so that its chunks need not be looked at. */
const coversBlock = ({block}: BlockReader, q: BlockLabelQuery): boolean =>
  q.mint <= block.minTime && q.maxt >= block.maxTime - 1;

/** Label pairs of series that match and have a chunk in the range, until `visit` says false. */
async function matchingPairs(
  reader: BlockReader,
  q: BlockLabelQuery,
  ctx: ReadContext,
  visit: (pairs: readonly string[]) => boolean,
): Promise<void> {
  const {ids} = await selectPostings(q.matchers, reader);
  ctx.limits.series(ids.length);
  let more = true;
  for (let from = 0; from < ids.length && more; from += ROW_BATCH) {
    await reader.readRows(ids.subarray(from, from + ROW_BATCH), q.mint, q.maxt, true, Labels.EMPTY, (pairs) => {
      more = more && visit(pairs);
    });
  }
}

/** Sorted by bytes, unique, cut to `limit` (0: not). */
export function sortedUnique(values: Iterable<string>, limit: number): readonly string[] {
  const sorted = [...new Set(values)].sort(compareUtf8);
  return limit > 0 ? sorted.slice(0, limit) : sorted;
}
