import {StrataError} from "@strata/base";
import {type MarkKind, removeMark, writeMark} from "@strata/block";
import type {Bucket} from "@strata/objstore";
import {bucketMarkFlags} from "../flags/tools.ts";
import {bucketTool} from "./tools-bucket-blocks.ts";
import type {CommandModule} from "./tree.ts";

const KINDS: Readonly<Record<string, MarkKind>> = {
  "deletion-mark.json": "deletion",
  "no-compact-mark.json": "no-compact",
  "no-downsample-mark.json": "no-downsample",
};

export const bucketMark: CommandModule = bucketTool(bucketMarkFlags, async ({flags}, {bucket, log, signal}) => {
  const {id: ids, marker, details, remove} = flags;
  if (!remove && details === "") throw new StrataError("bad_data", "required flag --details not provided");
  const kind = KINDS[marker] as MarkKind;
  for (const ulid of ids) await mustExist(bucket, ulid, signal);
  for (const ulid of ids) {
    if (remove) await removeMark(bucket, ulid, kind, log, signal);
    else {
      const reason = kind === "deletion" ? "" : "manual";
      await writeMark(bucket, kind, {ulid, time: Math.floor(Date.now() / 1000), details, reason}, log, signal);
    }
  }
  log.info("marking done", {marker, IDs: ids.join(",")});
});

/** A mark without a block would look like a block that was never uploaded whole. */
async function mustExist(bucket: Bucket, ulid: string, signal: AbortSignal): Promise<void> {
  for await (const _ of bucket.list(ulid, {}, signal)) return;
  throw new StrataError("not_found", `cannot mark block ${ulid}: it is not in bucket ${bucket.name}`);
}
