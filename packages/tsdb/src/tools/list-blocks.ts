import {readdir} from "node:fs/promises";
import {join} from "node:path";
import {formatGoDuration, parseUlid} from "@strata/model";
import {blockBytes} from "../block-bytes.ts";
import type {BlockMeta} from "../block-meta.ts";
import {readBlockMeta} from "../block-reader.ts";
import {fileError} from "../random-access.ts";
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
