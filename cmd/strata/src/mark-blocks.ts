import {type MarkKind, writeMark} from "@strata/block";
import type {Bucket} from "@strata/objstore";
import type {BlocksApiOptions} from "@strata/web";
import type {Runtime} from "./runtime.ts";

/** Marks blocks for the page of blocks; undefined where `allowed` is false. `marked` is told when a mark is there. */
export function blockMarker(
  {log, signal}: Pick<Runtime, "log" | "signal">,
  bucket: Bucket,
  allowed: boolean,
  marked: () => void = () => {},
): BlocksApiOptions["mark"] {
  if (!allowed) return undefined;
  return async (ulid: string, kind: MarkKind, details: string) => {
    const reason = kind === "deletion" ? "" : "manual";
    const time = Math.floor(Date.now() / 1000);
    await writeMark(bucket, kind, {ulid, time, details, reason}, log, signal);
    marked();
  };
}
