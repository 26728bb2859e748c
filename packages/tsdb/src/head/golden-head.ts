import {crc32c} from "@strata/bytes";
import {encodingName} from "@strata/chunkenc";
import {compareLabels} from "@strata/model";
import {maskChunk} from "../chunk-mask.ts";
import type {ChunkItem} from "../compact/chunk-item.ts";
import {covers, touches} from "../tombstones.ts";
import {goldenSamples} from "../tools/golden-dump.ts";
import type {Head} from "./head.ts";
import type {ReadChunk} from "./head-reader.ts";

/*
 * The line formats in which the reference data describes an open data directory. See golden-dump.ts for blocks.
 */

const ALL = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** Slots of all series, in label order. */
export function slotsInOrder(head: Head): number[] {
  const {table} = head.store;
  const slots: number[] = [];
  for (let slot = 0; slot < table.slots; slot++) if (table.ref[slot] !== 0) slots.push(slot);
  const labels = new Map(slots.map((slot) => [slot, table.labels(slot)] as const));
  return slots.sort((a, b) => compareLabels(labels.get(a) as never, labels.get(b) as never));
}

/** The head's chunks in order: one object a series with samples, as in `expected-head.jsonl.gz`. */
export function* goldenHead(head: Head): Generator<object> {
  const {table, firstChunk} = head.store;
  for (const slot of slotsInOrder(head)) {
    const ref = table.ref[slot] as number;
    const chunks: object[] = [];
    const samples: unknown[] = [];
    head.reader.inOrder(slot, ...ALL, head.store.total[slot] as number, (chunk) => {
      const id = (BigInt(ref) << 24n) + BigInt((firstChunk[slot] as number) + chunks.length);
      chunks.push(chunkForm(chunk, String(id)));
      samples.push(...goldenSamples(chunk.encoding, chunk.data, chunk.from, chunk.length));
    });
    yield {id: ref, labels: [...table.labels(slot)], chunks, samples};
  }
}

function chunkForm(chunk: ReadChunk, ref: string): object {
  const {encoding, data, from, length, mint, samples} = chunk;
  return {
    ref,
    mint,
    // The reference does not know the end of a chunk that grows.
    maxt: chunk.isOpen ? 2 ** 63 : chunk.maxt,
    encoding: encodingName(encoding),
    samples,
    bytes: length,
    crc32c: crc32c(data, from, from + length, crc32c(Uint8Array.of(encoding)))
      .toString(16)
      .padStart(8, "0"),
  };
}

/** The slot's chunks in order and out of order, deletions applied, as lists of chunks that do not overlap within a list. */
export function chunkLists(head: Head, slot: number): ChunkItem[][] {
  const ref = head.store.table.ref[slot] as number;
  const deleted = head.tombstones.get(ref);
  const inOrder: ChunkItem[] = [];
  const late: ChunkItem[][] = [];
  const keep = (chunk: ReadChunk, put: (item: ChunkItem) => void): void => {
    if (covers(deleted, chunk.mint, chunk.maxt)) return;
    if (!touches(deleted, chunk.mint, chunk.maxt)) put(chunk);
    else {
      const place = {name: `head chunk of series ${ref}`, offset: 0};
      const left = maskChunk(chunk.encoding, chunk.data, chunk.from, chunk.length, deleted, place);
      if (left !== undefined) put({...left, from: 0, length: left.data.length});
    }
  };
  head.reader.inOrder(slot, ...ALL, head.store.total[slot] as number, (c) => keep(c, (item) => inOrder.push(item)));
  head.reader.outOfOrder(slot, ...ALL, (c) => keep(c, (item) => late.push([item])));
  return [inOrder, ...late];
}
