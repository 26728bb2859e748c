import {StrataError} from "@strata/base";

const TWO_32 = 2 ** 32;
const utf8 = new TextDecoder("utf-8", {ignoreBOM: true});

/**
 * A cursor over bytes that others own. Every read past the end, and every malformed number, throws `corrupt` with the
 * name and the offset (`base` is the offset of data[0] in what the name stands for). Reuse it with `reset`.
 */
export class ByteReader {
  readonly name: string;
  readonly base: number;
  readonly data: Uint8Array;
  /** Index in `data` of the next byte. */
  pos: number;
  /** Index in `data` after the last byte that may be read. */
  end: number;
  #view: DataView;

  constructor(data: Uint8Array, name: string, from = 0, to: number = data.length, base = 0) {
    this.name = name;
    this.base = base;
    this.data = data;
    this.pos = from;
    this.end = Math.min(to, data.length);
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  /** Goes to data[from, to) of the same data. */
  reset(from: number, to: number): void {
    this.pos = from;
    this.end = Math.min(to, this.data.length);
  }

  get remaining(): number {
    return this.end - this.pos;
  }

  /** Offset of the cursor in what the name stands for. */
  get offset(): number {
    return this.base + this.pos;
  }

  /** A `corrupt` error that says what could not be read here. */
  corrupt(what: string, at: number = this.pos): StrataError {
    const offset = this.base + at;
    return new StrataError("corrupt", `cannot read ${this.name} at ${offset}: ${what}`, {
      fields: {file: this.name, offset},
    });
  }

  /** Makes sure that `count` more bytes are there. */
  need(count: number): void {
    if (!(count <= this.end - this.pos)) throw this.corrupt(`${count} bytes wanted, ${this.end - this.pos} left`);
  }

  u8(): number {
    if (this.pos >= this.end) this.need(1);
    return this.data[this.pos++] as number;
  }

  u16be(): number {
    this.need(2);
    const value = this.#view.getUint16(this.pos);
    this.pos += 2;
    return value;
  }

  u32be(): number {
    this.need(4);
    const value = this.#view.getUint32(this.pos);
    this.pos += 4;
    return value;
  }

  u32le(): number {
    this.need(4);
    const value = this.#view.getUint32(this.pos, true);
    this.pos += 4;
    return value;
  }

  /** 8 bytes as a Number; beyond 2^53 − 1 is `corrupt` (use u64be). */
  u53be(): number {
    this.need(8);
    const value = this.#view.getUint32(this.pos) * TWO_32 + this.#view.getUint32(this.pos + 4);
    if (value > Number.MAX_SAFE_INTEGER) throw this.corrupt("a number beyond 2^53");
    this.pos += 8;
    return value;
  }

  u64be(): bigint {
    this.need(8);
    const value = this.#view.getBigUint64(this.pos);
    this.pos += 8;
    return value;
  }

  i64be(): bigint {
    return BigInt.asIntN(64, this.u64be());
  }

  u64le(): bigint {
    this.need(8);
    const value = this.#view.getBigUint64(this.pos, true);
    this.pos += 8;
    return value;
  }

  /** A float's value; its NaN payload may be lost on the way (use u64be to keep it). */
  f64be(): number {
    this.need(8);
    const value = this.#view.getFloat64(this.pos);
    this.pos += 8;
    return value;
  }

  f64le(): number {
    this.need(8);
    const value = this.#view.getFloat64(this.pos, true);
    this.pos += 8;
    return value;
  }

  /** LEB128, at most 10 bytes; beyond 2^53 − 1 is `corrupt` (use uvarint64). */
  uvarint(): number {
    const data = this.data;
    const end = this.end;
    let p = this.pos;
    // PERF: one and two bytes are nearly all there is.
    if (p + 1 < end) {
      const a = data[p] as number;
      if (a < 0x80) {
        this.pos = p + 1;
        return a;
      }
      const b = data[p + 1] as number;
      if (b < 0x80) {
        this.pos = p + 2;
        return (a & 0x7f) | (b << 7);
      }
    }
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (p >= end) throw this.corrupt("a varint is cut short");
      const byte = data[p++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw this.corrupt("a varint beyond 2^53");
        this.pos = p;
        return value;
      }
      scale *= 128;
    }
    throw this.corrupt("a varint longer than 10 bytes");
  }

  /** LEB128 of 64 bits; what Go's reader takes as overflow is `corrupt`. */
  uvarint64(): bigint {
    let value = 0n;
    for (let i = 0, p = this.pos; i < 10; i++) {
      if (p >= this.end) throw this.corrupt("a varint is cut short");
      const byte = this.data[p++] as number;
      if (i === 9 && byte > 1) break;
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) {
        this.pos = p;
        return value;
      }
    }
    throw this.corrupt("a varint longer than 64 bits");
  }

  /** Zig-zag LEB128, for times: beyond ±2^53 the nearest Number (use varint64 for exact ones). */
  varint(): number {
    const start = this.pos;
    const data = this.data;
    let low = 0;
    let p = start;
    // Up to 4 bytes (28 bits) in one word, which covers what is not the first time of a chunk.
    for (let shift = 0; shift < 28 && p < this.end; shift += 7) {
      const byte = data[p++] as number;
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.pos = p;
        return (low >>> 1) ^ -(low & 1);
      }
    }
    let value = 0;
    let scale = 1;
    p = start;
    for (let i = 0; i < 7 && p < this.end; i++) {
      const byte = data[p++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.pos = p;
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
      scale *= 128;
    }
    return Number(this.varint64());
  }

  varint64(): bigint {
    const u = this.uvarint64();
    return (u >> 1n) ^ -(u & 1n);
  }

  /** The next `count` bytes as a view on the same memory. */
  bytes(count: number): Uint8Array {
    this.need(count);
    const start = this.pos;
    this.pos = start + count;
    return this.data.subarray(start, this.pos);
  }

  skip(count: number): void {
    this.need(count);
    this.pos += count;
  }

  /** The next `count` bytes as text; malformed UTF-8 becomes U+FFFD. */
  utf8(count: number): string {
    this.need(count);
    const start = this.pos;
    this.pos = start + count;
    // PERF: short ASCII, as nearly all names and values are, is quicker read by hand.
    if (count <= 24) {
      let text = "";
      for (let i = start; i < this.pos; i++) {
        const c = this.data[i] as number;
        if (c >= 0x80) return utf8.decode(this.data.subarray(start, this.pos));
        text += String.fromCharCode(c);
      }
      return text;
    }
    return utf8.decode(this.data.subarray(start, this.pos));
  }

  /** A uvarint length and so many bytes of text. */
  str(): string {
    return this.utf8(this.uvarint());
  }
}
