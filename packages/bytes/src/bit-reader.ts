import {StrataError} from "@strata/base";

const TWO_32 = 2 ** 32;
/** Bytes past the end that a read may look at. */
const PAD = 12;

/**
 * Reads bits, most significant first, from bytes that others own. 64-bit results are left as two words in `hi` and `lo`
 * (signed 32-bit each). Reading past the end throws `corrupt` with the name and the byte's offset (`base` is that of
 * data[0]).
 */
export class BitReader {
  readonly name: string;
  /** The next bit, counted from data[from]. */
  pos = 0;
  hi = 0;
  lo = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  readonly #base: number;

  constructor(data: Uint8Array, name: string, from = 0, to: number = data.length, base = 0) {
    this.name = name;
    this.#base = base + from;
    const length = Math.max(0, Math.min(to, data.length) - from);
    this.#end = length * 8;
    let bytes = data;
    let start = from;
    if (from + length + PAD > data.length) {
      bytes = new Uint8Array(length + PAD);
      bytes.set(data.subarray(from, from + length));
      start = 0;
    }
    this.#view = new DataView(bytes.buffer, bytes.byteOffset + start, length + PAD);
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset + start, length + PAD);
  }

  /** Bits not read yet. */
  get remaining(): number {
    return this.#end - this.pos;
  }

  corrupt(what: string): StrataError {
    const offset = this.#base + (this.pos >>> 3);
    return new StrataError("corrupt", `cannot read ${this.name} at ${offset}: ${what}`, {
      fields: {file: this.name, offset},
    });
  }

  /** The next 32 bits, signed, without moving; zeros past the end. */
  peek32(): number {
    const p = this.pos >>> 3;
    const k = this.pos & 7;
    if (this.pos > this.#end) throw this.corrupt("the data ends early");
    return (this.#view.getInt32(p) << k) | ((this.#bytes[p + 4] as number) >>> (8 - k));
  }

  bit(): number {
    const p = this.pos;
    if (p >= this.#end) throw this.corrupt("the data ends early");
    this.pos = p + 1;
    return ((this.#bytes[p >>> 3] as number) >>> (7 - (p & 7))) & 1;
  }

  /** The next `count` (1…32) bits, unsigned. */
  bits(count: number): number {
    const w = this.peek32();
    this.skip(count);
    return w >>> (32 - count);
  }

  /** The next `count` (1…64) bits into hi and lo. */
  bits64(count: number): void {
    if (count <= 32) {
      this.lo = this.bits(count) | 0;
      this.hi = 0;
      return;
    }
    const top = count - 32;
    this.hi = this.peek32() >>> (32 - top);
    this.pos += top;
    this.lo = this.peek32();
    this.skip(32);
  }

  skip(count: number): void {
    const next = this.pos + count;
    if (next > this.#end) throw this.corrupt("the data ends early");
    this.pos = next;
  }

  /** LEB128 in bytes that start at the current bit, into hi and lo. */
  uvarint(): void {
    let lo = 0;
    let hi = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.bits(8);
      const part = byte & 0x7f;
      if (shift < 28) lo |= part << shift;
      else if (shift === 28) {
        lo |= part << 28;
        hi |= part >> 4;
      } else hi |= part << (shift - 32);
      if (byte < 0x80) {
        if (shift === 63 && byte > 1) break;
        this.lo = lo;
        this.hi = hi;
        return;
      }
    }
    throw this.corrupt("a varint longer than 64 bits");
  }

  /** Zig-zag LEB128 into hi and lo; returns the nearest Number. */
  varint(): number {
    this.uvarint();
    const flip = -(this.lo & 1);
    const lo = ((this.lo >>> 1) | (this.hi << 31)) ^ flip;
    this.hi = (this.hi >>> 1) ^ flip;
    this.lo = lo;
    return this.hi * TWO_32 + (lo >>> 0);
  }

  /** hi and lo as an unsigned number, the nearest beyond 2^53. */
  unsigned(): number {
    return (this.hi >>> 0) * TWO_32 + (this.lo >>> 0);
  }

  /** hi and lo as a signed number, the nearest beyond ±2^53. */
  signed(): number {
    return this.hi * TWO_32 + (this.lo >>> 0);
  }

  /** hi and lo as signed 64 bits. */
  signed64(): bigint {
    return (BigInt(this.hi) << 32n) | BigInt(this.lo >>> 0);
  }

  /**
   * The signed variable bit code of histogram chunks: a prefix of ones decides on 0, 3, 6, 9, 12, 18, 25, 56 or 64 bits.
   * Returns the nearest Number; hi and lo are set only where 56 or 64 bits were read.
   */
  varbitInt(): number {
    const w = this.peek32();
    if (w >= 0) {
      this.skip(1);
      return 0;
    }
    const ones = Math.clz32(~w);
    if (ones < 7) {
      const size = VARBIT[ones] as number;
      this.skip(ones + 1 + size);
      const raw = (w << (ones + 1)) >>> (32 - size);
      // A raw value above half the range is negative; half itself is positive.
      return raw > 1 << (size - 1) ? raw - (1 << size) : raw;
    }
    if (ones === 7) {
      this.skip(8);
      this.bits64(56);
      if (this.hi > 0x800000 || (this.hi === 0x800000 && this.lo !== 0)) this.hi |= -0x1000000;
      return this.signed();
    }
    this.skip(8);
    this.bits64(64);
    return this.signed();
  }

  /** The unsigned form; its prefixes and widths are those of varbitInt. */
  varbitUint(): number {
    const w = this.peek32();
    if (w >= 0) {
      this.skip(1);
      return 0;
    }
    const ones = Math.clz32(~w);
    if (ones < 7) {
      const size = VARBIT[ones] as number;
      this.skip(ones + 1 + size);
      return (w << (ones + 1)) >>> (32 - size);
    }
    this.skip(8);
    this.bits64(ones === 7 ? 56 : 64);
    return this.unsigned();
  }
}

/** Payload bits by the number of ones in the prefix. With its 7-bit prefix even the widest fits a 32-bit window. */
const VARBIT = [0, 3, 6, 9, 12, 18, 25];
