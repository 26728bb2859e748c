/** The chunk columns of a SeriesBatch. */
export type ChunkColumnArrays = {
  readonly mint: Float64Array<ArrayBuffer>;
  readonly maxt: Float64Array<ArrayBuffer>;
  readonly encoding: Uint8Array<ArrayBuffer>;
  readonly source: Uint16Array<ArrayBuffer>;
  readonly aggregate: Uint8Array<ArrayBuffer>;
  readonly offset: Uint32Array<ArrayBuffer>;
  readonly length: Uint32Array<ArrayBuffer>;
};

/** Growing chunk columns: `push` a row a chunk, then `take` exact copies and start afresh. Reused between batches. */
export class ChunkColumns {
  #mint = new Float64Array(INITIAL);
  #maxt = new Float64Array(INITIAL);
  #encoding = new Uint8Array(INITIAL);
  #source = new Uint16Array(INITIAL);
  #aggregate = new Uint8Array(INITIAL);
  #offset = new Uint32Array(INITIAL);
  #length = new Uint32Array(INITIAL);
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
    const n = this.#n;
    this.#n = 0;
    return {
      mint: this.#mint.slice(0, n),
      maxt: this.#maxt.slice(0, n),
      encoding: this.#encoding.slice(0, n),
      source: this.#source.slice(0, n),
      aggregate: this.#aggregate.slice(0, n),
      offset: this.#offset.slice(0, n),
      length: this.#length.slice(0, n),
    };
  }

  #grow(): void {
    const size = this.#mint.length * 2;
    const grow = <T extends {set(from: T): void; length: number}>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#mint = grow(this.#mint, new Float64Array(size));
    this.#maxt = grow(this.#maxt, new Float64Array(size));
    this.#encoding = grow(this.#encoding, new Uint8Array(size));
    this.#source = grow(this.#source, new Uint16Array(size));
    this.#aggregate = grow(this.#aggregate, new Uint8Array(size));
    this.#offset = grow(this.#offset, new Uint32Array(size));
    this.#length = grow(this.#length, new Uint32Array(size));
  }
}

/** Rows to begin with. PERF: a small call has several of these; with room for 1024 each, making them was a tenth of it. */
const INITIAL = 32;
