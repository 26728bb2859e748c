import {closeSync, fsyncSync, openSync, truncateSync, unlinkSync} from "node:fs";
import type {StrataError} from "@strata/base";
import {syncDir, writeError} from "../writer/file-sink.ts";
import {listSegments} from "./segments.ts";

/** Where a log is damaged: `offset` is the end of the last whole record of the segment. */
export type WalDamage = {readonly segment: number; readonly offset: number};

/** The damage that a reader's `corrupt` error tells of; undefined for any other error. */
export function damageOf(err: StrataError): WalDamage | undefined {
  const {segment, offset} = err.fields;
  if (err.code !== "corrupt" || typeof segment !== "number" || typeof offset !== "number") return undefined;
  return {segment, offset};
}

/**
 * Cuts the log off at the damage: what was read before it stays, all behind it is removed, the last segment first, so that
 * a crash on the way leaves no gap.
 */
export async function repairLog(dir: string, damage: WalDamage): Promise<void> {
  try {
    for (const segment of listSegments(dir).reverse()) {
      if (segment.index > damage.segment) unlinkSync(segment.path);
      if (segment.index === damage.segment) {
        truncateSync(segment.path, damage.offset);
        const file = openSync(segment.path, "r");
        fsyncSync(file);
        closeSync(file);
      }
    }
  } catch (err) {
    throw writeError(err, dir);
  }
  await syncDir(dir);
}
