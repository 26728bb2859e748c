import {StrataError} from "@strata/base";
import {groupKey} from "@strata/block";
import {formatGoDuration} from "@strata/model";
import type {BlockMeta} from "@strata/tsdb";
import type {Issue, VerifyContext} from "./issue.ts";

/** Blocks of one group that overlap, and the times that all of them share, ms. */
export type Overlap = {readonly min: number; readonly max: number; readonly blocks: readonly BlockMeta[]};

/** Finds blocks of one group whose times overlap. What to do about them is the compactor's, or an operator's. */
export const overlappedBlocks: Issue = {
  id: "overlapped_blocks",
  repairable: false,
  async verify(ctx) {
    ctx.logger.info("started verifying issue");
    for (const [group, overlaps] of await overlapsOf(ctx)) {
      for (const {min, max, blocks} of overlaps) {
        const range = `mint: ${min}, maxt: ${max}, range: ${seconds(max - min)}, blocks: ${blocks.length}`;
        const overlap = `[${range}]: ${blocks.map(blockText).join(", ")}`;
        ctx.logger.warn("found overlapped blocks", {group, overlap});
      }
    }
  },
};

/** Overlaps by group; groups without any are left out. */
export async function overlapsOf(ctx: VerifyContext): Promise<Map<string, Overlap[]>> {
  if (ctx.ulids.length > 0) throw new StrataError("bad_data", "id matching is not supported");
  const found = new Map<string, Overlap[]>();
  for (const [key, metas] of Map.groupBy(await ctx.blocks(), groupKey)) {
    const overlaps = overlapsIn(metas.sort((a, b) => a.minTime - b.minTime));
    if (overlaps.length > 0) found.set(key, overlaps);
  }
  return found;
}

/** Compat: blocks that go on overlapping are one overlap as long as none of those before them ends. */
function overlapsIn(metas: readonly BlockMeta[]): Overlap[] {
  const groups: BlockMeta[][] = [];
  let pending = metas.slice(0, 1);
  let continuous = true;
  for (const meta of metas.slice(1)) {
    const open = pending.filter(({maxTime}) => meta.minTime < maxTime);
    if (open.length < pending.length) continuous = false;
    pending = [...open, meta];
    if (open.length === 0) continue;
    if (continuous && groups.length > 0) (groups.at(-1) as BlockMeta[]).push(meta);
    else {
      groups.push([...open, meta]);
      continuous = true;
    }
  }
  return groups.map((blocks) => ({
    min: Math.max(0, ...blocks.map(({minTime}) => minTime)),
    max: Math.min(...blocks.map(({maxTime}) => maxTime)),
    blocks,
  }));
}

export const blockText = ({ulid, minTime, maxTime}: BlockMeta): string =>
  `<ulid: ${ulid}, mint: ${minTime}, maxt: ${maxTime}, range: ${seconds(maxTime - minTime)}>`;

/** Whole seconds as Go prints a duration. */
const seconds = (ms: number): string => formatGoDuration(Math.trunc(ms / 1000) * 1000);
