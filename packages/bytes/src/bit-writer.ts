const TWO_32 = 2 ** 32;

/** Bits, most significant first, collected in a buffer that grows by doubling. Unused low bits of the last byte are 0. */
export class BitWriter {
  #data: Uint8Array<ArrayBuffer>;
  /** Whole bytes done. */
  #at = 0;
  /** Bits of the unfinished byte, and how many. */
  #acc = 0;
  #bits = 0;

  constructor(initialBytes = 128) {
    this.#data = new Uint8Array(initialBytes);
  }

  /** Bytes so far, the unfinished one included. */
  get length(): number {
    return this.#at + (this.#bits > 0 ? 1 : 0);
  }

  /** Bits so far. */
  get bitLength(): number {
    return this.#at * 8 + this.#bits;
  }

  /** A copy of what was written, owned by the caller. */
  take(): Uint8Array<ArrayBuffer> {
    this.#flush();
    return this.#data.slice(0, this.length);
  }

  /** What was written so far, as a view that is good until the next write or reset. */
  view(): Uint8Array<ArrayBuffer> {
    this.#flush();
    return this.#data.subarray(0, this.length);
  }

  reset(): void {
    this.#at = 0;
    this.#acc = 0;
    this.#bits = 0;
  }

  /** Overwrites a whole byte that was written. */
  patchByte(at: number, value: number): void {
    this.#data[at] = value;
  }

  /** Appends the low `count` (1…32) bits. */
  put(value: number, count: number): void {
    if (this.#at + 8 > this.#data.length) this.#grow();
    if (count > 16) {
      this.#put(value >>> 16, count - 16);
      this.#put(value & 0xffff, 16);
    } else this.#put(value, count);
  }

  /** Appends the low `count` (1…64) bits of two words. */
  put64(hi: number, lo: number, count: number): void {
    if (count > 32) {
      this.put(hi, count - 32);
      this.put(lo, 32);
    } else this.put(lo, count);
  }

  byte(value: number): void {
    this.put(value, 8);
  }

  /** LEB128 in bytes that start at the current bit. */
  uvarint(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    for (; rest >= 0x80n; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80);
    this.byte(Number(rest));
  }

  varint(value: bigint): void {
    this.uvarint((value << 1n) ^ (value >> 63n));
  }

  /** The signed variable bit code of histogram chunks, for whole numbers. */
  varbitInt(value: number): void {
    if (value === 0) this.put(0, 1);
    else if (value >= -3 && value <= 4) this.put(0x10 | (value & 7), 5);
    else if (value >= -31 && value <= 32) this.put(0x180 | (value & 63), 9);
    else if (value >= -255 && value <= 256) this.put(0x1c00 | (value & 511), 13);
    else if (value >= -2047 && value <= 2048) this.put(0x1e000 | (value & 4095), 17);
    else if (value >= -131071 && value <= 131072) this.put(0xf80000 | (value & 262143), 24);
    else if (value >= -16777215 && value <= 16777216) this.put(0xfc000000 | (value & 0x1ffffff), 32);
    else this.#wide(value, value > -(2 ** 55) && value <= 2 ** 55);
  }

  /** The unsigned form, for whole numbers from 0. */
  varbitUint(value: number): void {
    if (value === 0) this.put(0, 1);
    else if (value < 8) this.put(0x10 | value, 5);
    else if (value < 64) this.put(0x180 | value, 9);
    else if (value < 512) this.put(0x1c00 | value, 13);
    else if (value < 4096) this.put(0x1e000 | value, 17);
    else if (value < 262144) this.put(0xf80000 | value, 24);
    else if (value < 33554432) this.put(0xfc000000 | value, 32);
    else this.#wide(value, value < 2 ** 56);
  }

  #wide(value: number, fits56: boolean): void {
    this.put(fits56 ? 0xfe : 0xff, 8);
    this.put64(Math.floor(value / TWO_32), value >>> 0, fits56 ? 56 : 64);
  }

  #put(value: number, count: number): void {
    // At most 7 + 16 bits are pending.
    this.#acc = (this.#acc << count) | (value & ((1 << count) - 1));
    this.#bits += count;
    while (this.#bits >= 8) {
      this.#bits -= 8;
      this.#data[this.#at++] = this.#acc >>> this.#bits;
    }
    this.#acc &= 0xff;
  }

  #flush(): void {
    if (this.#bits === 0) return;
    if (this.#at + 1 > this.#data.length) this.#grow();
    this.#data[this.#at] = this.#acc << (8 - this.#bits);
  }

  #grow(): void {
    const grown = new Uint8Array(Math.max(64, this.#data.length * 2));
    grown.set(this.#data.subarray(0, this.#at));
    this.#data = grown;
  }
}
