import {grownF64, grownU8, grownU16, grownU32} from "./grow.ts";

/**
 * Places of full chunks as linked lists in columns: 36 bytes a chunk instead of an object. Entry numbers start at 1; 0 is
 * none. A list is known by its newest entry.
 */
export class ChunkList {
  /** ms, both inclusive. */
  mint: Float64Array = new Float64Array(64);
  maxt: Float64Array = new Float64Array(64);
  /** Place in the head chunk files: file number, offset of the entry, offset and length of the data. */
  file: Uint32Array = new Uint32Array(64);
  offset: Uint32Array = new Uint32Array(64);
  dataAt: Uint32Array = new Uint32Array(64);
  length: Uint32Array = new Uint32Array(64);
  samples: Uint16Array = new Uint16Array(64);
  encoding: Uint8Array = new Uint8Array(64);
  /** The entry before it in time of writing. */
  older: Uint32Array = new Uint32Array(64);
  #high = 1;
  #free = 0;
  #live = 0;

  /** Entries in use. */
  get size(): number {
    return this.#live;
  }

  /** Makes room for `more` entries. */
  reserve(more: number): void {
    this.#reserve(this.#high + more);
  }

  add(
    older: number,
    mint: number,
    maxt: number,
    encoding: number,
    samples: number,
    place: {readonly file: number; readonly offset: number; readonly dataAt: number},
    length: number,
  ): number {
    this.#live++;
    let i = this.#free;
    if (i !== 0) this.#free = this.older[i] as number;
    else {
      i = this.#high++;
      this.#reserve(this.#high);
    }
    this.mint[i] = mint;
    this.maxt[i] = maxt;
    this.encoding[i] = encoding;
    this.samples[i] = samples;
    this.file[i] = place.file;
    this.offset[i] = place.offset;
    this.dataAt[i] = place.dataAt;
    this.length[i] = length;
    this.older[i] = older;
    return i;
  }

  /** The entries of a list, oldest first. */
  entries(newest: number): number[] {
    const out: number[] = [];
    for (let i = newest; i !== 0; i = this.older[i] as number) out.push(i);
    return out.reverse();
  }

  /** Drops the entries of a list that `gone` tells of; returns the newest that is left, and how many went. */
  drop(newest: number, gone: (i: number) => boolean): {newest: number; dropped: number} {
    const all = this.entries(newest);
    let last = 0;
    let dropped = 0;
    for (const i of all) {
      if (gone(i)) {
        this.older[i] = this.#free;
        this.#free = i;
        this.#live--;
        dropped++;
      } else {
        this.older[i] = last;
        last = i;
      }
    }
    return {newest: last, dropped};
  }

  #reserve(size: number): void {
    if (size <= this.mint.length) return;
    this.mint = grownF64(this.mint, size);
    this.maxt = grownF64(this.maxt, size);
    this.file = grownU32(this.file, size);
    this.offset = grownU32(this.offset, size);
    this.dataAt = grownU32(this.dataAt, size);
    this.length = grownU32(this.length, size);
    this.samples = grownU16(this.samples, size);
    this.encoding = grownU8(this.encoding, size);
    this.older = grownU32(this.older, size);
  }
}
