import {removeMark, writeMark} from "@strata/block";
import type {Bucket} from "@strata/objstore";
import type {BlockMarks} from "@strata/web";
import type {Runtime} from "./runtime.ts";

/** Marks of blocks for the page of blocks; undefined where `allowed` is false. `changed` is told when one came or went. */
export function blockMarks(
  {log, signal}: Pick<Runtime, "log" | "signal">,
  bucket: Bucket,
  allowed: boolean,
  changed: () => void = () => {},
): BlockMarks | undefined {
  if (!allowed) return undefined;
  return {
    async add(ulid, kind, details) {
      const reason = kind === "deletion" ? "" : "manual";
      const time = Math.floor(Date.now() / 1000);
      await writeMark(bucket, kind, {ulid, time, details, reason}, log, signal);
      changed();
    },
    async remove(ulid, kind) {
      await removeMark(bucket, ulid, kind, log, signal);
      changed();
    },
  };
}
