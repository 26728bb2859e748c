/**
 * Chunks as columns, of which the first `count` rows count; filled anew for each window of a merge. PERF: an object for
 * each chunk, and views of its bytes, made the collector a seventh of a merge.
 */
export class StoredChunks {
  count = 0;
  /** ms, both inclusive. */
  mint = new Float64Array(64);
  maxt = new Float64Array(64);
  /** Where the chunk was read; see ChunkRef in chunk-segments.ts. */
  ref = new Float64Array(64);
  /** Encoding and data are buffer[i][at[i], end[i]), shared with others: nobody writes into them. */
  readonly buffer: Uint8Array[] = [];
  at = new Uint32Array(64);
  end = new Uint32Array(64);
  /** CRC32C of encoding and data. */
  sum = new Uint32Array(64);
  /** 1 where length field and CRC lie around the bytes just as a segment has them. */
  verbatim = new Uint8Array(64);

  /** Adds a row whose bytes are still to be read; its number. */
  add(mint: number, maxt: number, ref: number): number {
    const i = this.count++;
    if (i === this.mint.length) this.#grow();
    this.mint[i] = mint;
    this.maxt[i] = maxt;
    this.ref[i] = ref;
    return i;
  }

  /** Sets the bytes of row `i`. */
  put(i: number, buffer: Uint8Array, at: number, end: number, sum: number, verbatim: boolean): void {
    this.buffer[i] = buffer;
    this.at[i] = at;
    this.end[i] = end;
    this.sum[i] = sum;
    this.verbatim[i] = verbatim ? 1 : 0;
  }

  /** Row `to` becomes a copy of row `from`. */
  move(from: number, to: number): void {
    this.mint[to] = this.mint[from] as number;
    this.maxt[to] = this.maxt[from] as number;
    this.ref[to] = this.ref[from] as number;
    this.put(
      to,
      this.buffer[from] as Uint8Array,
      this.at[from] as number,
      this.end[from] as number,
      this.sum[from] as number,
      this.verbatim[from] === 1,
    );
  }

  #grow(): void {
    const size = this.mint.length * 2;
    this.mint = copied(new Float64Array(size), this.mint);
    this.maxt = copied(new Float64Array(size), this.maxt);
    this.ref = copied(new Float64Array(size), this.ref);
    this.at = copied(new Uint32Array(size), this.at);
    this.end = copied(new Uint32Array(size), this.end);
    this.sum = copied(new Uint32Array(size), this.sum);
    this.verbatim = copied(new Uint8Array(size), this.verbatim);
  }
}

function copied<T extends {set(from: T): void}>(to: T, from: T): T {
  to.set(from);
  return to;
}
