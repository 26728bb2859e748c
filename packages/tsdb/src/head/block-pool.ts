/** Bytes of a block; 120 samples of an ordinary series take two to six. */
export const BLOCK_BYTES = 128;
/** What a block holds beside the number of the next. */
export const BLOCK_ROOM = BLOCK_BYTES - 4;
const SLAB_BLOCKS = 8192;
const SLAB_SHIFT = 13;
const SLAB_MASK = SLAB_BLOCKS - 1;

/**
 * Blocks of equal size for chunks that grow: chains waste half a block and leave no holes of other sizes, whatever the
 * order in which chunks grow and go. A block's number is good until it is freed; 0 is none.
 */
export class BlockPool {
  /** Slabs of SLAB_BLOCKS blocks. */
  readonly slabs: Uint8Array[] = [];
  #next = 1;
  #free = 0;
  #live = 0;
  #freed = 0;

  /** Makes room for so many blocks: taking them cannot fail then. Throws RangeError where memory has none. */
  reserve(blocks: number): void {
    const missing = blocks - this.#freed;
    while (missing > 0 && this.#next + missing > this.slabs.length * SLAB_BLOCKS) {
      this.slabs.push(new Uint8Array(SLAB_BLOCKS * BLOCK_BYTES));
    }
  }

  /** Bytes of blocks in use. */
  get bytes(): number {
    return this.#live * BLOCK_BYTES;
  }

  slab(block: number): Uint8Array {
    return this.slabs[block >>> SLAB_SHIFT] as Uint8Array;
  }

  /** Place of the block's first byte in its slab. */
  at(block: number): number {
    return (block & SLAB_MASK) * BLOCK_BYTES;
  }

  /** A block of undefined content whose next is 0. */
  alloc(): number {
    this.#live++;
    let block = this.#free;
    if (block !== 0) {
      this.#free = this.next(block);
      this.#freed--;
    } else {
      block = this.#next++;
      if (block >>> SLAB_SHIFT >= this.slabs.length) this.slabs.push(new Uint8Array(SLAB_BLOCKS * BLOCK_BYTES));
    }
    this.link(block, 0);
    return block;
  }

  next(block: number): number {
    const slab = this.slab(block);
    const p = this.at(block) + BLOCK_ROOM;
    return (
      ((slab[p] as number) |
        ((slab[p + 1] as number) << 8) |
        ((slab[p + 2] as number) << 16) |
        ((slab[p + 3] as number) << 24)) >>>
      0
    );
  }

  link(block: number, next: number): void {
    const slab = this.slab(block);
    const p = this.at(block) + BLOCK_ROOM;
    slab[p] = next;
    slab[p + 1] = next >>> 8;
    slab[p + 2] = next >>> 16;
    slab[p + 3] = next >>> 24;
  }

  /** Frees the block and all that follow it. */
  freeChain(first: number): void {
    for (let block = first; block !== 0; ) {
      const next = this.next(block);
      this.link(block, this.#free);
      this.#free = block;
      this.#freed++;
      this.#live--;
      block = next;
    }
  }
}
