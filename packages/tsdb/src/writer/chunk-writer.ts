import {mkdir} from "node:fs/promises";
import {join} from "node:path";
import {crc32c} from "@strata/bytes";
import {
  CHUNK_CRC_BYTES,
  chunkRef,
  MAX_CHUNK_LENGTH_BYTES,
  SEGMENT_HEADER_BYTES,
  SEGMENT_MAGIC,
  SEGMENT_VERSION,
} from "../chunk-segments.ts";
import type {StoredChunks} from "../stored-chunks.ts";
import {writeU32} from "../wire.ts";
import {FileSink} from "./file-sink.ts";

/** Where Prometheus cuts segments. */
export const SEGMENT_BYTES = 512 * 1024 * 1024;

/**
 * Writes the chunks of a block into segment files. When to begin a new one is decided as the Go original does it, from
 * estimates that take every length field for five bytes; the bytes of an equal input are equal.
 */
export class ChunkWriter {
  readonly #dir: string;
  readonly #limit: number;
  #sink: FileSink | undefined;
  #segment = -1;
  /** Bytes in the segment before the series under way. */
  #before = 0;
  #batch = 0;
  #first = true;
  #index = 0;
  #total = 0;

  private constructor(dir: string, limit: number) {
    this.#dir = dir;
    this.#limit = limit;
  }

  /** Creates the directory; `limit` is the size at which segments are cut. */
  static async create(dir: string, limit: number = SEGMENT_BYTES): Promise<ChunkWriter> {
    await mkdir(dir);
    return new ChunkWriter(dir, limit);
  }

  /** Bytes of all segments so far. */
  get bytes(): number {
    return this.#total + (this.#sink?.position ?? 0);
  }

  /** Chunks that follow are those of another series: the decision about segments is made a series at a time. */
  startSeries(): void {
    this.#before = this.#sink?.position ?? 0;
    this.#batch = 0;
    this.#first = true;
    this.#index = 0;
  }

  /**
   * Must go before every `add`: decides whether the chunk of `length` bytes begins a segment. A promise only where there
   * is something to wait for. PERF: an await for each of a block's chunks would cost more than copying it.
   */
  prepare(length: number): Promise<void> | undefined {
    const cut = this.#mustCut(length);
    this.#index++;
    if (cut || this.#sink === undefined) return this.#cut();
    return this.#sink.isDue ? this.#sink.flush() : undefined;
  }

  /** Appends a chunk of the series, with its CRC32C where that is known, and gives its reference. */
  add(encoding: number, data: Uint8Array, from: number, length: number, sum?: number | undefined): number {
    const sink = this.#sink as FileSink;
    const ref = chunkRef(this.#segment, sink.position);
    const {buffer, at: start} = sink.claim(uvarintLength(length) + 1 + length + CHUNK_CRC_BYTES);
    let at = start;
    let rest = length;
    for (; rest > 0x7f; rest >>>= 7) buffer[at++] = (rest & 0x7f) | 0x80;
    buffer[at++] = rest;
    const content = at;
    buffer[at++] = encoding;
    buffer.set(data.subarray(from, from + length), at);
    at += length;
    writeU32(buffer, at, sum ?? crc32c(buffer, content, at));
    return ref;
  }

  /**
   * Appends rows [from, to) of `chunks` to the series, in place of `prepare` and `add` for each; their references go to
   * `refs`. PERF: rows that lie side by side are copied together, length fields and sums included.
   */
  addStored(chunks: StoredChunks, from: number, to: number, refs: number[]): Promise<void> | undefined {
    let bytes = 0;
    for (let i = from; i < to; i++) {
      const length = (chunks.end[i] as number) - (chunks.at[i] as number) - 1;
      const cut = this.#mustCut(length);
      this.#index++;
      if (cut || this.#sink === undefined || this.#sink.isDueWith(bytes)) {
        this.#copy(chunks, from, i, refs);
        const wait = cut || this.#sink === undefined ? this.#cut() : this.#sink.flush();
        return this.#addRest(wait, chunks, i, to, refs);
      }
      bytes += length + 1 + MAX_CHUNK_LENGTH_BYTES + CHUNK_CRC_BYTES;
    }
    this.#copy(chunks, from, to, refs);
    return undefined;
  }

  /** Row `i` is decided on: it goes first when `wait` is over. */
  async #addRest(wait: Promise<void>, chunks: StoredChunks, i: number, to: number, refs: number[]): Promise<void> {
    await wait;
    this.#copy(chunks, i, i + 1, refs);
    await this.addStored(chunks, i + 1, to, refs);
  }

  #copy(chunks: StoredChunks, from: number, to: number, refs: number[]): void {
    for (let i = from; i < to; ) {
      const data = chunks.buffer[i] as Uint8Array;
      const at = chunks.at[i] as number;
      if (chunks.verbatim[i] === 0) {
        const length = (chunks.end[i] as number) - at - 1;
        refs.push(this.add(data[at] as number, data, at + 1, length, chunks.sum[i]));
        i++;
        continue;
      }
      const sink = this.#sink as FileSink;
      const start = entryStart(chunks, i);
      const shift = sink.position - start;
      let end: number;
      do {
        refs.push(chunkRef(this.#segment, shift + entryStart(chunks, i)));
        end = (chunks.end[i++] as number) + CHUNK_CRC_BYTES;
      } while (i < to && chunks.verbatim[i] === 1 && chunks.buffer[i] === data && entryStart(chunks, i) === end);
      sink.write(data, start, end);
    }
  }

  #mustCut(length: number): boolean {
    const size = MAX_CHUNK_LENGTH_BYTES + 1 + length + CHUNK_CRC_BYTES;
    this.#batch += size;
    let cut = this.#index !== 0 && this.#batch + SEGMENT_HEADER_BYTES > this.#limit;
    // While the series still fits behind what the segment holds, that counts too; this one may cut before its first chunk.
    if (this.#first && this.#before > SEGMENT_HEADER_BYTES) {
      cut = this.#batch + this.#before > this.#limit;
      if (cut) this.#first = false;
    }
    if (cut) this.#batch = size;
    return cut;
  }

  async #cut(): Promise<void> {
    await this.#finishSegment();
    this.#segment++;
    this.#sink = await FileSink.create(join(this.#dir, String(this.#segment + 1).padStart(6, "0")));
    const header = new Uint8Array(SEGMENT_HEADER_BYTES);
    writeU32(header, 0, SEGMENT_MAGIC);
    header[4] = SEGMENT_VERSION;
    this.#sink.write(header);
  }

  async #finishSegment(): Promise<void> {
    this.#total += this.#sink?.position ?? 0;
    await this.#sink?.finish();
    this.#sink = undefined;
  }

  /** Syncs and closes the last segment. */
  async finish(): Promise<void> {
    await this.#finishSegment();
  }

  async abort(): Promise<void> {
    await this.#sink?.close();
    this.#sink = undefined;
  }
}

/** Where the length field of a verbatim row begins. */
function entryStart(chunks: StoredChunks, i: number): number {
  const at = chunks.at[i] as number;
  return at - uvarintLength((chunks.end[i] as number) - at - 1);
}

function uvarintLength(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) bytes++;
  return bytes;
}
