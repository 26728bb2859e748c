const encoder = new TextEncoder();
const TWO_32 = 2 ** 32;

/** Bytes collected in a buffer that grows by doubling. `reset` keeps the buffer for the next use. */
export class ByteWriter {
  #data: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(initialBytes = 256) {
    this.#data = new Uint8Array(initialBytes);
    this.#view = new DataView(this.#data.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written so far, as a view that is good until the next write or reset. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#data.subarray(0, this.#length);
  }

  /** A copy of what was written, owned by the caller. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#data.slice(0, this.#length);
  }

  reset(): void {
    this.#length = 0;
  }

  /** Drops what was written from `length` on. */
  truncate(length: number): void {
    if (length < this.#length) this.#length = length;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#data[this.#length++] = value;
  }

  u16be(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value);
    this.#length += 2;
  }

  u32be(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value);
    this.#length += 4;
  }

  u32le(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  /** Whole numbers from −2^53 to 2^53 as two's complement, or any 64 bits as a BigInt. */
  u64be(value: number | bigint): void {
    this.#reserve(8);
    if (typeof value === "bigint") this.#view.setBigUint64(this.#length, BigInt.asUintN(64, value));
    else {
      this.#view.setUint32(this.#length, Math.floor(value / TWO_32));
      this.#view.setUint32(this.#length + 4, value);
    }
    this.#length += 8;
  }

  u64le(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigUint64(this.#length, BigInt.asUintN(64, value), true);
    this.#length += 8;
  }

  f64be(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
  }

  f64le(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** LEB128 of a whole number from 0 to 2^53, or of any unsigned 64 bits as a BigInt. */
  uvarint(value: number | bigint): void {
    this.#reserve(10);
    const data = this.#data;
    let at = this.#length;
    if (typeof value === "bigint") {
      let rest = BigInt.asUintN(64, value);
      for (; rest >= 0x80n; rest >>= 7n) data[at++] = Number(rest & 0x7fn) | 0x80;
      data[at++] = Number(rest);
    } else {
      let rest = value;
      for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 128)) data[at++] = (rest % 128) | 0x80;
      for (; rest >= 0x80; rest >>>= 7) data[at++] = (rest & 0x7f) | 0x80;
      data[at++] = rest;
    }
    this.#length = at;
  }

  /** Zig-zag LEB128 of a whole number within ±2^53, or of any signed 64 bits as a BigInt. */
  varint(value: number | bigint): void {
    if (typeof value === "bigint") this.uvarint(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
    else if (value >= 0) this.uvarint(value < 2 ** 52 ? value * 2 : BigInt(value) << 1n);
    else this.uvarint(value > -(2 ** 51) ? -value * 2 - 1 : -2n * BigInt(value) - 1n);
  }

  /** Copies data[from, to). */
  bytes(data: Uint8Array, from = 0, to: number = data.length): void {
    const count = to - from;
    this.#reserve(count);
    if (count <= 16) {
      const out = this.#data;
      for (let i = from, o = this.#length; i < to; i++, o++) out[o] = data[i] as number;
    } else this.#data.set(count === data.length ? data : data.subarray(from, to), this.#length);
    this.#length += count;
  }

  zeros(count: number): void {
    this.#reserve(count);
    this.#data.fill(0, this.#length, this.#length + count);
    this.#length += count;
  }

  /** The text as UTF-8, without a length. */
  utf8(text: string): void {
    this.#reserve(text.length * 3);
    this.#length += encoder.encodeInto(text, this.#data.subarray(this.#length)).written;
  }

  /** A uvarint byte length and the text as UTF-8. */
  str(text: string): void {
    const n = text.length;
    this.#reserve(5 + n * 3);
    // PERF: short ASCII by hand; anything else goes through the encoder.
    if (n < 64) {
      const data = this.#data;
      const start = this.#length + 1;
      let i = 0;
      for (; i < n; i++) {
        const c = text.charCodeAt(i);
        if (c >= 0x80) break;
        data[start + i] = c;
      }
      if (i === n) {
        data[start - 1] = n;
        this.#length = start + n;
        return;
      }
    }
    const bytes = encoder.encode(text);
    this.uvarint(bytes.length);
    this.bytes(bytes);
  }

  /** Overwrites the 4 bytes at `at`, which must have been written. */
  patchU32be(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#data.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#data.length * 2));
    grown.set(this.#data.subarray(0, this.#length));
    this.#data = grown;
    this.#view = new DataView(grown.buffer);
  }
}
