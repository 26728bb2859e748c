import {StrataError} from "@strata/base";

const TWO_28 = 0x10000000;
const TWO_32 = 0x100000000;
const utf8 = new TextDecoder();

/**
 * Reads protobuf fields out of bytes it does not trust: every length is checked against the message it stands in, and
 * whatever does not add up is a `corrupt` error naming the message and the offset.
 *
 * 64-bit integers become numbers: exact within ±2^53, and the extremes that stand for "no limit" in times (MinInt64,
 * MaxInt64) become -2^63 and 2^63, which the writer turns back into the same bytes.
 */
export class WireReader {
  readonly bytes: Uint8Array;
  /** What is being read, for error texts. */
  readonly what: string;
  pos: number;
  /** End of the message being read, exclusive. */
  end: number;
  readonly #view: DataView;
  #lo = 0;
  #hi = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.bytes = bytes;
    this.what = what;
    this.pos = 0;
    this.end = bytes.length;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Throws `corrupt`. */
  fail(problem: string): never {
    throw new StrataError("corrupt", `cannot decode ${this.what}: ${problem} at offset ${this.pos}`, {
      fields: {offset: this.pos},
    });
  }

  /** A varint, cut to its low 32 bits: tags, lengths, uint32. */
  uint32(): number {
    const bytes = this.bytes;
    if (this.pos < this.end) {
      const first = bytes[this.pos] as number;
      if (first < 0x80) {
        this.pos++;
        return first;
      }
    }
    this.#varint();
    return this.#lo;
  }

  int32(): number {
    return this.uint32() | 0;
  }

  sint32(): number {
    const n = this.uint32();
    return (n >>> 1) ^ -(n & 1);
  }

  bool(): boolean {
    this.#varint();
    return this.#lo !== 0 || this.#hi !== 0;
  }

  int64(): number {
    this.#varint();
    return (this.#hi | 0) * TWO_32 + this.#lo;
  }

  uint64(): number {
    this.#varint();
    return this.#hi * TWO_32 + this.#lo;
  }

  /** All 64 bits, for hashes. */
  uint64Exact(): bigint {
    this.#varint();
    return (BigInt(this.#hi) << 32n) | BigInt(this.#lo);
  }

  sint64(): number {
    this.#varint();
    const odd = this.#lo & 1;
    const lo = ((this.#lo >>> 1) | (this.#hi << 31)) >>> 0;
    const hi = this.#hi >>> 1;
    const magnitude = hi * TWO_32 + lo;
    return odd === 1 ? -magnitude - 1 : magnitude;
  }

  double(): number {
    this.#need(8);
    const value = this.#view.getFloat64(this.pos, true);
    this.pos += 8;
    return value;
  }

  /** A view into the input, not a copy. */
  view(): Uint8Array {
    const length = this.#length();
    const out = this.bytes.subarray(this.pos, this.pos + length);
    this.pos += length;
    return out;
  }

  string(): string {
    const length = this.#length();
    const from = this.pos;
    this.pos += length;
    if (length > SHORT_STRING) return utf8.decode(this.bytes.subarray(from, from + length));
    // PERF: a call into the decoder costs more than a loop over the few bytes of a label name or value.
    let text = "";
    for (let i = from; i < from + length; i++) {
      const unit = this.bytes[i] as number;
      if (unit >= 0x80) return utf8.decode(this.bytes.subarray(from, from + length));
      text += String.fromCharCode(unit);
    }
    return text;
  }

  /** Enters a length-delimited message; returns what `leave` needs. */
  enter(): number {
    const length = this.#length();
    const outer = this.end;
    this.end = this.pos + length;
    return outer;
  }

  leave(outer: number): void {
    this.end = outer;
  }

  /** Passes over a field of an unknown number. */
  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.#varint();
        return;
      case 1:
        this.#need(8);
        this.pos += 8;
        return;
      case 2: {
        const length = this.#length();
        this.pos += length;
        return;
      }
      case 5:
        this.#need(4);
        this.pos += 4;
        return;
      default:
        this.fail(`wire type ${tag & 7} of field ${tag >>> 3} is not supported`);
    }
  }

  #length(): number {
    const length = this.uint32();
    if (length > this.end - this.pos) this.fail(`length ${length} exceeds the ${this.end - this.pos} bytes left`);
    return length;
  }

  #need(n: number): void {
    if (this.end - this.pos < n) this.fail(`${n} bytes wanted, ${this.end - this.pos} left`);
  }

  /** Reads at most ten bytes into #lo and #hi. */
  #varint(): void {
    const bytes = this.bytes;
    let pos = this.pos;
    const end = this.end;
    let low = 0; // bits 0..27
    let mid = 0; // bits 28..55
    let high = 0; // bits 56..63
    for (let shift = 0; shift < 70; shift += 7) {
      if (pos >= end) this.fail("varint is cut off");
      const b = bytes[pos++] as number;
      if (shift < 28) low |= (b & 0x7f) << shift;
      else if (shift < 56) mid |= (b & 0x7f) << (shift - 28);
      else high |= (b & 0x7f) << (shift - 56);
      if (b < 0x80) {
        this.pos = pos;
        this.#lo = (low + (mid % 16) * TWO_28) >>> 0;
        this.#hi = ((mid >>> 4) | (high << 24)) >>> 0;
        return;
      }
    }
    this.fail("varint is longer than 10 bytes");
  }
}

const SHORT_STRING = 24;
