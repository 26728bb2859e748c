import {readdir, stat} from "node:fs/promises";
import {join} from "node:path";
import {formatGoDuration, parseUlid} from "@strata/model";
import type {BlockMeta} from "../block-meta.ts";
import {META_FILE, readBlockMeta} from "../block-reader.ts";
import {CHUNKS_DIR} from "../chunk-segments.ts";
import {INDEX_FILE} from "../index/index-format.ts";
import {fileError} from "../random-access.ts";
import {TOMBSTONES_FILE} from "../tombstones.ts";
import {binaryBytes, columns} from "./go-text.ts";

/** A block of a data directory: its directory, meta and bytes on disk. */
export type ListedBlock = {readonly dir: string; readonly meta: BlockMeta; readonly bytes: number};

/** The blocks of the data directory `path`, by minTime, then ULID. Directories whose name is no ULID are not blocks. */
export async function listBlocks(path: string): Promise<ListedBlock[]> {
  let names: string[];
  try {
    names = await readdir(path);
  } catch (err) {
    throw fileError(err, path);
  }
  const blocks: ListedBlock[] = [];
  for (const name of names.sort()) {
    if (parseUlid(name) === undefined) continue;
    const dir = join(path, name);
    blocks.push({dir, meta: await readBlockMeta(dir, {tsdbOnly: true}), bytes: await blockBytes(dir)});
  }
  return blocks.sort((a, b) => a.meta.minTime - b.meta.minTime);
}

/** Bytes of a block's chunk segments, index, meta.json and tombstones. */
export async function blockBytes(dir: string): Promise<number> {
  const segments = (await readdir(join(dir, CHUNKS_DIR))).map((name) => join(CHUNKS_DIR, name));
  let bytes = 0;
  for (const name of [...segments, INDEX_FILE, META_FILE, TOMBSTONES_FILE]) {
    try {
      bytes += (await stat(join(dir, name))).size;
    } catch (err) {
      const error = fileError(err, join(dir, name));
      // A block that came from a bucket has no tombstones file.
      if (error.code !== "not_found" || name !== TOMBSTONES_FILE) throw error;
    }
  }
  return bytes;
}

const HEADINGS = ["BLOCK ULID", "MIN TIME", "MAX TIME", "DURATION", "NUM SAMPLES", "NUM CHUNKS", "NUM SERIES", "SIZE"];

/** The lines that `tsdb list` prints; with `human`, times and sizes for people. */
export function listLines(blocks: readonly ListedBlock[], human = false): string[] {
  const time = (t: number): string =>
    human ? `${new Date(t).toISOString().slice(0, 19).replace("T", " ")} +0000 UTC` : String(t);
  const rows = blocks.map(({meta, bytes}) => [
    meta.ulid,
    time(meta.minTime),
    time(meta.maxTime),
    formatGoDuration(meta.maxTime - meta.minTime),
    String(meta.stats.numSamples),
    String(meta.stats.numChunks),
    String(meta.stats.numSeries),
    human ? binaryBytes(bytes) : String(bytes),
  ]);
  return columns([HEADINGS, ...rows], 13);
}
