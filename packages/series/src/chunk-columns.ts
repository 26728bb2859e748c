/** The chunk columns of a SeriesBatch. They may lie in one buffer. */
export type ChunkColumnArrays = {
  readonly mint: Float64Array<ArrayBuffer>;
  readonly maxt: Float64Array<ArrayBuffer>;
  readonly encoding: Uint8Array<ArrayBuffer>;
  readonly source: Uint16Array<ArrayBuffer>;
  readonly aggregate: Uint8Array<ArrayBuffer>;
  readonly offset: Uint32Array<ArrayBuffer>;
  readonly length: Uint32Array<ArrayBuffer>;
};

/** Bytes of one chunk in all columns. */
const CHUNK_BYTES = 28;

/**
 * Columns for `n` chunks, all 0. PERF: one buffer for the seven of them; a buffer each cost more than what is written into
 * them where batches are small, and most of that in the garbage collector.
 */
export function chunkColumnArrays(n: number): ChunkColumnArrays {
  const buffer = new ArrayBuffer(n * CHUNK_BYTES);
  return {
    mint: new Float64Array(buffer, 0, n),
    maxt: new Float64Array(buffer, 8 * n, n),
    encoding: new Uint8Array(buffer, 26 * n, n),
    source: new Uint16Array(buffer, 24 * n, n),
    aggregate: new Uint8Array(buffer, 27 * n, n),
    offset: new Uint32Array(buffer, 16 * n, n),
    length: new Uint32Array(buffer, 20 * n, n),
  };
}

const NONE = chunkColumnArrays(0);

/** Rows to begin with, once there is one: many columns never get any. */
const INITIAL = 32;
const GROWS = 4;

/** Growing chunk columns: `push` a row a chunk, then `take` exact copies and start afresh. Reused between batches. */
export class ChunkColumns {
  #mint = NONE.mint;
  #maxt = NONE.maxt;
  #encoding = NONE.encoding;
  #source = NONE.source;
  #aggregate = NONE.aggregate;
  #offset = NONE.offset;
  #length = NONE.length;
  #n = 0;

  /** Chunks so far. */
  get count(): number {
    return this.#n;
  }

  push(
    mint: number,
    maxt: number,
    encoding: number,
    source: number,
    aggregate: number,
    offset: number,
    length: number,
  ): void {
    const n = this.#n;
    if (n === this.#mint.length) this.#grow();
    this.#mint[n] = mint;
    this.#maxt[n] = maxt;
    this.#encoding[n] = encoding;
    this.#source[n] = source;
    this.#aggregate[n] = aggregate;
    this.#offset[n] = offset;
    this.#length[n] = length;
    this.#n = n + 1;
  }

  /** Drops the rows from `count` on. */
  truncate(count: number): void {
    this.#n = count;
  }

  take(): ChunkColumnArrays {
    const taken = this.#copy(this.#n);
    this.#n = 0;
    return taken;
  }

  #grow(): void {
    const grown = this.#copy(Math.max(INITIAL, GROWS * this.#mint.length));
    this.#mint = grown.mint;
    this.#maxt = grown.maxt;
    this.#encoding = grown.encoding;
    this.#source = grown.source;
    this.#aggregate = grown.aggregate;
    this.#offset = grown.offset;
    this.#length = grown.length;
  }

  /** The rows so far in columns for `size`. */
  #copy(size: number): ChunkColumnArrays {
    const n = this.#n;
    if (size === 0) return NONE;
    const to = chunkColumnArrays(size);
    if (n === 0) return to;
    to.mint.set(this.#mint.subarray(0, n));
    to.maxt.set(this.#maxt.subarray(0, n));
    to.encoding.set(this.#encoding.subarray(0, n));
    to.source.set(this.#source.subarray(0, n));
    to.aggregate.set(this.#aggregate.subarray(0, n));
    to.offset.set(this.#offset.subarray(0, n));
    to.length.set(this.#length.subarray(0, n));
    return to;
  }
}
