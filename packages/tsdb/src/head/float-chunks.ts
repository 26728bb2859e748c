import {BLOCK_ROOM, BlockPool} from "./block-pool.ts";
import {grownF64, grownU8, grownU16, grownU32} from "./grow.ts";

/** The sample being written: from the unfinished byte of the chunk on. At most 8 + 145 bits, the first one 160. */
const scratch = new Uint8Array(64);
/** The same in words, for wiping what a sample can touch. */
const scratchWords = new Float64Array(scratch.buffer, 0, 4);
let pos = 0;
const NO_WINDOW = 0xff;

/**
 * The open XOR chunk of every series, one sample appended at a time, as columns by slot. The bytes are those that
 * xorEncode gives for all samples at once.
 */
export class FloatChunks {
  readonly #pool = new BlockPool();
  /** Samples; 0 where the slot has no open chunk here. */
  count: Uint16Array = new Uint16Array(0);
  /** First and last time, ms. */
  mint: Float64Array = new Float64Array(0);
  t: Float64Array = new Float64Array(0);
  /** Low and high word of the last value. */
  words: Uint32Array = new Uint32Array(0);
  #delta: Float64Array = new Float64Array(0);
  #lead: Uint8Array = new Uint8Array(0);
  #trail: Uint8Array = new Uint8Array(0);
  #bits: Uint16Array = new Uint16Array(0);
  #head: Uint32Array = new Uint32Array(0);
  #tail: Uint32Array = new Uint32Array(0);

  /** Makes room for slots below `slots`. */
  reserve(slots: number): void {
    this.count = grownU16(this.count, slots);
    this.mint = grownF64(this.mint, slots);
    this.t = grownF64(this.t, slots);
    this.words = grownU32(this.words, 2 * slots);
    this.#delta = grownF64(this.#delta, slots);
    this.#lead = grownU8(this.#lead, slots);
    this.#trail = grownU8(this.#trail, slots);
    this.#bits = grownU16(this.#bits, slots);
    this.#head = grownU32(this.#head, slots);
    this.#tail = grownU32(this.#tail, slots);
  }

  /** Makes room for so many samples; each takes one block more at the most. */
  reserveSamples(samples: number): void {
    this.#pool.reserve(samples);
  }

  /** Bytes of the pool in use. */
  get poolBytes(): number {
    return this.#pool.bytes;
  }

