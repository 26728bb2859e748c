import type {Labels} from "@strata/model";
import {chunkColumnArrays, joinSeries, type SeriesBatch, SeriesBatchBuilder, type SeriesPart} from "@strata/series";
import type {BlockChunks} from "./chunk-fetch.ts";

/** The chunks of one block for a batch, with the number that tells its chunks from those of other blocks. */
export type BlockPart = {readonly chunks: BlockChunks; readonly source: number};

/** One series of the batch: which row of which blocks' chunks it is made of. */
export type SeriesRows = {
  readonly labels: Labels;
  readonly parts: readonly BlockPart[];
  readonly rows: readonly number[];
};

/**
 * Puts a batch together. The bytes that were read become the batch's buffer as they are, frames and gaps included, and
 * chunks of blocks that follow each other in time are only listed. Series whose chunks overlap, of replicas or of blocks
 * compacted side by side, are sorted and freed of duplicates by `joinSeries`, which copies them.
 */
export function joinBatch(
  series: readonly SeriesRows[],
  blocks: readonly BlockPart[],
  warnings: readonly string[],
): SeriesBatch {
  const joined = new SeriesBatchBuilder();
  const overlapping = series.map((rows) => !inOrder(rows));
  const asBatches = new Map<BlockPart, SeriesBatch>();
  for (let i = 0; i < series.length; i++) if (overlapping[i] === true) join(series[i] as SeriesRows, asBatches, joined);
  const extra = joined.finish();

  const base = new Map<BlockPart, number>();
  const bytes = layOut(blocks, extra.bytes, base);
  const extraBase = bytes.length - extra.bytes.length;

  let count = extra.mint.length;
  for (let i = 0; i < series.length; i++) if (overlapping[i] === false) count += chunkCount(series[i] as SeriesRows);
  const out = chunkColumnArrays(count);
  const firstChunk = new Uint32Array(series.length + 1);
  const labels: Labels[] = [];
  let n = 0;
  let extraRow = 0;
  for (let i = 0; i < series.length; i++) {
    const {parts, rows, labels: own} = series[i] as SeriesRows;
    labels.push(own);
    firstChunk[i] = n;
    if (overlapping[i] === true) {
      const end = extra.firstChunk[extraRow + 1] as number;
      for (let c = extra.firstChunk[extraRow] as number; c < end; c++, n++) {
        out.mint[n] = extra.mint[c] as number;
        out.maxt[n] = extra.maxt[c] as number;
        out.encoding[n] = extra.encoding[c] as number;
        out.source[n] = extra.source[c] as number;
        out.aggregate[n] = extra.aggregate[c] as number;
        out.offset[n] = extraBase + (extra.offset[c] as number);
        out.length[n] = extra.length[c] as number;
      }
      extraRow++;
      continue;
    }
    for (let p = 0; p < parts.length; p++) {
      const part = parts[p] as BlockPart;
      const {chunks, source} = part;
      const start = base.get(part) as number;
      const row = rows[p] as number;
      const end = chunks.firstChunk[row + 1] as number;
      for (let c = chunks.firstChunk[row] as number; c < end; c++, n++) {
        out.mint[n] = chunks.mint[c] as number;
        out.maxt[n] = chunks.maxt[c] as number;
        out.encoding[n] = chunks.encoding[c] as number;
        out.source[n] = source;
        out.aggregate[n] = chunks.aggregate[c] as number;
        out.offset[n] = start + (chunks.offset[c] as number);
        out.length[n] = chunks.length[c] as number;
      }
    }
  }
  firstChunk[series.length] = n;
  return {labels, firstChunk, ...out, bytes, warnings};
}

function chunkCount({parts, rows}: SeriesRows): number {
  let count = 0;
  for (let p = 0; p < parts.length; p++) {
    const {firstChunk} = (parts[p] as BlockPart).chunks;
    const row = rows[p] as number;
    count += (firstChunk[row + 1] as number) - (firstChunk[row] as number);
  }
  return count;
}

/** Whether the chunks, taken part by part, ascend in time without touching each other. */
function inOrder({parts, rows}: SeriesRows): boolean {
  let last = Number.NEGATIVE_INFINITY;
  for (let p = 0; p < parts.length; p++) {
    const {firstChunk, mint, maxt, aggregate} = (parts[p] as BlockPart).chunks;
    const row = rows[p] as number;
    const begin = firstChunk[row] as number;
    const end = firstChunk[row + 1] as number;
    for (let c = begin; c < end; c++) {
      const from = mint[c] as number;
      // Further columns of a downsampled chunk repeat its times.
      const column =
        c > begin &&
        (aggregate[c] as number) > (aggregate[c - 1] as number) &&
        from === mint[c - 1] &&
        maxt[c] === last;
      if (!column && from <= last) return false;
      last = maxt[c] as number;
    }
  }
  return true;
}

function join(
  {labels, parts, rows}: SeriesRows,
  asBatches: Map<BlockPart, SeriesBatch>,
  out: SeriesBatchBuilder,
): void {
  const seriesParts: SeriesPart[] = [];
  for (let p = 0; p < parts.length; p++) {
    const part = parts[p] as BlockPart;
    const batch = asBatches.get(part) ?? toBatch(part);
    asBatches.set(part, batch);
    // The row's own labels stand in for those of the batch, which are the same for all of its series.
    const row = rows[p] as number;
    const firstChunk = batch.firstChunk.subarray(row, row + 2);
    seriesParts.push({batch: {...batch, labels: [labels], firstChunk}, row: 0, sources: undefined});
  }
  joinSeries(seriesParts, out);
}

function toBatch({chunks, source}: BlockPart): SeriesBatch {
  const {firstChunk, mint, maxt, encoding, aggregate, length, buffers} = chunks;
  const bytes = buffers.length === 1 ? (buffers[0] as Uint8Array) : Buffer.concat(buffers);
  return {
    labels: [],
    firstChunk,
    mint,
    maxt,
    encoding,
    source: new Uint16Array(mint.length).fill(source),
    aggregate,
    offset: Uint32Array.from(chunks.offset),
    length,
    bytes,
    warnings: [],
  };
}

/** All buffers one behind the other, `extra` last; `base` gets where each block's begin. One buffer is not copied. */
function layOut(blocks: readonly BlockPart[], extra: Uint8Array, base: Map<BlockPart, number>): Uint8Array {
  const all: Uint8Array[] = [];
  let size = 0;
  for (const block of blocks) {
    base.set(block, size);
    for (const buffer of block.chunks.buffers) {
      all.push(buffer);
      size += buffer.length;
    }
  }
  if (extra.length === 0 && all.length === 1) return all[0] as Uint8Array;
  const bytes = Buffer.allocUnsafeSlow(size + extra.length);
  let at = 0;
  for (const buffer of all) {
    bytes.set(buffer, at);
    at += buffer.length;
  }
  bytes.set(extra, at);
  return bytes;
}
