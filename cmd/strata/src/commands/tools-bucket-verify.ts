import {StrataError} from "@strata/base";
import {DeletionMarkFilter} from "@strata/block";
import {bucketFromConfig} from "@strata/objstore";
import {issuesOf, verifyBucket} from "@strata/tools";
import {bucketVerifyFlags} from "../flags/tools.ts";
import {bucketBlocks, bucketTool} from "./tools-bucket-blocks.ts";
import type {CommandModule} from "./tree.ts";

/** Reading the metas may take so long. Compat: the original has no flag for it. */
const META_TIMEOUT_MS = 5 * 60_000;

export const bucketVerify: CommandModule = bucketTool(bucketVerifyFlags, async ({flags}, work) => {
  const {repair, id: ulids, "delete-delay": deleteDelayMs} = flags;
  const issues = issuesOf(flags.issues, repair);
  const config = flags["objstore-backup.config"];
  if (repair && !config.given) {
    throw new StrataError(
      "bad_data",
      "repair needs a bucket for copies of what it removes: give --objstore-backup.config",
    );
  }
  const backup = repair ? await config.parse(bucketFromConfig) : undefined;
  try {
    const {bucket, log: logger, signal} = work;
    // Compat: blocks that are marked for deletion are nobody's trouble any more.
    const blocks = () => bucketBlocks(work, META_TIMEOUT_MS, [new DeletionMarkFilter(bucket, 0, logger)]);
    await verifyBucket(issues, {bucket, backup, repair, deleteDelayMs, blocks, ulids, logger, signal});
  } finally {
    await backup?.close();
  }
});
