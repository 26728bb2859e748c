import {readdirSync, rmSync, statSync} from "node:fs";
import {join} from "node:path";
import {StrataError} from "@strata/base";
import {fileError} from "../random-access.ts";

export const WAL_DIR = "wal";
/** The log of out-of-order writes. */
export const WBL_DIR = "wbl";
/** A segment is a sequence of pages; a fragment of a record never spans two. */
export const PAGE_BYTES = 32 * 1024;
/** Type, BE u16 length, BE u32 CRC32C of the fragment. */
export const FRAGMENT_HEADER_BYTES = 7;
export const SEGMENT_BYTES = 128 * 1024 * 1024;
const CHECKPOINT_PREFIX = "checkpoint.";

/** A file of a log: its number, path and bytes. */
export type Segment = {readonly index: number; readonly path: string; readonly bytes: number};

/** A folder of segments that stand for all segments up to `index`. */
export type Checkpoint = {readonly index: number; readonly dir: string};

export const segmentName = (index: number): string => String(index).padStart(8, "0");
export const checkpointName = (index: number): string => CHECKPOINT_PREFIX + segmentName(index);

/** The segments in `dir`, ascending; none for a missing folder. A gap in their numbers is `corrupt`. */
export function listSegments(dir: string): Segment[] {
  const indexes = entries(dir)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
  indexes.forEach((index, i) => {
    const want = (indexes[0] as number) + i;
    if (index !== want) {
      throw new StrataError("corrupt", `cannot read ${dir}: segment ${segmentName(want)} is missing`, {
        fields: {file: dir, segment: want, offset: 0},
      });
    }
  });
  return indexes.map((index) => {
    const path = join(dir, segmentName(index));
    return {index, path, bytes: statSync(path).size};
  });
}

/** All finished checkpoints in `dir`, oldest first. */
export function listCheckpoints(dir: string): Checkpoint[] {
  return entries(dir)
    .filter((name) => /^checkpoint\.\d+$/.test(name))
    .map((name) => ({index: Number(name.slice(CHECKPOINT_PREFIX.length)), dir: join(dir, name)}))
    .sort((a, b) => a.index - b.index);
}

/** Removes checkpoints below `index`, and unfinished ones. */
export function removeOldCheckpoints(dir: string, index: number): void {
  for (const checkpoint of listCheckpoints(dir)) {
    if (checkpoint.index < index) rmSync(checkpoint.dir, {recursive: true, force: true});
  }
  removeUnfinished(dir);
}

/** Removes what a crash left of a checkpoint being made. */
export function removeUnfinished(dir: string): void {
  for (const name of entries(dir)) {
    if (name.startsWith(CHECKPOINT_PREFIX) && name.endsWith(".tmp")) {
      rmSync(join(dir, name), {recursive: true, force: true});
    }
  }
}

/** Bytes of all segments and checkpoints below `dir`. */
export function logBytes(dir: string): number {
  let total = 0;
  for (const segment of listSegments(dir)) total += segment.bytes;
  for (const checkpoint of listCheckpoints(dir)) total += logBytes(checkpoint.dir);
  return total;
}

function entries(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (err) {
    const error = fileError(err, dir);
    if (error.code === "not_found") return [];
    throw error;
  }
}
