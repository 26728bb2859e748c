import {compareLabels, type Labels} from "@strata/model";
import type {BlockReader} from "../block-reader.ts";
import {maskChunk} from "../chunk-mask.ts";
import type {ChunkItem} from "../compact/chunk-item.ts";
import {chunkLists, goldenHead, slotsInOrder} from "../head/golden-head.ts";
import type {Head} from "../head/head.ts";
import {covers, touches} from "../tombstones.ts";
import type {DataDir} from "./data-dir.ts";
import {goldenSamples} from "./golden-dump.ts";

/** What the reference prints for the end of a chunk that still grows; beyond the whole numbers of a double. */
const OPEN_END = '"maxt":9223372036854775807,';
const OPEN_END_AS_DOUBLE = `"maxt":${JSON.stringify(2 ** 63)},`;

/** The in-order head with its chunks, one line a series. */
export function* goldenHeadLines({head}: DataDir): Generator<string> {
  if (head === undefined) return;
  for (const series of goldenHead(head)) yield JSON.stringify(series).replaceAll(OPEN_END_AS_DOUBLE, OPEN_END);
}

/** All samples of blocks and head, deletions applied, one line a series in label order. */
export async function* goldenDataLines({blocks, head}: DataDir): AsyncGenerator<string> {
  const sources = [...blocks.map(blockSeries), ...(head === undefined ? [] : [headSeries(head)])];
  const heads = await Promise.all(sources.map((s) => s.next()));
  for (;;) {
    let least: Labels | undefined;
    for (const {done, value} of heads) {
      if (!done && (least === undefined || compareLabels(value.labels, least) < 0)) least = value.labels;
    }
    if (least === undefined) return;
    const lists: ChunkItem[][] = [];
    for (const [i, {done, value}] of heads.entries()) {
      if (done || !value.labels.equals(least)) continue;
      lists.push(...value.lists);
      heads[i] = await (sources[i] as AsyncGenerator<Series, undefined>).next();
    }
    const samples = mergedSamples(lists);
    if (samples.length > 0) yield JSON.stringify({labels: [...least], samples});
  }
}

/** Lists of chunks; where several have a time, the first list counts. */
type Series = {readonly labels: Labels; readonly lists: ChunkItem[][]};

async function* headSeries(head: Head): AsyncGenerator<Series, undefined> {
  for (const slot of slotsInOrder(head)) yield {labels: head.store.table.labels(slot), lists: chunkLists(head, slot)};
}

async function* blockSeries(block: BlockReader): AsyncGenerator<Series, undefined> {
  for (const id of await block.index.all()) {
    const {labels, entry} = await block.index.series(id);
    const deleted = block.tombstones.get(id);
    const list: ChunkItem[] = [];
    await block.chunks.read(entry.chunkRef.slice(0, entry.chunks), (i, encoding, buffer, from, length) => {
      const [mint, maxt] = [entry.mint[i] as number, entry.maxt[i] as number];
      if (covers(deleted, mint, maxt)) return;
      const data = buffer.slice(from, from + length);
      if (!touches(deleted, mint, maxt)) list.push({mint, maxt, encoding, data, from: 0, length});
      else {
        const left = maskChunk(encoding, data, 0, length, deleted, {name: block.dir, offset: 0});
        if (left !== undefined) list.push({...left, from: 0, length: left.data.length});
      }
    });
    yield {labels, lists: [list]};
  }
}

type Sample = [t: number, value: string | {reset: string}, st?: number];

/** The samples of all lists, ascending, one a time: that of the first list that has it. */
function mergedSamples(lists: readonly (readonly ChunkItem[])[]): Sample[] {
  const all: {readonly list: number; readonly sample: Sample}[] = [];
  for (const [list, chunks] of lists.entries()) {
    for (const {encoding, data, from, length} of chunks) {
      for (const sample of goldenSamples(encoding, data, from, length) as Sample[]) all.push({list, sample});
    }
  }
  all.sort((a, b) => a.sample[0] - b.sample[0]);
  const merged: Sample[] = [];
  let last = all[0]?.list;
  for (const {list, sample} of all) {
    if (merged.at(-1)?.[0] === sample[0]) continue;
    // Compat: a histogram that follows one of another source has lost what its chunk knew of the one before.
    const value = sample[1];
    if (list !== last && typeof value === "object" && value.reset === "not_reset") value.reset = "unknown";
    last = list;
    merged.push(sample);
  }
  return merged;
}
