import {StrataError} from "@strata/base";
import {ENCODING} from "@strata/chunkenc";
import {compareLabels, type Labels, type RelabelConfig, relabel} from "@strata/model";
import {type BlockMeta, type BlockReader, BlockWriter, type ChunkItem, type Interval, mergeSamples} from "@strata/tsdb";

/** Told of each series that gets other labels, and of each that is dropped, with the times it covers (ms, inclusive). */
export type RelabelVisitor = {
  relabelled(before: Labels, after: Labels): void;
  dropped(labels: Labels, deleted: readonly Interval[]): void;
};

/** A series of the block to be, and the one of the source it is made of. */
type Renamed = {readonly labels: Labels; readonly id: number};

/**
 * Writes a block below `parent` whose series have their labels rewritten by `rules`; series that become equal are merged,
 * one sample a time. Compat: samples are encoded anew, 120 a chunk, as the original does. undefined when nothing is left.
 *
 * Memory: the labels of all series of the block, because new labels mean a new order.
 */
export async function relabelBlock(
  block: BlockReader,
  parent: string,
  rules: readonly RelabelConfig[],
  visit: RelabelVisitor,
  signal: AbortSignal,
): Promise<BlockMeta | undefined> {
  const renamed: Renamed[] = [];
  await block.index.readSeries(await block.index.all(), (id, before, entry) => {
    const labels = relabel(before, rules);
    if (labels === undefined || labels.size === 0) {
      visit.dropped(before, timesOf(entry.chunks, entry.mint, entry.maxt));
      return;
    }
    if (!labels.equals(before)) visit.relabelled(before, labels);
    renamed.push({labels, id});
  });
  renamed.sort((a, b) => compareLabels(a.labels, b.labels) || a.id - b.id);
  const writer = await BlockWriter.create(parent);
  try {
    for (let from = 0; from < renamed.length; ) {
      signal.throwIfAborted();
      const {labels} = renamed[from] as Renamed;
      let to = from + 1;
      while (to < renamed.length && (renamed[to] as Renamed).labels.equals(labels)) to++;
      await writeSeries(block, writer, labels, renamed.slice(from, to));
      from = to;
    }
    const {minTime, maxTime} = block.meta;
    return await writer.finish({minTime, maxTime});
  } catch (err) {
    await writer.abort();
    throw err;
  }
}

function timesOf(chunks: number, mint: Float64Array, maxt: Float64Array): readonly Interval[] {
  if (chunks === 0) return [];
  const times: Interval = {mint: Math.min(...mint.subarray(0, chunks)), maxt: Math.max(...maxt.subarray(0, chunks))};
  return [times];
}

async function writeSeries(
  block: BlockReader,
  writer: BlockWriter,
  labels: Labels,
  sources: readonly Renamed[],
): Promise<void> {
  const read: ChunkItem[] = [];
  for (const {id} of sources) read.push(...(await chunksOf(block, id)));
  if (read.length === 0) return;
  const chunks = read.some(({encoding}) => encoding === ENCODING.aggregate)
    ? inOrder(read, labels)
    : mergeSamples(read);
  writer.startSeries(labels);
  for (const {mint, maxt, encoding, data, from, length, sum} of chunks) {
    await writer.addChunk(mint, maxt, encoding, data, from, length, sum);
  }
  await writer.endSeries();
}

/** Chunks of a downsampled block, whose samples cannot be merged one by one. */
function inOrder(chunks: readonly ChunkItem[], labels: Labels): readonly ChunkItem[] {
  const sorted = chunks.toSorted((a, b) => a.mint - b.mint);
  if (sorted.every(({mint}, i) => i === 0 || mint > (sorted[i - 1] as ChunkItem).maxt)) return sorted;
  throw new StrataError("bad_data", `cannot merge downsampled series that overlap: several would become ${labels}`);
}

async function chunksOf(block: BlockReader, id: number): Promise<ChunkItem[]> {
  const {entry} = await block.index.series(id);
  const items: ChunkItem[] = [];
  await block.chunks.read(entry.chunkRef.subarray(0, entry.chunks), (i, encoding, data, from, length, sum) => {
    items.push({mint: entry.mint[i] as number, maxt: entry.maxt[i] as number, encoding, data, from, length, sum});
  });
  return items;
}