  /** Bytes of the slot's chunk. */
  bytes(slot: number): number {
    return ((this.#bits[slot] as number) + 7) >>> 3;
  }

  /** Appends a sample; the first one begins the chunk. Times must ascend, and the chunk be cut before it passes 1005 bytes. */
  append(slot: number, t: number, low: number, high: number): void {
    const n = this.count[slot] as number;
    scratchWords[0] = 0;
    scratchWords[1] = 0;
    scratchWords[2] = 0;
    scratchWords[3] = 0;
    if (n === 0) {
      this.#begin(slot, t, low, high);
    } else {
      const bits = this.#bits[slot] as number;
      pos = bits & 7;
      if (pos > 0) {
        const tail = this.#tail[slot] as number;
        scratch[0] = this.#pool.slab(tail)[this.#pool.at(tail) + ((bits >>> 3) % BLOCK_ROOM)] as number;
      }
      const delta = t - (this.t[slot] as number);
      if (n === 1) putUvarint(delta);
      else putDod(delta - (this.#delta[slot] as number));
      this.#delta[slot] = delta;
      this.#putValue(slot, low, high);
      this.#store(slot, bits >>> 3, bits - (bits & 7) + pos);
    }
    this.count[slot] = n + 1;
    this.t[slot] = t;
    this.words[2 * slot] = low;
    this.words[2 * slot + 1] = high;
  }

  /** Copies the chunk's data to out[at…) and returns its length. */
  copy(slot: number, out: Uint8Array, at: number): number {
    const length = this.bytes(slot);
    let block = this.#head[slot] as number;
    for (let done = 0; done < length; done += BLOCK_ROOM) {
      const from = this.#pool.at(block);
      out.set(this.#pool.slab(block).subarray(from, from + Math.min(BLOCK_ROOM, length - done)), at + done);
      block = this.#pool.next(block);
    }
    const n = this.count[slot] as number;
    out[at] = n >>> 8;
    out[at + 1] = n;
    return length;
  }

  /** Drops the slot's chunk. */
  free(slot: number): void {
    if (this.count[slot] === 0) return;
    this.#pool.freeChain(this.#head[slot] as number);
    this.count[slot] = 0;
    this.#bits[slot] = 0;
    this.#head[slot] = 0;
    this.#tail[slot] = 0;
  }

  #begin(slot: number, t: number, low: number, high: number): void {
    const block = this.#pool.alloc();
    this.#head[slot] = block;
    this.#tail[slot] = block;
    this.mint[slot] = t;
    this.#delta[slot] = 0;
    this.#lead[slot] = NO_WINDOW;
    this.#trail[slot] = 0;
    pos = 16;
    if (t >= 0) putUvarint(t * 2);
    else putUvarint(-t * 2 - 1);
    put(high, 32);
    put(low, 32);
    this.#store(slot, 0, pos);
  }

  #putValue(slot: number, low: number, high: number): void {
    const xLow = (low ^ (this.words[2 * slot] as number)) >>> 0;
    const xHigh = (high ^ (this.words[2 * slot + 1] as number)) >>> 0;
    if (xLow === 0 && xHigh === 0) {
      put(0, 1);
      return;
    }
    const lead = Math.min(xHigh !== 0 ? Math.clz32(xHigh) : 32 + Math.clz32(xLow), 31);
    const trail = xLow !== 0 ? 31 - Math.clz32(xLow & -xLow) : 63 - Math.clz32(xHigh & -xHigh);
    let winLead = this.#lead[slot] as number;
    let winTrail = this.#trail[slot] as number;
    if (winLead !== NO_WINDOW && lead >= winLead && trail >= winTrail) put(2, 2);
    else {
      winLead = lead;
      winTrail = trail;
      this.#lead[slot] = lead;
      this.#trail[slot] = trail;
      put(0x1800 | (lead << 6) | ((64 - lead - trail) & 63), 13);
    }
    const sig = 64 - winLead - winTrail;
    const mLow =
      winTrail === 0
        ? xLow
        : winTrail >= 32
          ? xHigh >>> (winTrail - 32)
          : ((xLow >>> winTrail) | (xHigh << (32 - winTrail))) >>> 0;
    if (sig > 32) {
      put(winTrail === 0 ? xHigh : xHigh >>> winTrail, sig - 32);
      put(mLow, 32);
    } else put(mLow, sig);
  }

  /** Copies the scratch bytes to the chain from byte `from` of the chunk on; the chunk then has `bits` bits. */
  #store(slot: number, from: number, bits: number): void {
    const pool = this.#pool;
    const end = (bits + 7) >>> 3;
    let tail = this.#tail[slot] as number;
    let offset = from % BLOCK_ROOM;
    // All bytes so far are whole and fill their blocks.
    if (offset === 0 && from > 0 && this.#bits[slot] === 8 * from) tail = this.#extend(slot, tail);
    let slab = pool.slab(tail);
    let base = pool.at(tail);
    for (let i = from, s = 0; i < end; i++, s++) {
      if (offset === BLOCK_ROOM) {
        tail = this.#extend(slot, tail);
        slab = pool.slab(tail);
        base = pool.at(tail);
        offset = 0;
      }
      slab[base + offset++] = scratch[s] as number;
    }
    this.#bits[slot] = bits;
  }

  #extend(slot: number, tail: number): number {
    const block = this.#pool.alloc();
    this.#pool.link(tail, block);
    this.#tail[slot] = block;
    return block;
  }
}

/** Appends the low `count` (1…32) bits, the others of `value` being 0. */
function put(value: number, count: number): void {
  let at = pos >>> 3;
  const room = 8 - (pos & 7);
  pos += count;
  if (count <= room) {
    scratch[at] = (scratch[at] as number) | (value << (room - count));
    return;
  }
  let left = count - room;
  scratch[at] = (scratch[at] as number) | (value >>> left);
  at++;
  while (left >= 8) {
    left -= 8;
    scratch[at++] = value >>> left;
  }
  if (left > 0) scratch[at] = value << (8 - left);
}

function putUvarint(value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) put((rest % 128) | 0x80, 8);
  put(rest, 8);
}

function putDod(dod: number): void {
  if (dod === 0) put(0, 1);
  else if (dod >= -8191 && dod <= 8192) put(0x8000 | (dod & 0x3fff), 16);
  else if (dod >= -65535 && dod <= 65536) put(0xc0000 | (dod & 0x1ffff), 20);
  else if (dod >= -524287 && dod <= 524288) put(0xe00000 | (dod & 0xfffff), 24);
  else {
    put(0xf, 4);
    put(Math.floor(dod / 2 ** 32) >>> 0, 32);
    put(dod >>> 0, 32);
  }
}
