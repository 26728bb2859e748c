import {ByteReader} from "@strata/bytes";
import type {Labels} from "@strata/model";
import {readLabels} from "../wal/other-records.ts";
import {grownU32} from "./grow.ts";

/** Label bytes lie in slabs of this size, or in one of their own when they are longer. */
const SLAB_BYTES = 1 << 20;
const PAGE_SHIFT = 12;
const PAGE_MASK = (1 << PAGE_SHIFT) - 1;
const NO_SLOT = -1;

/**
 * The series of a head: reference ↔ slot ↔ encoded labels (as in series records), without a string or an object per
 * series. Slots are dense and reused; references only grow, so they are what the outside knows.
 */
export class SeriesTable {
  /** Reference by slot; 0 for a free one. */
  ref: Uint32Array = new Uint32Array(0);
  #hash: Uint32Array = new Uint32Array(0);
  #slab: Uint32Array = new Uint32Array(0);
  #from: Uint32Array = new Uint32Array(0);
  #length: Uint32Array = new Uint32Array(0);
  #slabs: Buffer[] = [];
  #slabUsed = SLAB_BYTES;
  #current = -1;
  #live = 0;
  #garbage = 0;
  #high = 0;
  #freeSlots: number[] = [];
  /** Slot + 1 by hash, open addressing; 0 is empty. */
  #index = new Uint32Array(1024);
  #indexed = 0;
  /** Slot + 1 by reference, in pages that exist only where a series lives. */
  readonly #pages = new Map<number, {slots: Uint32Array; live: number}>();
  #lastPage = -1;
  #lastSlots: Uint32Array = new Uint32Array(0);

  /** Series that live. */
  get size(): number {
    return this.#live;
  }

  /** All slots in use are below. */
  get slots(): number {
    return this.#high;
  }

