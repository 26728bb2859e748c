import {DeletionMarkFilter, labelShardFilter, timePartitionFilter} from "@strata/block";
import {formatGoDuration, resolveTime} from "@strata/model";
import {type BlockMeta, encodeBlockMeta} from "@strata/tsdb/blocks";
import {bucketLsFlags} from "../flags/tools.ts";
import {selectorRules} from "../selector-rules.ts";
import {bucketBlocks, bucketTool} from "./tools-bucket-blocks.ts";
import {metaTemplate} from "./tools-meta-template.ts";
import type {CommandModule} from "./tree.ts";

export const bucketLs: CommandModule = bucketTool(bucketLsFlags, async ({flags}, work) => {
  const line = lineOf(flags.output);
  const rules = await selectorRules(flags["selector.relabel-config"]);
  const blocks = await bucketBlocks(work, flags.timeout, [
    timePartitionFilter(
      () => resolveTime(flags["min-time"], Date.now()),
      () => resolveTime(flags["max-time"], Date.now()),
    ),
    labelShardFilter(rules),
    ...(flags["exclude-delete"] ? [new DeletionMarkFilter(work.bucket, 0, work.log)] : []),
  ]);
  for (const meta of blocks) await work.out.line(line(meta));
});

function lineOf(output: string): (meta: BlockMeta) => string {
  if (output === "") return (meta) => meta.ulid;
  if (output === "wide") return wideLine;
  if (output === "json") return (meta) => encodeBlockMeta(meta).trimEnd();
  return metaTemplate(output);
}

const wideLine = ({ulid, minTime, maxTime, compaction, thanos}: BlockMeta): string =>
  `${ulid} -- ${goTime(minTime)} - ${goTime(maxTime)} Diff: ${formatGoDuration(maxTime - minTime)}, ` +
  `Compaction: ${compaction.level}, Downsample: ${thanos?.resolution ?? 0}, Source: ${thanos?.source ?? ""}`;

/** RFC 3339 of the whole second, UTC. */
export const goTime = (t: number): string => `${new Date(Math.trunc(t / 1000) * 1000).toISOString().slice(0, 19)}Z`;
