import type {Labels} from "@strata/model";
import {type BlockReader, type Interval, selectPostings, Tombstones} from "@strata/tsdb";
import type {DeletionRequest} from "./deletion-requests.ts";

/** Told what goes of a series: the parts of its chunks' times that are deleted, ms, both inclusive, ascending. */
export type DeletionVisitor = (labels: Labels, deleted: readonly Interval[]) => void;

/** Covers every sample that a block can hold. */
const ALWAYS: Interval = {mint: Number.MIN_SAFE_INTEGER, maxt: Number.MAX_SAFE_INTEGER};

/**
 * The tombstones that carry out `requests` on a block. Compat: a matcher asks for a label that is there, so `{a!="x"}`
 * spares series without `a`. Memory: the ids of the series that match.
 */
export async function findDeletions(
  block: BlockReader,
  requests: readonly DeletionRequest[],
  visit: DeletionVisitor,
): Promise<Tombstones> {
  const tombstones = new Tombstones();
  const touched = new Set<number>();
  for (const {matchers, intervals} of requests) {
    const {ids} = await selectPostings(matchers, block.index);
    await block.index.readSeries(Uint32Array.from(ids), (id, labels) => {
      if (!matchers.every(({name}) => labels.get(name) !== "")) return;
      touched.add(id);
      for (const interval of intervals.length > 0 ? intervals : [ALWAYS]) tombstones.add(id, interval);
    });
  }
  const order = Uint32Array.from(touched).sort();
  await block.index.readSeries(order, (id, labels, entry) => {
    const deleted = new Tombstones();
    for (let i = 0; i < entry.chunks; i++) {
      const [mint, maxt] = [entry.mint[i] as number, entry.maxt[i] as number];
      for (const interval of tombstones.get(id)) {
        if (interval.mint > maxt || interval.maxt < mint) continue;
        deleted.add(0, {mint: Math.max(mint, interval.mint), maxt: Math.min(maxt, interval.maxt)});
      }
    }
    if (deleted.size > 0) visit(labels, deleted.get(0));
  });
  return tombstones;
}