  /** The slot of a reference, or −1. */
  slotOf(ref: number): number {
    const page = Math.floor(ref / (PAGE_MASK + 1));
    if (page !== this.#lastPage) {
      const found = this.#pages.get(page);
      if (found === undefined) return NO_SLOT;
      this.#lastPage = page;
      this.#lastSlots = found.slots;
    }
    return (this.#lastSlots[ref & PAGE_MASK] as number) - 1;
  }

  /** The slot of the series whose encoded labels are bytes[from, to), or −1. Labels must be sorted by name. */
  find(bytes: Uint8Array, from: number, to: number): number {
    const hash = hashBytes(bytes, from, to);
    const mask = this.#index.length - 1;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const slot = (this.#index[i] as number) - 1;
      if (slot === NO_SLOT) return NO_SLOT;
      // A series that was removed stays in the index until `compact`.
      if (this.#hash[slot] === hash && this.ref[slot] !== 0 && this.#equals(slot, bytes, from, to)) return slot;
    }
  }

  /** Adds a series that is not there yet. Copies the bytes. */
  add(ref: number, bytes: Uint8Array, from: number, to: number): number {
    const slot = this.#freeSlots.pop() ?? this.#high++;
    this.#reserve(slot + 1);
    this.ref[slot] = ref;
    this.#store(slot, bytes, from, to);
    this.#hash[slot] = hashBytes(bytes, from, to);
    if ((this.#indexed + 1) * 2 > this.#index.length) this.#rehash(this.#live * 4);
    this.#insert(slot);
    const page = ref >>> PAGE_SHIFT;
    let entry = this.#pages.get(page);
    if (entry === undefined) {
      entry = {slots: new Uint32Array(PAGE_MASK + 1), live: 0};
      this.#pages.set(page, entry);
    }
    entry.slots[ref & PAGE_MASK] = slot + 1;
    entry.live++;
    this.#live++;
    return slot;
  }

  /** Removes series; call `compact` when done. */
  remove(slot: number): void {
    const ref = this.ref[slot] as number;
    const page = ref >>> PAGE_SHIFT;
    const entry = this.#pages.get(page);
    if (entry !== undefined) {
      entry.slots[ref & PAGE_MASK] = 0;
      if (--entry.live === 0) {
        this.#pages.delete(page);
        this.#lastPage = -1;
      }
    }
    this.ref[slot] = 0;
    this.#garbage += this.#length[slot] as number;
    this.#freeSlots.push(slot);
    this.#live--;
  }

  /** Makes the table fit again after removals: the hash index anew, and the label bytes when half of them are garbage. */
  compact(): void {
    this.#rehash(this.#live * 4);
    let total = 0;
    for (const slab of this.#slabs) total += slab.length;
    if (this.#garbage * 2 < total) return;
    const old = this.#slabs;
    this.#slabs = [];
    this.#current = -1;
    this.#slabUsed = SLAB_BYTES;
    this.#garbage = 0;
    for (let slot = 0; slot < this.#high; slot++) {
      if (this.ref[slot] === 0) continue;
      const from = this.#from[slot] as number;
      this.#store(slot, old[this.#slab[slot] as number] as Uint8Array, from, from + (this.#length[slot] as number));
    }
  }

  /** Hands out where the encoded labels lie: bytes[from, to), not to be written. */
  labelBytes(slot: number, use: (bytes: Uint8Array, from: number, to: number) => void): void {
    const from = this.#from[slot] as number;
    use(this.#slabs[this.#slab[slot] as number] as Uint8Array, from, from + (this.#length[slot] as number));
  }

  /** The labels as an object, made anew. */
  labels(slot: number): Labels {
    const from = this.#from[slot] as number;
    const bytes = this.#slabs[this.#slab[slot] as number] as Uint8Array;
    return readLabels(new ByteReader(bytes, "series of the head", from, from + (this.#length[slot] as number)));
  }

  #equals(slot: number, bytes: Uint8Array, from: number, to: number): boolean {
    const length = to - from;
    if (this.#length[slot] !== length) return false;
    const own = this.#slabs[this.#slab[slot] as number] as Buffer;
    const at = this.#from[slot] as number;
    // PERF: for the 200 bytes of an ordinary series half of what a loop takes.
    return own.compare(bytes, from, to, at, at + length) === 0;
  }

  #store(slot: number, bytes: Uint8Array, from: number, to: number): void {
    const length = to - from;
    let slab: number;
    let at = 0;
    if (length > SLAB_BYTES / 4) {
      slab = this.#slabs.push(Buffer.allocUnsafeSlow(length)) - 1;
    } else {
      if (this.#slabUsed + length > SLAB_BYTES) {
        this.#current = this.#slabs.push(Buffer.allocUnsafeSlow(SLAB_BYTES)) - 1;
        this.#slabUsed = 0;
      }
      slab = this.#current;
      at = this.#slabUsed;
      this.#slabUsed += length;
    }
    const target = this.#slabs[slab] as Uint8Array;
    for (let i = 0; i < length; i++) target[at + i] = bytes[from + i] as number;
    this.#slab[slot] = slab;
    this.#from[slot] = at;
    this.#length[slot] = length;
  }

  #reserve(slots: number): void {
    this.ref = grownU32(this.ref, slots);
    this.#hash = grownU32(this.#hash, slots);
    this.#slab = grownU32(this.#slab, slots);
    this.#from = grownU32(this.#from, slots);
    this.#length = grownU32(this.#length, slots);
  }

  #insert(slot: number): void {
    const mask = this.#index.length - 1;
    let i = (this.#hash[slot] as number) & mask;
    while (this.#index[i] !== 0) i = (i + 1) & mask;
    this.#index[i] = slot + 1;
    this.#indexed++;
  }

  #rehash(wanted: number): void {
    let size = 1024;
    while (size < wanted) size *= 2;
    this.#index = new Uint32Array(size);
    this.#indexed = 0;
    for (let slot = 0; slot < this.#high; slot++) {
      // A slot that is just being added has its reference already, and is inserted by its caller.
      if (this.ref[slot] !== 0 && this.#pageHolds(slot)) this.#insert(slot);
    }
  }

  #pageHolds(slot: number): boolean {
    const ref = this.ref[slot] as number;
    return this.#pages.get(ref >>> PAGE_SHIFT)?.slots[ref & PAGE_MASK] === slot + 1;
  }
}

/** Four bytes a round; spreads well enough for open addressing at half load. */
function hashBytes(bytes: Uint8Array, from: number, to: number): number {
  let h = (to - from) | 0;
  let i = from;
  for (const whole = to - 3; i < whole; i += 4) {
    const word =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    h = Math.imul(h ^ word, 0x9e3779b1);
    h ^= h >>> 15;
  }
  for (; i < to; i++) h = Math.imul(h ^ (bytes[i] as number), 0x85ebca6b);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}
