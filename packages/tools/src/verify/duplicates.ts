import {rm} from "node:fs/promises";
import {join} from "node:path";
import {isDeepStrictEqual} from "node:util";
import {downloadBlock} from "@strata/block";
import type {BlockMeta} from "@strata/tsdb";
import type {Issue} from "./issue.ts";
import {blockText, overlapsOf} from "./overlaps.ts";
import {backupAndDelete} from "./safe-delete.ts";

/** Finds blocks that were compacted twice from the same sources; a repair keeps the first of each. */
export const duplicatedCompaction: Issue = {
  id: "duplicated_compaction",
  repairable: true,
  async verify(ctx) {
    const {logger, repair} = ctx;
    logger.info("started verifying issue", {"with-repair": repair});
    const overlaps = await overlapsOf(ctx);
    if (overlaps.size === 0) return;
    const superfluous = new Set<string>();
    for (const [group, list] of overlaps) {
      for (const {min, max, blocks} of list) {
        const sets = equalSets(blocks);
        for (const [, ...rest] of sets) {
          logger.warn("found duplicated blocks", {group, "range-min": min, "range-max": max, kill: listText(rest)});
          for (const {ulid} of rest) superfluous.add(ulid);
        }
        if (sets.length === 0) {
          logger.warn(
            "found overlapped blocks, but all of the blocks are unique. Seems like unrelated issue. Ignoring overlap",
            {group, range: `{${min} ${max}}`, overlap: listText(blocks)},
          );
        }
      }
    }
    const ulids = [...superfluous];
    logger.warn("Found duplicated blocks that are ok to be removed", {
      ULIDs: `[${ulids.join(" ")}]`,
      num: ulids.length,
    });
    if (!repair) return;
    for (const [i, ulid] of ulids.entries()) {
      const dir = join(ctx.tmpDir, ulid);
      await downloadBlock(ctx.bucket, ulid, dir, 1, ctx.signal);
      await backupAndDelete(ctx, dir, ulid);
      await rm(dir, {recursive: true});
      logger.info("Removed duplicated block", {id: ulid, "to-be-removed": ulids.length - (i + 1), removed: i + 1});
    }
    const next =
      "Removed all duplicated blocks. You might want to rerun this verify to check if there is still any unrelated overlap";
    logger.info(next);
  },
};

/** Sets of two and more blocks with the same times, level, sources and counts. */
function equalSets(blocks: readonly BlockMeta[]): BlockMeta[][] {
  const sets: BlockMeta[][] = [];
  for (const block of blocks) {
    const known = sets.find(([first]) => areEqual(first as BlockMeta, block));
    if (known === undefined) sets.push([block]);
    else known.push(block);
  }
  return sets.filter(({length}) => length > 1);
}

const areEqual = (a: BlockMeta, b: BlockMeta): boolean =>
  a.minTime === b.minTime &&
  a.maxTime === b.maxTime &&
  a.compaction.level === b.compaction.level &&
  isDeepStrictEqual(a.compaction.sources, b.compaction.sources) &&
  isDeepStrictEqual(a.stats, b.stats);

const listText = (blocks: readonly BlockMeta[]): string =>
  `blocks: ${blocks.length}, [${blocks.map(blockText).join(",")}]`;
