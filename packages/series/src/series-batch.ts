import type {Labels} from "@strata/model";
import {ChunkColumns} from "./chunk-columns.ts";

/** Which column a chunk carries: raw samples or one aggregate of downsampled ones. Numbers are those of the StoreAPI. */
export const AGGREGATE = {raw: 0, count: 1, sum: 2, min: 3, max: 4, counter: 5} as const;
export type Aggregate = (typeof AGGREGATE)[keyof typeof AGGREGATE];

/**
 * Some hundred series with their still encoded chunks, as columns over one buffer that the batch owns.
 *
 * Chunks of series i are the entries [firstChunk[i], firstChunk[i + 1]) of the chunk columns, ascending by mint. Chunks
 * of different sources or replicas may overlap. A downsampled chunk has one entry per aggregate, those of one chunk
 * side by side with equal mint and maxt. One label set may go on in the next batch (a very large series), and then
 * stands last in the one and first in the other.
 */
export type SeriesBatch = {
  readonly labels: readonly Labels[];
  /** labels.length + 1 entries. */
  readonly firstChunk: Uint32Array;
  /** ms, both inclusive. */
  readonly mint: Float64Array;
  readonly maxt: Float64Array;
  /** TSDB encoding number: XOR 1, histogram 2, float histogram 3, XOR2 4, … (chunkenc ENCODING). */
  readonly encoding: Uint8Array;
  /** Which stream (store, block) the chunk came from. */
  readonly source: Uint16Array;
  readonly aggregate: Uint8Array;
  /** Where the chunk's data (without length, encoding byte and CRC) lies in `bytes`. */
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  readonly bytes: Uint8Array;
  readonly warnings: readonly string[];
};

/** The number of series a batch carries at the most, unless a request says otherwise: about 1 MiB of chunks. */
export const BATCH_SERIES = 256;

/** Chunk bytes after which a batch is handed out although it has fewer series. */
export const BATCH_BYTES = 1 << 20;

/**
 * Collects series and chunks and hands them out as a SeriesBatch. Chunk bytes are copied in once; reuse the builder
 * after `finish`.
 */
export class SeriesBatchBuilder {
  readonly #columns = new ChunkColumns();
  #labels: Labels[] = [];
  #firstChunk: number[] = [];
  #warnings: string[] = [];
  /** What the first chunk of a batch makes room for; follows the size of the last batch. */
  #room: number;
  #bytes = EMPTY;
  #used = 0;

  constructor(initialBytes = 8 * 1024) {
    this.#room = initialBytes;
  }

  get series(): number {
    return this.#labels.length;
  }

  /** Bytes of chunk data collected so far. */
  get byteLength(): number {
    return this.#used;
  }

  get empty(): boolean {
    return this.#labels.length === 0 && this.#warnings.length === 0;
  }

  startSeries(labels: Labels): void {
    this.#labels.push(labels);
    this.#firstChunk.push(this.#columns.count);
  }

  /** Adds a chunk to the series started last; copies data[from, from + length). */
  addChunk(
    mint: number,
    maxt: number,
    encoding: number,
    source: number,
    aggregate: Aggregate,
    data: Uint8Array,
    from: number,
    length: number,
  ): void {
    this.#reserve(length);
    if (data instanceof Buffer) data.copy(this.#bytes, this.#used, from, from + length);
    else this.#bytes.set(data.subarray(from, from + length), this.#used);
    this.#columns.push(mint, maxt, encoding, source, aggregate, this.#used, length);
    this.#used += length;
  }

  addWarning(text: string): void {
    this.#warnings.push(text);
  }

  /** The batch collected so far; the builder starts afresh. */
  finish(): SeriesBatch {
    this.#firstChunk.push(this.#columns.count);
    const batch: SeriesBatch = {
      labels: this.#labels,
      firstChunk: new Uint32Array(this.#firstChunk),
      ...this.#columns.take(),
      bytes: this.#bytes.subarray(0, this.#used),
      warnings: this.#warnings,
    };
    this.#labels = [];
    this.#firstChunk = [];
    this.#warnings = [];
    if (this.#used > 0) this.#room = Math.min(this.#bytes.length, 2 * BATCH_BYTES);
    this.#bytes = EMPTY;
    this.#used = 0;
    return batch;
  }

  #reserve(more: number): void {
    if (this.#used + more <= this.#bytes.length) return;
    const size = Math.max(this.#bytes.length * 2, this.#room, this.#used + more);
    const grown = Buffer.allocUnsafeSlow(size);
    grown.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = grown;
  }
}

const EMPTY: Buffer<ArrayBuffer> = Buffer.alloc(0);
