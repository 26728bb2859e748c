import {rm} from "node:fs/promises";
import {ByteWriter} from "@strata/bytes";
import {compareUtf8, type Labels} from "@strata/model";
import {WireReader} from "../wire.ts";
import {FileSink} from "./file-sink.ts";
import type {ChunkMetas, IndexWriter} from "./index-writer.ts";

/** How much of the temporary file is read at once on the way back. */
const REPLAY_BYTES = 1024 * 1024;

/**
 * Series entries in a temporary file, while the set of symbols is still growing: an index has its symbols in front. Each
 * text gets a number as it comes; `replay` sorts them, and gives every series to the index with its final numbers.
 *
 * ```
 * record := length u32 · uvarint refs · refs × uvarint · uvarint chunks · chunks × (varint mint · uvarint span · uvarint ref)
 * ```
 */
export class SeriesSpill {
  readonly #sink: FileSink;
  readonly #numbers = new Map<string, number>();
  readonly #record = new ByteWriter(1024);

  private constructor(sink: FileSink) {
    this.#sink = sink;
  }

  static async create(path: string): Promise<SeriesSpill> {
    return new SeriesSpill(await FileSink.create(path));
  }

  add(labels: Labels, chunks: ChunkMetas): Promise<void> | undefined {
    const record = this.#record;
    record.reset();
    record.u32be(0);
    record.uvarint(labels.pairs.length);
    for (const text of labels.pairs) record.uvarint(this.#number(text));
    record.uvarint(chunks.count);
    for (let i = 0; i < chunks.count; i++) {
      record.varint(chunks.mint[i] as number);
      record.uvarint((chunks.maxt[i] as number) - (chunks.mint[i] as number));
      record.uvarint(chunks.chunkRef[i] as number);
    }
    record.patchU32be(0, record.length - 4);
    this.#sink.write(record.view());
    return this.#sink.isDue ? this.#sink.flush() : undefined;
  }

  #number(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(text, number);
    }
    return number;
  }

  /** Writes symbols and series into `index` and removes the temporary file. */
  async replay(index: IndexWriter): Promise<void> {
    const final = new Uint32Array(this.#numbers.size);
    for (const text of [...this.#numbers.keys()].sort(compareUtf8)) {
      final[this.#numbers.get(text) as number] = index.addSymbol(text);
      const wait = index.drain();
      if (wait !== undefined) await wait;
    }
    this.#numbers.clear();
    await index.endSymbols();
    const end = this.#sink.position;
    for (let at = 0; at < end; ) {
      let piece = await this.#sink.readBack(at, Math.min(REPLAY_BYTES, end - at));
      const whole = wholeRecords(piece);
      if (whole === 0) piece = await this.#sink.readBack(at, 4 + new WireReader(piece).u32());
      at += await replayPiece(piece.subarray(0, whole === 0 ? piece.length : whole), final, index);
    }
    await this.close();
    await rm(this.#sink.path, {force: true});
  }

  async close(): Promise<void> {
    await this.#sink.close();
  }
}

/** How many bytes of `piece` are complete records. */
function wholeRecords(piece: Uint8Array): number {
  const reader = new WireReader(piece);
  let end = 0;
  while (reader.left >= 4) {
    reader.skip(reader.u32());
    if (reader.failed) break;
    end = reader.at;
  }
  return end;
}

async function replayPiece(piece: Uint8Array, final: Uint32Array, index: IndexWriter): Promise<number> {
  const reader = new WireReader(piece);
  while (reader.left > 0) {
    reader.skip(4);
    const refs: number[] = [];
    const count = reader.uvarint();
    for (let i = 0; i < count; i++) refs.push(final[reader.uvarint()] as number);
    const chunks = reader.uvarint();
    const mint: number[] = [];
    const maxt: number[] = [];
    const chunkRef: number[] = [];
    for (let i = 0; i < chunks; i++) {
      const from = reader.varint();
      mint.push(from);
      maxt.push(from + reader.uvarint());
      chunkRef.push(reader.uvarint());
    }
    index.addSeries(refs, {mint, maxt, chunkRef, count: chunks});
    const wait = index.drain();
    if (wait !== undefined) await wait;
  }
  return piece.length;
}
