const TWO_32 = 0x100000000;
const TWO_63 = 2 ** 63;

/**
 * Writes protobuf fields into one growing buffer. Nested messages are written in place: `open` leaves one byte for the
 * length, and `close` moves the message when its length needs more.
 */
export class WireWriter {
  #buf: Buffer;
  #pos = 0;

  constructor(initialBytes = 256) {
    this.#buf = Buffer.allocUnsafeSlow(initialBytes);
  }

  /** The bytes written so far: a view that the next write may overtake. */
  finish(): Buffer {
    return this.#buf.subarray(0, this.#pos);
  }

  /** A field's tag, or any varint below 2^32. */
  uint32(value: number): void {
    this.#reserve(5);
    this.#varint32(value >>> 0);
  }

  /** Negative values take ten bytes, as protobuf wants of int32 and enums. */
  int32(value: number): void {
    if (value >= 0) this.uint32(value);
    else this.int64(value);
  }

  sint32(value: number): void {
    this.uint32((value << 1) ^ (value >> 31));
  }

  bool(value: boolean): void {
    this.uint32(value ? 1 : 0);
  }

  /** An integer; at or beyond ±2^63 it becomes the nearest 64-bit extreme. */
  int64(value: number): void {
    this.#reserve(10);
    if (value >= 0 && value < 0x80000000) this.#varint32(value);
    else if (value >= TWO_63) this.#varint64(0xffffffff, 0x7fffffff);
    else if (value <= -TWO_63) this.#varint64(0, 0x80000000);
    else this.#split(value);
  }

  /** 0 and up; at or beyond 2^64 it becomes the largest. */
  uint64(value: number): void {
    this.#reserve(10);
    if (value < 0x80000000) this.#varint32(Math.max(value, 0));
    else if (value >= 2 * TWO_63) this.#varint64(0xffffffff, 0xffffffff);
    else this.#split(value);
  }

  uint64Exact(value: bigint): void {
    this.#reserve(10);
    this.#varint64(Number(value & 0xffffffffn), Number((value >> 32n) & 0xffffffffn));
  }

  sint64(value: number): void {
    this.#reserve(10);
    // Zigzag on a magnitude: 2n for n ≥ 0, -2n - 1 below.
    const magnitude = value >= 0 ? value : -value - 1;
    const hi = Math.min(Math.floor(magnitude / TWO_32), 0x7fffffff);
    const lo = (magnitude - hi * TWO_32) >>> 0;
    const sign = value >= 0 ? 0 : 1;
    this.#varint64(((lo << 1) | sign) >>> 0, ((hi << 1) | (lo >>> 31)) >>> 0);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#buf.writeDoubleLE(value, this.#pos);
    this.#pos += 8;
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length + 5);
    this.#varint32(value.length);
    this.#buf.set(value, this.#pos);
    this.#pos += value.length;
  }

  string(value: string): void {
    const length = value.length;
    if (length < SHORT_STRING) {
      // PERF: short ASCII text, nearly every label, without a call out of JavaScript.
      this.#reserve(length + 1);
      const buf = this.#buf;
      const from = this.#pos + 1;
      let i = 0;
      for (; i < length; i++) {
        const unit = value.charCodeAt(i);
        if (unit >= 0x80) break;
        buf[from + i] = unit;
      }
      if (i === length) {
        buf[this.#pos] = length;
        this.#pos = from + length;
        return;
      }
    }
    const size = Buffer.byteLength(value, "utf8");
    this.#reserve(size + 5);
    this.#varint32(size);
    this.#pos += this.#buf.write(value, this.#pos, size, "utf8");
  }

  /** Starts a length-delimited value; returns what `close` needs. */
  open(): number {
    this.#reserve(1);
    return this.#pos++;
  }

  close(mark: number): void {
    const length = this.#pos - mark - 1;
    if (length < 0x80) {
      this.#buf[mark] = length;
      return;
    }
    const more = length < 0x4000 ? 1 : length < 0x200000 ? 2 : length < 0x10000000 ? 3 : 4;
    this.#reserve(more);
    this.#buf.copyWithin(mark + 1 + more, mark + 1, this.#pos);
    const end = this.#pos + more;
    this.#pos = mark;
    this.#varint32(length);
    this.#pos = end;
  }

  #split(value: number): void {
    const hi = Math.floor(value / TWO_32);
    this.#varint64((value - hi * TWO_32) >>> 0, hi >>> 0);
  }

  #varint32(value: number): void {
    const buf = this.#buf;
    let pos = this.#pos;
    let rest = value;
    while (rest > 0x7f) {
      buf[pos++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buf[pos++] = rest;
    this.#pos = pos;
  }

  #varint64(low: number, high: number): void {
    const buf = this.#buf;
    let pos = this.#pos;
    let lo = low;
    let hi = high;
    while (hi !== 0) {
      buf[pos++] = (lo & 0x7f) | 0x80;
      lo = ((lo >>> 7) | (hi << 25)) >>> 0;
      hi >>>= 7;
    }
    this.#pos = pos;
    this.#varint32(lo);
  }

  #reserve(more: number): void {
    if (this.#pos + more <= this.#buf.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buf.length * 2, this.#pos + more));
    this.#buf.copy(grown, 0, 0, this.#pos);
    this.#buf = grown;
  }
}

const SHORT_STRING = 24;
