import {StrataError} from "@strata/base";

const TWO_32 = 0x100000000;

/** Walks over encoded protobuf fields of a window of bytes; every length is checked against the window. */
export class FrameCursor {
  /** What is read, for error texts. */
  readonly what: string;
  bytes: Uint8Array = new Uint8Array(0);
  pos = 0;
  /** End of the window, exclusive. */
  end = 0;

  constructor(what: string) {
    this.what = what;
  }

  reset(bytes: Uint8Array, from: number, to: number): void {
    this.bytes = bytes;
    this.pos = from;
    this.end = to;
  }

  seek(from: number, to: number): void {
    this.pos = from;
    this.end = to;
  }

  get more(): boolean {
    return this.pos < this.end;
  }

  fail(problem: string): never {
    throw new StrataError("corrupt", `cannot read series frame of ${this.what}: ${problem} at offset ${this.pos}`, {
      fields: {offset: this.pos},
    });
  }

  /** The low 32 bits of a varint. */
  uint32(): number {
    const first = this.pos < this.end ? this.bytes[this.pos]! : 0x80;
    if (first < 0x80) {
      this.pos++;
      return first;
    }
    return this.#varint(false);
  }

  /** A signed 64-bit varint as a number: exact within ±2^53, the extremes ±2^63 kept. */
  int64(): number {
    return this.#varint(true);
  }

  /** A length that fits into the window. */
  length(): number {
    const length = this.uint32();
    if (length > this.end - this.pos) this.fail(`length ${length} exceeds the ${this.end - this.pos} bytes left`);
    return length;
  }

  skip(tag: number): void {
    const wire = tag & 7;
    if (wire === 0) this.#varint(false);
    else if (wire === 2) this.pos += this.length();
    else if (wire === 1 || wire === 5) {
      const size = wire === 1 ? 8 : 4;
      if (this.end - this.pos < size) this.fail(`${size} bytes wanted, ${this.end - this.pos} left`);
      this.pos += size;
    } else this.fail(`wire type ${wire} of field ${tag >>> 3} is not supported`);
  }

  #varint(wide: boolean): number {
    const bytes = this.bytes;
    const end = this.end;
    let pos = this.pos;
    let lo = 0; // bits 0..27
    let mid = 0; // bits 28..55
    let hi = 0; // bits 56..63
    for (let shift = 0; shift < 70; shift += 7) {
      if (pos >= end) this.fail("varint is cut off");
      const b = bytes[pos++]!;
      if (shift < 28) lo |= (b & 0x7f) << shift;
      else if (shift < 56) mid |= (b & 0x7f) << (shift - 28);
      else hi |= (b & 0x7f) << (shift - 56);
      if (b < 0x80) {
        this.pos = pos;
        const low = (lo | (mid << 28)) >>> 0;
        return wide ? ((mid >>> 4) | (hi << 24)) * TWO_32 + low : low;
      }
    }
    this.fail("varint is longer than 10 bytes");
  }
}
