import {BlockCursor, type BlockReader} from "@strata/tsdb/blocks";

/** A cursor over the series of one part. Of a single block symbols keep their numbers. */
export function openPart(
  block: BlockReader,
  ids: Uint32Array,
  part: number,
  seriesOfPart: number,
): Promise<BlockCursor> {
  const own = ids.subarray(part * seriesOfPart, (part + 1) * seriesOfPart);
  return BlockCursor.open(block, SAME, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, {ids: own});
}

const SAME = {get: (ref: number): number => ref};
