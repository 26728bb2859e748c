import {StrataError} from "@strata/base";
import {deleteBlock, uploadBlock, writeMark} from "@strata/block";
import type {Bucket} from "@strata/objstore";
import type {VerifyContext} from "./issue.ts";

/**
 * Removes a block from the bucket once its copy in `dir` is in the backup bucket: at once, or by a mark where there is a
 * delay. Throws `conflict` where the backup has a block of that id already.
 */
export async function backupAndDelete(ctx: VerifyContext, dir: string, ulid: string): Promise<void> {
  const {bucket, deleteDelayMs, logger, signal} = ctx;
  const backup = ctx.backup as Bucket;
  for await (const _ of backup.list(ulid, {}, signal)) {
    throw new StrataError(
      "conflict",
      `cannot back up block ${ulid}: bucket ${backup.name} has it already; remove it there if you are sure it is not needed`,
    );
  }
  logger.info("Uploading block to backup bucket", {id: ulid});
  await uploadBlock(backup, dir, {hashFunc: "", concurrency: 1}, signal);
  if (deleteDelayMs === 0) {
    logger.info("Deleting block", {id: ulid});
    await deleteBlock(bucket, ulid, signal);
    return;
  }
  logger.info("Marking block as deleted", {id: ulid});
  const mark = {ulid, time: Math.floor(Date.now() / 1000), details: "manual verify-repair", reason: ""};
  await writeMark(bucket, "deletion", mark, logger, signal);
}
